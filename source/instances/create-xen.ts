/** Makes one domain on a Xen host: its disks, its file in /etc/xen, its start; takes away what a failure leaves. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import { type XlAccess, xlActionLimit, xlList, xlPollLimit } from "../tools/xl.ts";
import {
  configPath,
  destroyDomain,
  explainXenMaking,
  makeFile,
  makeVolume,
  removeConfig,
  removeFile,
  removeVolume,
  startConfig,
  tryConfig,
  writeConfig,
} from "../tools/xl-create.ts";
import { parseXlList } from "../tools/xl-parse.ts";
import { pause } from "../waiting.ts";
import type { Made, MakeOptions } from "./create-maker.ts";
import { isUnknown, Making, type MakingPlace, type Undo } from "./create-making.ts";
import type { CreateStep, XenRequest } from "./create-types.ts";

export interface XenMakingPlace extends MakingPlace {
  access: XlAccess;
}

export interface XenMakeStep {
  step: CreateStep;
  /** What happens now, for people. */
  text: string;
  command: Command;
  /** Limit for an answer. */
  seconds: number;
  makes: Undo | null;
}

/** A copied image may be large. */
const copySeconds = 6 * 3600;
const quickSeconds = 60;

/** What is made, in turn; the start, where it is asked for, comes last. */
export function xenSteps(access: XlAccess, request: XenRequest): XenMakeStep[] {
  const { name, disks, start } = request;
  const made = disks.flatMap((disk): XenMakeStep[] => {
    if (disk.kind === "path") return [];
    const { sizeMiB, image } = disk;
    const seconds = image === null ? quickSeconds : copySeconds;
    const from = image === null ? "" : ` from ${image}`;
    if (disk.kind === "volume") {
      const volume = { group: disk.group, volume: disk.volume ?? "", sizeMiB };
      const label = `volume ${volume.group}/${volume.volume}`;
      return [
        {
          ...{ step: "disk", text: `making the ${label}${from}`, command: makeVolume(access, volume, image), seconds },
          makes: { label, command: removeVolume(access, volume.group, volume.volume), knowsItsOwn: false },
        },
      ];
    }
    const path = disk.path ?? "";
    return [
      {
        ...{ step: "disk", text: `making the file ${path}${from}`, seconds },
        command: makeFile(access, path, sizeMiB, image),
        makes: { label: `file ${path}`, command: removeFile(access, path), knowsItsOwn: false },
      },
    ];
  });
  const file = configPath(name);
  return [
    ...made,
    {
      ...{ step: "create", text: `writing ${file}`, command: writeConfig(access, request), seconds: quickSeconds },
      makes: { label: `file ${file}`, command: removeConfig(access, request), knowsItsOwn: true },
    },
    start
      ? {
          ...{ step: "create", text: "starting it", command: startConfig(access, name), makes: null },
          seconds: xlActionLimit + 15,
        }
      : {
          ...{ step: "create", text: "looking whether xl takes its file", command: tryConfig(access, name) },
          ...{ seconds: quickSeconds, makes: null },
        },
  ];
}

export async function makeOnXen(place: XenMakingPlace, request: XenRequest, options: MakeOptions): Promise<Made> {
  const making = new Making(place, options, ({ stdout, stderr, status }) => {
    const detail = `${stderr}${stdout}`;
    return { ...explainXenMaking(detail, status), detail };
  });
  return making.carry(async () => {
    const steps = xenSteps(place.access, request);
    for (const [index, { step, text, command, seconds, makes }] of steps.entries()) {
      options.onStep(step, text);
      const isStart = request.start && index === steps.length - 1;
      if (isStart) await start(making, request, command, seconds);
      else await making.step(command, { timeoutMs: seconds * 1000 }, makes);
    }
  });
}

/** What a failed start may have left is a domain of this UUID: it is ended before its disks are taken from under it. */
async function start(
  making: Making<XenMakingPlace>,
  request: XenRequest,
  command: Command,
  seconds: number,
): Promise<void> {
  try {
    await making.step(command, { timeoutMs: seconds * 1000 });
  } catch (thrown) {
    const unknown = isUnknown(thrown);
    if (unknown) making.options.onStep("create", "no answer from xl: looking for the domain");
    const found = await find(making, request.uuid, unknown);
    // After a loss xl may have gone on to the end.
    if (unknown && found !== null && found.memoryMiB > 0) return;
    if (found !== null) {
      const label = `domain ${request.name}`;
      making.remember({ label, command: destroyDomain(making.place.access, found.id), knowsItsOwn: false });
    }
    throw thrown;
  }
}

/** The domain of this UUID; null: there is none, or nobody says so. Asked without the user's cancelling, which may be why. */
async function find(making: Making<XenMakingPlace>, uuid: string, patient: boolean) {
  const { pool, host, access, retryMs = 1000 } = making.place;
  for (let n = 0, wait = retryMs; n < (patient ? 8 : 3); n += 1, wait = Math.min(wait * 2, 15_000)) {
    try {
      const timeoutMs = (xlPollLimit + 10) * 1000;
      const answer = await pool.exec(host, xlList(access), { priority: "user", timeoutMs });
      const domains = answer.outcome === "exited" && answer.status === 0 ? parseXlList(answer.stdout) : null;
      const found = domains?.find((domain) => domain.uuid === uuid);
      if (found) return found;
      // An xl that nobody hears any more may not have come so far yet.
      if (domains && !patient) return null;
    } catch (thrown) {
      if (!(thrown instanceof VirtuError)) throw thrown;
    }
    await pause(wait);
  }
  return null;
}

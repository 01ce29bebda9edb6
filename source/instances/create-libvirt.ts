/** Makes one instance on a libvirt host: its volumes, then `virt-install`; takes away what a failure leaves. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type Command, sh } from "../ssh/command.ts";
import type { ExecOptions, ExecResult } from "../ssh/types.ts";
import { type ImageFacts, imageCommand, parseImage } from "../tools/disk-image.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import {
  deleteVolume,
  explainInstall,
  findDomain,
  findVolume,
  forgetDomain,
  isPoolBusy,
  type Volume,
  warnings,
} from "../tools/virt-install.ts";
import { isPassing, pause } from "../waiting.ts";
import { libvirtSteps, type Step } from "./create-libvirt-steps.ts";
import type { Made, MakeOptions, MakerOptions } from "./create-maker.ts";
import { type Explained, Making, type MakingPlace, StepFailed, StepUnknown, type Undo } from "./create-making.ts";
import type { LibvirtRequest } from "./create-types.ts";

export interface LibvirtMakingPlace extends MakingPlace {
  uri: string;
  turn?: MakerOptions["turn"];
}

const quick: ExecOptions = { timeoutMs: 60_000 };
/** virt-install starts in seconds; copying kernel and initrd of a network install takes its time. */
const install: ExecOptions = { timeoutMs: 10 * 60_000 };
/** A copy of many gigabytes. */
const unlimited: ExecOptions = {};

export function makeOnLibvirt(place: LibvirtMakingPlace, request: LibvirtRequest, options: MakeOptions): Promise<Made> {
  const making = new LibvirtMaking(place, options, explain);
  return making.carry(async () => {
    const facts = await imageFacts(making, request);
    const work = new Work(making, request);
    for (const step of libvirtSteps(place.uri, request, facts)) {
      making.mustGoOn();
      await inTurn(making, step, () => work.carry(step));
    }
  });
}

class LibvirtMaking extends Making<LibvirtMakingPlace> {
  /**
   * Asks again, about a minute long, while libvirt refuses only because a volume is made in the pool. Turns keep those of
   * one run apart; this one is of another program on that host. It is refused before anything is made.
   */
  override async exec(command: Command, more: ExecOptions): Promise<ExecResult> {
    const { retryMs = 1000 } = this.place;
    for (let n = 0, wait = retryMs; ; n += 1, wait = Math.min(wait * 2, 15_000)) {
      const result = await super.exec(command, more);
      if (n === 7 || result.outcome !== "exited" || result.status === 0 || !isPoolBusy(result.stderr)) return result;
      this.options.onStep("disk", "somebody else makes a volume in the pool: waiting for that");
      await pause(wait, this.options.signal);
    }
  }
}

/**
 * Two that make volumes, copy images or call virt-install on one host at the same time can meet: libvirt refuses to
 * refresh a pool while a copy into it runs. What is sent there needs no turn.
 */
async function inTurn({ place, options }: LibvirtMaking, step: Step, carry: () => Promise<void>): Promise<void> {
  const isOwn = step.kind === "send" || step.kind === "write";
  const leave = isOwn ? undefined : await place.turn?.(options.signal);
  try {
    options.onStep(step.step, step.text);
    await carry();
  } finally {
    leave?.();
  }
}

async function imageFacts(making: LibvirtMaking, { media }: LibvirtRequest): Promise<ImageFacts | null> {
  if ((media.kind !== "import" && media.kind !== "cloud") || media.copy === null) return null;
  const { image } = media;
  const answer = await making.exec(imageCommand(image), quick);
  const facts = parseImage(answer.stdout);
  if (facts === null)
    throw new StepFailed(`there is no ${image} on that host, or it can't be read there`, answer.stderr);
  if (facts.format !== "other") return facts;
  throw new StepFailed(`${image} is neither qcow2 nor raw: convert it with qemu-img convert, or use it in place`, "");
}

class Work {
  /** Of cloud-init's files, once it is there. */
  private directory: Undo | null = null;

  constructor(
    private readonly making: LibvirtMaking,
    private readonly request: LibvirtRequest,
  ) {}

  async carry(step: Step): Promise<void> {
    const { making } = this;
    switch (step.kind) {
      case "run":
        await making.step(step.command, step.makes ? quick : unlimited, step.makes && this.undoOf(step.makes));
        return;
      case "tidy":
        if (this.directory) await making.finish(this.directory);
        return;
      case "write":
        return this.write(step.path, step.content);
      case "send":
        return this.send(step.localFile, step.path);
      case "define": {
        const { stdout, stderr } = await making.step(step.print, install);
        making.notes.push(...warnings(stderr));
        this.mayBeDefined();
        await making.step(step.define, { ...quick, stdin: stdout });
        return;
      }
      case "install":
        return this.install(step.command);
    }
  }

  private undoOf(volume: Volume): Undo {
    const { uri } = this.making.place;
    const label = `volume ${volume.pool}/${volume.volume}`;
    return { label, command: deleteVolume(uri, volume), find: findVolume(uri, volume), knowsItsOwn: false };
  }

  /** virt-install or define is called: there may be a domain, and it is known by its UUID. */
  private mayBeDefined(): void {
    const { uri } = this.making.place;
    const { uuid, name } = this.request;
    const undo = { label: `domain ${name}`, command: forgetDomain(uri, uuid), find: findDomain(uri, uuid) };
    this.making.remember({ ...undo, knowsItsOwn: true }, false);
  }

  private async write(path: string, content: string): Promise<void> {
    const { pool, host } = this.making.place;
    if (!this.directory) {
      const directory = path.slice(0, path.lastIndexOf("/"));
      this.directory = {
        label: `directory ${directory}`,
        command: sh`rm -r ${directory}`,
        knowsItsOwn: true,
        aside: true,
      };
      this.making.remember(this.directory);
    }
    await pool.upload(host, Buffer.from(content), path, { mode: 0o600, signal: this.making.options.signal });
  }

  private async send(localFile: string, path: string): Promise<void> {
    const { pool, host } = this.making.place;
    const { signal, onStep } = this.making.options;
    const hash = createHash("sha256");
    await pool.upload(host, { localFile }, path, {
      signal,
      onProgress: (sent, total) => {
        const done = total === 0 ? 1 : sent / total;
        onStep("upload", `sending ${localFile}: ${Math.floor(done * 100)} %`, { done });
      },
    });
    await pipeline(createReadStream(localFile), hash);
    onStep("upload", `comparing the checksum of ${path}`);
    const { stdout } = await this.making.step(sh`sha256sum ${path}`, unlimited);
    if (stdout.split(" ")[0] !== hash.digest("hex")) {
      throw new StepFailed(`${path} arrived with another checksum`, stdout);
    }
  }

  private async install(command: Command): Promise<void> {
    const { making } = this;
    this.mayBeDefined();
    try {
      const { stderr } = await making.step(command, install);
      making.notes.push(...warnings(stderr));
    } catch (thrown) {
      if (thrown instanceof StepFailed) making.notes.push(...warnings(thrown.detail));
      if (!(thrown instanceof StepUnknown)) throw thrown;
      making.options.onStep("create", "no answer from virt-install: looking for the domain");
      if (!(await this.appears())) throw thrown;
    }
  }

  /** After a loss virt-install may still be at work. */
  private async appears(): Promise<boolean> {
    const { uri, retryMs = 1000 } = this.making.place;
    for (let n = 0, wait = retryMs; n < 8; n += 1, wait = Math.min(wait * 2, 15_000)) {
      try {
        const { outcome, status, stdout } = await this.making.exec(findDomain(uri, this.request.uuid), quick);
        if (outcome === "exited" && status === 0) return stdout.trim() !== "shut off";
      } catch (thrown) {
        if (!isPassing(thrown)) throw thrown;
      }
      await pause(wait, this.making.options.signal);
    }
    return false;
  }
}

function explain({ stderr }: ExecResult): Explained {
  return { ...(explainInstall(stderr) ?? explainVirsh(stderr)), detail: stderr };
}

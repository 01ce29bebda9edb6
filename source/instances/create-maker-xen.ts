/** How domains are made on a Xen host: their disks, their file in /etc/xen, their start. */
import { sh } from "../ssh/command.ts";
import type { Pool } from "../ssh/types.ts";
import { rootShell } from "../tools/xl.ts";
import { consoleCommand } from "../tools/xl-actions.ts";
import { configPath, removeConfig, removeFile, removeVolume } from "../tools/xl-create.ts";
import { explainXl, nothingAnswers, storeHangs } from "../tools/xl-errors.ts";
import { parseXenOffers, type XenOffers, xenOffersCommand } from "../tools/xl-offers.ts";
import { Listed } from "./create-listed.ts";
import {
  type AskOffersOptions,
  type Made,
  type Maker,
  type MakerOptions,
  noOffers,
  offersLimitMs,
  type Trace,
  type Waiting,
  type WaitingOptions,
} from "./create-maker.ts";
import type { CommandLine, XenRequest } from "./create-types.ts";
import { makeOnXen, xenSteps } from "./create-xen.ts";
import { ask } from "./exec.ts";
import type { XenProvider } from "./xen.ts";

/** All that a console needs to know of a domain is its name. */
const unplaced = { domainId: null, file: null, auto: null, saved: false, diskFiles: [], diskVolumes: [] };

export class XenMaker implements Maker {
  readonly parallel = 2;

  constructor(private readonly xen: XenProvider) {}

  async offers(pool: Pool, { signal, files = [] }: AskOffersOptions): Promise<XenOffers> {
    const { target, access } = this.xen;
    const command = xenOffersCommand(access, files);
    const more = { priority: "user", timeoutMs: offersLimitMs, signal } as const;
    const { stdout, stderr } = await ask(pool, target, command, "asking what the host offers", more);
    const offers = parseXenOffers(stdout);
    if (offers !== null && !("failed" in offers)) return offers;
    const late = offers !== null && (offers.status === 124 || offers.status === 137);
    const silent = offers?.failed === "list" ? storeHangs : nothingAnswers;
    const explained = late ? silent : explainXl(stderr, offers?.status);
    throw noOffers("host", target.name, stderr, explained, late ? "timeout" : "refused");
  }

  lines(request: XenRequest): CommandLine[] {
    const host = this.xen.target.name;
    return xenSteps(this.xen.access, request).map(({ command }) => ({ host, line: command.line }));
  }

  make(request: XenRequest, options: MakerOptions): Promise<Made> {
    const { target: host, access } = this.xen;
    const { pool, retryMs } = options;
    return makeOnXen({ pool, host, access, retryMs }, request, options);
  }

  waiting({ name }: XenRequest, { signal }: WaitingOptions): Waiting {
    const { target: host, access } = this.xen;
    const listed = new Listed(this.xen, name, signal);
    const noAddress = "nobody on a Xen host knows its address: give one, or wait for its console";
    return {
      look: async () => ({ ...(await listed.look()), noAddress }),
      console: async () => ({ host, command: consoleCommand(access, { ...unplaced, name }) }),
    };
  }

  traces(request: XenRequest): Trace[] {
    const { access } = this.xen;
    const { name } = request;
    const disks = request.disks.flatMap((disk): Trace[] => {
      if (disk.kind === "path") return [];
      if (disk.kind === "file") {
        const path = disk.path ?? "";
        const find = rootShell(access, sh`test -e ${path}`);
        return [
          { what: `file ${path}`, find, remove: removeFile(access, path), nothing: 0, named: !path.includes(name) },
        ];
      }
      const volume = disk.volume ?? "";
      const find = rootShell(access, sh`lvs ${`${disk.group}/${volume}`} >/dev/null 2>&1`);
      const remove = removeVolume(access, disk.group, volume);
      return [{ what: `volume ${disk.group}/${volume}`, find, remove, nothing: 0, named: !volume.startsWith(name) }];
    });
    // It removes the file only where this domain's id stands in it.
    const config = { find: null, remove: removeConfig(access, request), nothing: 3, named: false };
    return [...disks, { what: `file ${configPath(name)}`, ...config }];
  }
}

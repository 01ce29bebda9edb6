/** How instances are made on a libvirt host: virsh makes their volumes, virt-install makes them. */
import { type Command, sh } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import type { ImageFacts } from "../tools/disk-image.ts";
import { type LibvirtOffers, offersCommand, parseOffers } from "../tools/libvirt-offers.ts";
import { domainConsoleCommand, domainNewsCommand, parseDomainNews, startDomainCommand } from "../tools/ready.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import { diskUsers, usesCommand } from "../tools/virsh-uses.ts";
import { deleteVolume, findVolume } from "../tools/virt-install.ts";
import { makeOnLibvirt } from "./create-libvirt.ts";
import { libvirtSteps, stepLine } from "./create-libvirt-steps.ts";
import {
  type AskOffersOptions,
  type Look,
  type Made,
  type Maker,
  type MakerOptions,
  noOffers,
  offersLimitMs,
  type Trace,
  type Waiting,
  type WaitingOptions,
} from "./create-maker.ts";
import type { CommandLine, LibvirtRequest } from "./create-types.ts";
import { ask } from "./exec.ts";

const usesSeconds = 20;

export class LibvirtMaker implements Maker {
  readonly parallel = 2;

  constructor(
    private readonly host: HostRef,
    private readonly uri: string,
  ) {}

  async offers(pool: Pool, { signal, files = [] }: AskOffersOptions): Promise<LibvirtOffers> {
    const command = sh`${offersCommand(this.uri, files)}; ${usesCommand(this.uri, usesSeconds)}`;
    const { stdout, stderr } = await ask(pool, this.host, command, "asking what the host offers", {
      ...{ priority: "user", timeoutMs: offersLimitMs, signal },
    });
    const offers = parseOffers(stdout);
    if (offers !== null) return { ...offers, usedDisks: diskUsers(stdout) };
    throw noOffers("host", this.host.name, stderr, explainVirsh(stderr));
  }

  lines(request: LibvirtRequest, offers: LibvirtOffers): CommandLine[] {
    const { media } = request;
    const facts = media.kind === "import" || media.kind === "cloud" ? (offers.files.get(media.image) ?? null) : null;
    // Without its image it can't be made at all: its problem says so.
    if (facts === null && (media.kind === "cloud" || (media.kind === "import" && media.copy !== null))) return [];
    return libvirtSteps(this.uri, request, facts).map((step) => ({ host: this.host.name, line: stepLine(step) }));
  }

  make(request: LibvirtRequest, options: MakerOptions): Promise<Made> {
    const { pool, turn, retryMs } = options;
    return makeOnLibvirt({ pool, host: this.host, uri: this.uri, turn, retryMs }, request, options);
  }

  waiting(request: LibvirtRequest, options: WaitingOptions): Waiting {
    return new DomainWaiting(this.host, this.uri, request, options);
  }

  traces(request: LibvirtRequest, image: ImageFacts | null): Trace[] {
    const { uri } = this;
    return libvirtSteps(uri, request, image).flatMap((step): Trace[] => {
      if (step.kind === "tidy") {
        return [
          { what: "cloud-init's files", find: null, remove: sh`${step.command} || true`, nothing: 0, named: false },
        ];
      }
      if (step.kind !== "run" || step.makes === null) return [];
      const { pool, volume } = step.makes;
      const commands = { find: findVolume(uri, step.makes), remove: deleteVolume(uri, step.makes) };
      return [{ what: `volume ${pool}/${volume}`, ...commands, nothing: 0, named: !volume.startsWith(request.name) }];
    });
  }
}

class DomainWaiting implements Waiting {
  private restarted = false;

  constructor(
    private readonly host: HostRef,
    private readonly uri: string,
    private readonly request: LibvirtRequest,
    private readonly options: WaitingOptions,
  ) {}

  async look(): Promise<Look> {
    const { pool, signal } = this.options;
    const command = domainNewsCommand(this.uri, this.request.uuid);
    const answer = await pool.exec(this.host, command, { priority: "user", signal });
    const news = answer.status === 0 ? parseDomainNews(answer.stdout) : null;
    const address = news?.address ?? null;
    if (news?.state === "crashed") return { address, off: "it crashed" };
    return { address, off: news?.state === "shut off" ? await this.startAgain() : null };
  }

  /** An installer's reboot is its end for libvirt: from now on it boots from its disk. */
  private async startAgain(): Promise<string | null> {
    const { kind } = this.request.media;
    if (this.restarted || (kind !== "iso" && kind !== "location" && kind !== "pxe")) return "it went off";
    this.restarted = true;
    const { pool, signal, onText } = this.options;
    onText("the installation has ended: starting it from its disk");
    await pool.exec(this.host, startDomainCommand(this.uri, this.request.uuid), { priority: "user", signal });
    return null;
  }

  async console(): Promise<{ host: HostRef; command: Command }> {
    return { host: this.host, command: domainConsoleCommand(this.uri, this.request.uuid) };
  }
}

/** Makes one instance on a libvirt host: its volumes, then `virt-install`; takes away what a failure leaves. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { VirtuError } from "../errors.ts";
import { type Command, sh } from "../ssh/command.ts";
import type { ExecOptions, ExecResult, HostRef, Pool } from "../ssh/types.ts";
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
import { libvirtSteps, type Step } from "./create-libvirt-steps.ts";
import type { CreateStep, LibvirtRequest } from "./create-types.ts";
import { isPassing, pause } from "./exec.ts";

export interface LibvirtPlace {
  pool: Pool;
  host: HostRef;
  uri: string;
  /** Waits until nobody else works on this host's storage, and keeps them waiting until the returned function is called. */
  turn?: (signal?: AbortSignal) => Promise<() => void>;
  /** First pause before a lost answer is looked for again (default 1000 ms); doubles each time. */
  retryMs?: number;
}

export interface MakeOptions {
  signal?: AbortSignal;
  onStep: (step: CreateStep, text: string, more?: { done?: number; job?: string }) => void;
}

/** How the making itself ended; being ready is found out afterwards. */
export interface Made {
  ok: boolean;
  node: string | null;
  job: string | null;
  notes: string[];
  error: string | null;
  detail: string | null;
  cleanedUp: string[];
  leftBehind: string[];
}

/** A step that failed, in the user's words. */
class Failed extends Error {
  constructor(
    message: string,
    readonly detail: string,
  ) {
    super(message);
  }
}

/** Nobody knows whether the step was done. */
class Unknown extends Failed {}

const quickMs = 60_000;
/** virt-install starts in seconds; copying kernel and initrd of a network install takes its time. */
const installMs = 10 * 60_000;

export async function makeOnLibvirt(place: LibvirtPlace, request: LibvirtRequest, options: MakeOptions): Promise<Made> {
  const work = new Work(place, request, options);
  try {
    await work.run();
    return work.made({ ok: true, error: null, detail: null });
  } catch (thrown) {
    const isKnown = thrown instanceof Failed;
    // A cancelled one is cleaned up like a failed one, and stays cancelled.
    if (!isKnown && !(thrown instanceof VirtuError)) throw thrown;
    await work.cleanUp();
    const why = thrown instanceof VirtuError ? (thrown.why ?? thrown.what) : thrown.message;
    const detail = thrown instanceof VirtuError ? thrown.detail : thrown.detail;
    return work.made({ ok: false, error: why, detail: detail?.trim() || null });
  }
}

class Work {
  private readonly notes: string[] = [];
  private readonly volumes: { volume: Volume; isCertain: boolean }[] = [];
  private directory: string | null = null;
  /** virt-install or define was called: there may be a domain. */
  private mayBeDefined = false;
  private readonly cleanedUp: string[] = [];
  private readonly leftBehind: string[] = [];

  constructor(
    private readonly place: LibvirtPlace,
    private readonly request: LibvirtRequest,
    private readonly options: MakeOptions,
  ) {}

  made(end: Pick<Made, "ok" | "error" | "detail">): Made {
    const { notes, cleanedUp, leftBehind } = this;
    return { ...end, node: null, job: null, notes, cleanedUp, leftBehind };
  }

  async run(): Promise<void> {
    const { uri } = this.place;
    const facts = await this.imageFacts();
    for (const step of libvirtSteps(uri, this.request, facts)) {
      if (this.options.signal?.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" });
      await this.inTurn(step);
    }
  }

  /**
   * Two that make volumes, copy images or call virt-install on one host at the same time can meet: libvirt refuses to
   * refresh a pool while a copy into it runs. What is sent there needs no turn.
   */
  private async inTurn(step: Step): Promise<void> {
    const { onStep, signal } = this.options;
    const isOwn = step.kind === "send" || step.kind === "write";
    const leave = isOwn ? undefined : await this.place.turn?.(signal);
    try {
      onStep(step.step, step.text);
      await this.carry(step);
    } finally {
      leave?.();
    }
  }

  private exec(command: Command, more: ExecOptions = {}): Promise<ExecResult> {
    const { pool, host } = this.place;
    return pool.exec(host, command, { priority: "user", timeoutMs: quickMs, signal: this.options.signal, ...more });
  }

  /**
   * Asks again, about a minute long, while libvirt refuses only because a volume is made in the pool. Turns keep those of
   * one run apart; this one is of another program on that host. It is refused before anything is made.
   */
  private async patiently(command: Command, more: ExecOptions = {}): Promise<ExecResult> {
    const { retryMs = 1000 } = this.place;
    for (let n = 0, wait = retryMs; ; n += 1, wait = Math.min(wait * 2, 15_000)) {
      const result = await this.exec(command, more);
      if (n === 7 || result.outcome !== "exited" || result.status === 0 || !isPoolBusy(result.stderr)) return result;
      this.options.onStep("disk", "somebody else makes a volume in the pool: waiting for that");
      await pause(wait, this.options.signal);
    }
  }

  /** The answer of a command that has to end well. */
  private async must(command: Command, more: ExecOptions = {}): Promise<ExecResult> {
    const result = await this.patiently(command, more);
    if (result.outcome === "exited" && result.status === 0) return result;
    if (result.outcome !== "exited") throw new Unknown(lost(result), result.stderr);
    throw new Failed(explain(result.stderr), result.stderr);
  }

  private async imageFacts(): Promise<ImageFacts | null> {
    const { media } = this.request;
    if ((media.kind !== "import" && media.kind !== "cloud") || media.copy === null) return null;
    const answer = await this.exec(imageCommand(media.image));
    const facts = parseImage(answer.stdout);
    if (facts === null)
      throw new Failed(`there is no ${media.image} on that host, or it can't be read there`, answer.stderr);
    if (facts.format === "other") {
      throw new Failed(
        `${media.image} is neither qcow2 nor raw: convert it with qemu-img convert, or use it in place`,
        "",
      );
    }
    return facts;
  }

  private async carry(step: Step): Promise<void> {
    if (step.kind === "run") await this.carryRun(step);
    else if (step.kind === "tidy") await this.tidyDirectory();
    else if (step.kind === "write") {
      const { pool, host } = this.place;
      this.directory = step.path.slice(0, step.path.lastIndexOf("/"));
      const options = { mode: 0o600, signal: this.options.signal };
      await pool.upload(host, Buffer.from(step.content), step.path, options);
    } else if (step.kind === "send") await this.send(step.localFile, step.path);
    else if (step.kind === "define") {
      const { stdout, stderr } = await this.must(step.print, { timeoutMs: installMs });
      this.notes.push(...warnings(stderr));
      this.mayBeDefined = true;
      await this.must(step.define, { stdin: stdout });
    } else await this.install(step.command);
  }

  private async carryRun({ command, makes }: Extract<Step, { kind: "run" }>): Promise<void> {
    try {
      // A copy of many gigabytes has no limit.
      await this.must(command, makes === null ? { timeoutMs: undefined } : {});
      if (makes !== null) this.volumes.push({ volume: makes, isCertain: true });
    } catch (thrown) {
      if (makes !== null && (thrown instanceof Unknown || isPassing(thrown))) {
        this.volumes.push({ volume: makes, isCertain: false });
      }
      throw thrown;
    }
  }

  private async send(localFile: string, path: string): Promise<void> {
    const { pool, host } = this.place;
    const { signal, onStep } = this.options;
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
    const { stdout } = await this.must(sh`sha256sum ${path}`, { timeoutMs: undefined });
    if (stdout.split(" ")[0] !== hash.digest("hex")) throw new Failed(`${path} arrived with another checksum`, stdout);
  }

  private async install(command: Command): Promise<void> {
    this.mayBeDefined = true;
    const result = await this.patiently(command, { timeoutMs: installMs });
    this.notes.push(...warnings(result.stderr));
    if (result.outcome === "exited" && result.status === 0) return;
    if (result.outcome === "exited") throw new Failed(explain(result.stderr), result.stderr);
    this.options.onStep("create", "no answer from virt-install: looking for the domain");
    if (!(await this.appears())) throw new Failed(lost(result), result.stderr);
  }

  /** After a loss virt-install may still be at work. */
  private async appears(): Promise<boolean> {
    const { uri, retryMs = 1000 } = this.place;
    for (let n = 0, wait = retryMs; n < 8; n += 1, wait = Math.min(wait * 2, 15_000)) {
      try {
        const { outcome, status, stdout } = await this.exec(findDomain(uri, this.request.uuid));
        if (outcome === "exited" && status === 0) return stdout.trim() !== "shut off";
      } catch (thrown) {
        if (!isPassing(thrown)) throw thrown;
      }
      await pause(wait, this.options.signal);
    }
    return false;
  }

  /** Takes away what was made, the last first. What can't be taken away is told, with why. */
  async cleanUp(): Promise<void> {
    const { uri } = this.place;
    const { uuid, name } = this.request;
    if (this.mayBeDefined) {
      const found = await this.tidy(findDomain(uri, uuid));
      if (found.status === 0) await this.tidyAway(`domain ${name}`, forgetDomain(uri, uuid));
      else if (found.status === null) this.leftBehind.push(`domain ${name}, if it was made: ${found.why}`);
    }
    for (const { volume, isCertain } of this.volumes.reverse()) {
      const label = `volume ${volume.pool}/${volume.volume}`;
      // It may also be somebody else's: the answer that would have told was lost.
      if (isCertain) await this.tidyAway(label, deleteVolume(uri, volume));
      else if ((await this.tidy(findVolume(uri, volume))).status !== 1)
        this.leftBehind.push(`${label}, if it is its own`);
    }
    await this.tidyDirectory();
  }

  /** cloud-init's files; nothing is lost when they stay, and it is told. */
  private async tidyDirectory(): Promise<void> {
    if (this.directory === null) return;
    const { directory } = this;
    this.directory = null;
    const { status, why } = await this.tidy(sh`rm -r ${directory}`);
    if (status !== 0) this.leftBehind.push(`directory ${directory}: ${why}`);
  }

  private async tidyAway(label: string, command: Command): Promise<void> {
    this.options.onStep("cleaning", `taking away the ${label}`);
    const { status, why } = await this.tidy(command);
    if (status === 0) this.cleanedUp.push(label);
    else this.leftBehind.push(`${label}: ${why}`);
  }

  /** Status null: no answer. Not ended by the user's cancelling, which may be why it runs at all. */
  private async tidy(command: Command): Promise<{ status: number | null; why: string }> {
    try {
      const { outcome, status, stderr } = await this.exec(command, { signal: undefined });
      if (outcome !== "exited") return { status: null, why: "the host gave no answer" };
      return { status, why: explainVirsh(stderr).why };
    } catch (thrown) {
      if (!(thrown instanceof VirtuError)) throw thrown;
      return { status: null, why: "the host can't be reached" };
    }
  }
}

function explain(stderr: string): string {
  const found = explainInstall(stderr) ?? explainVirsh(stderr);
  return found.hint ? `${found.why}. ${found.hint}` : found.why;
}

function lost({ outcome }: ExecResult): string {
  return outcome === "timeout" ? "it took too long and was ended" : "the connection broke before the answer";
}

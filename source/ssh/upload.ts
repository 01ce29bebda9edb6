/** Writes a file on a host, whole or not at all. */
import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import type { SFTPWrapper } from "ssh2";
import { VirtuError } from "../errors.ts";
import { plainLine } from "../text.ts";
import { openChannel, StartUnknown } from "./channels.ts";
import { sh } from "./command.ts";
import { execOn } from "./exec.ts";
import { cancelled } from "./limiter.ts";
import type { Session } from "./session.ts";
import type { RequestOptions } from "./types.ts";

export type UploadContent = Uint8Array | { localFile: string };
export type UploadOptions = RequestOptions & { mode?: number; onProgress?: (sent: number, total: number) => void };

interface Source {
  size: number;
  read(at: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

const chunk = 32 * 1024;
/** Packets on the way at once, so that a long link is filled. */
const window = 32;

async function sourceOf(content: UploadContent): Promise<Source> {
  if (content instanceof Uint8Array) {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    return { size: bytes.length, read: async (at, length) => bytes.subarray(at, at + length), close: async () => {} };
  }
  try {
    const handle = await open(content.localFile, "r");
    const { size } = await handle.stat();
    return {
      size,
      read: async (at, length) => {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at);
        return buffer.subarray(0, bytesRead);
      },
      close: () => handle.close(),
    };
  } catch (thrown) {
    const why = (thrown as Error).message;
    throw new VirtuError({ kind: "usage", what: "The file can't be read", where: content.localFile, why });
  }
}

/** SFTP starts in the home directory and knows no `~`. */
function fromHome(remotePath: string): string {
  return remotePath.startsWith("~/") ? remotePath.slice(2) : remotePath;
}

/** Through a temporary name beside the target, then renamed over it. `mode` defaults to 0644. */
export async function uploadOn(
  session: Session,
  content: UploadContent,
  remotePath: string,
  options: UploadOptions = {},
): Promise<void> {
  const target = fromHome(remotePath);
  const source = await sourceOf(content);
  const limit = options.timeoutMs === undefined ? [] : [AbortSignal.timeout(options.timeoutMs)];
  const signal = AbortSignal.any([...limit, ...(options.signal ? [options.signal] : [])]);
  try {
    const temporary = `${target}.${randomBytes(6).toString("hex")}.part`;
    const way = { source, target, temporary, mode: options.mode ?? 0o644, signal, options };
    if (!(await bySftp(session, way))) await byShell(session, way);
  } catch (thrown) {
    if (limit[0]?.aborted) {
      const why = `not done after ${Math.round((options.timeoutMs ?? 0) / 1000)} s`;
      throw new VirtuError({
        kind: "timeout",
        what: `Writing ${remotePath} took too long`,
        where: session.route.label,
        why,
      });
    }
    throw thrown;
  } finally {
    await source.close();
  }
}

interface Way {
  source: Source;
  target: string;
  temporary: string;
  mode: number;
  signal: AbortSignal;
  options: UploadOptions;
}

/** false when the host offers no SFTP. */
async function bySftp(session: Session, way: Way): Promise<boolean> {
  const wanted = { priority: way.options.priority ?? "user", counts: true, signal: way.signal };
  const opened = await openChannel(
    session,
    wanted,
    (client) =>
      new Promise<SFTPWrapper | null>((resolve, reject) => {
        client.sftp((error: (Error & { reason?: unknown }) | undefined, sftp) => {
          if (!error) resolve(sftp);
          else if (session.uses(client) && typeof error.reason !== "number") resolve(null);
          else reject(error);
        });
      }),
  ).catch((thrown: unknown) => {
    if (thrown instanceof StartUnknown) return { channel: null, grant: null };
    throw thrown;
  });
  const { channel: sftp, grant } = opened;
  if (!sftp) {
    grant?.release();
    return false;
  }
  const gone = new Promise<never>((_resolve, reject) => {
    sftp.on("close", () => {
      grant?.release();
      reject(broken(session, way.target));
    });
    way.signal.addEventListener("abort", () => reject(cancelled()), { once: true });
  });
  gone.catch(() => {});
  // Not every server answers the end of an SFTP channel.
  const finish = () => {
    sftp.end();
    grant?.release();
  };
  try {
    await Promise.race([gone, send(sftp, session, way)]);
  } catch (thrown) {
    // What was written so far is of no use to anybody.
    sftp.unlink(way.temporary, finish);
    throw thrown;
  }
  finish();
  return true;
}

async function send(sftp: SFTPWrapper, session: Session, way: Way): Promise<void> {
  const { source, temporary, target, mode } = way;
  const step = <T>(what: string, action: (done: (error: Error | null | undefined, value: T) => void) => void) =>
    new Promise<T>((resolve, reject) => {
      try {
        action((error, value) => (error ? reject(failed(session, target, what, error)) : resolve(value)));
      } catch (thrown) {
        reject(failed(session, target, what, thrown as Error));
      }
    });
  const handle = await step<Buffer>("open", (done) => sftp.open(temporary, "w", { mode: 0o600 }, done));
  let at = 0;
  let sent = 0;
  const worker = async () => {
    while (at < source.size && !way.signal.aborted) {
      const from = at;
      at += chunk;
      const data = await source.read(from, Math.min(chunk, source.size - from));
      if (data.length === 0) return;
      await step<void>("write", (done) =>
        sftp.write(handle, data, 0, data.length, from, (error) => done(error, undefined)),
      );
      sent += data.length;
      way.options.onProgress?.(sent, source.size);
    }
  };
  await Promise.all(Array.from({ length: window }, worker));
  if (way.signal.aborted) throw cancelled();
  await step<void>("set the mode of", (done) => sftp.fchmod(handle, mode, (error) => done(error, undefined)));
  await step<void>("close", (done) => sftp.close(handle, (error) => done(error, undefined)));
  try {
    await step<void>("rename", (done) => sftp.ext_openssh_rename(temporary, target, (error) => done(error, undefined)));
  } catch {
    // Servers without that extension can't rename over a file.
    await new Promise<void>((resolve) => sftp.unlink(target, () => resolve()));
    await step<void>("rename", (done) => sftp.rename(temporary, target, (error) => done(error, undefined)));
  }
}

async function byShell(session: Session, way: Way): Promise<void> {
  const { source, temporary, target, mode, options } = way;
  const data = await source.read(0, source.size);
  const octal = mode.toString(8).padStart(4, "0");
  const result = await execOn(
    session,
    sh`umask 077 && cat > ${temporary} && chmod ${octal} ${temporary} && mv -f ${temporary} ${target} || { rm -f ${temporary}; exit 1; }`,
    { stdin: data, signal: way.signal, priority: options.priority },
  );
  if (result.outcome === "lost") throw broken(session, target);
  if (result.status !== 0)
    throw failed(session, target, "write", new Error(plainLine(result.stderr.trim()) || "it gave no reason"));
  options.onProgress?.(source.size, source.size);
}

function broken(session: Session, target: string): VirtuError {
  const what = `The connection broke while ${target} was written`;
  return new VirtuError({
    kind: "connection",
    what,
    where: session.route.label,
    why: session.info().reason ?? undefined,
  });
}

function failed(session: Session, target: string, action: string, error: Error): VirtuError {
  return new VirtuError({
    kind: "refused",
    what: `The host could not ${action} ${target}`,
    where: session.route.label,
    why: plainLine(error.message),
    hint: "Check that the directory exists and that you may write there.",
  });
}

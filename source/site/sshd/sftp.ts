/** SFTP version 3 over a host's files: what an upload, a download and a listing need. */
import ssh2, { type Attributes, type SFTPWrapper } from "ssh2";
import { baseName, FileError, type Listed, type RegularFile, resolvePath } from "../machine/files.ts";
import type { Machine } from "../machine/machine.ts";
import { modeText } from "../utilities/filing.ts";

const { STATUS_CODE, OPEN_MODE } = ssh2.utils.sftp;

type Handle = { kind: "file"; file: RegularFile } | { kind: "directory"; path: string; listed: boolean };

function attributes(entry: Listed): Attributes {
  const type = { directory: 0o040000, file: 0o100000, device: 0o020000, link: 0o120000 }[entry.kind];
  const seconds = Math.floor(entry.changed / 1000);
  const size = entry.kind === "file" ? entry.content.length : 4096;
  return { mode: type | entry.mode, uid: 0, gid: 0, size, atime: seconds, mtime: seconds };
}

export function serveSftp(machine: Machine, user: string, sftp: SFTPWrapper): void {
  const { files } = machine;
  const home = machine.account(user)?.home ?? "/";
  const handles = new Map<number, Handle>();
  let nextHandle = 1;
  const full = (path: string) => resolvePath(home, path);
  const open = (handle: Handle): Buffer => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(nextHandle);
    handles.set(nextHandle, handle);
    nextHandle += 1;
    return buffer;
  };
  const known = (buffer: Buffer) => (buffer.length === 4 ? handles.get(buffer.readUInt32BE()) : undefined);
  /** Answers with what `run` gives, or with the fault's status. */
  const answer = (id: number, run: () => void) => {
    try {
      run();
    } catch (thrown) {
      if (!(thrown instanceof FileError)) throw thrown;
      sftp.status(
        id,
        thrown.message.startsWith("No such") ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE,
        thrown.message,
      );
    }
  };
  const done = (id: number, run: () => void) =>
    answer(id, () => {
      run();
      sftp.status(id, STATUS_CODE.OK);
    });

  sftp.on("OPEN", (id, path, flags, given) =>
    answer(id, () => {
      const writes = (flags & OPEN_MODE.WRITE) !== 0;
      if (!writes) files.readText(full(path));
      else if ((flags & OPEN_MODE.EXCL) !== 0 && files.find(full(path))) throw new FileError("File exists");
      else if ((flags & OPEN_MODE.CREAT) === 0) files.get(full(path));
      const entry = writes ? files.create(full(path), user, given.mode ?? 0o644) : files.get(full(path));
      if (entry.kind !== "file") throw new FileError("Is a directory");
      if (writes && (flags & OPEN_MODE.TRUNC) !== 0) files.setContent(entry, "");
      sftp.handle(id, open({ kind: "file", file: entry }));
    }),
  );
  sftp.on("WRITE", (id, buffer, offset, data) =>
    done(id, () => {
      const handle = known(buffer);
      if (handle?.kind !== "file") throw new FileError("Bad handle");
      const { content } = handle.file;
      const before = content.slice(0, offset).padEnd(offset, "\0");
      files.setContent(handle.file, before + data.toString("latin1") + content.slice(offset + data.length));
    }),
  );
  sftp.on("READ", (id, buffer, offset, length) => {
    const handle = known(buffer);
    if (handle?.kind !== "file") return sftp.status(id, STATUS_CODE.FAILURE);
    const content = handle.file.made ? handle.file.made() : handle.file.content;
    if (offset >= content.length) return sftp.status(id, STATUS_CODE.EOF);
    return sftp.data(id, Buffer.from(content.slice(offset, offset + length), "latin1"));
  });
  sftp.on("CLOSE", (id, buffer) =>
    done(id, () => {
      if (buffer.length === 4) handles.delete(buffer.readUInt32BE());
    }),
  );
  const stat = (id: number, path: string) => answer(id, () => sftp.attrs(id, attributes(files.get(full(path)))));
  sftp.on("STAT", stat);
  sftp.on("LSTAT", stat);
  sftp.on("FSTAT", (id, buffer) =>
    answer(id, () => {
      const handle = known(buffer);
      if (!handle) throw new FileError("Bad handle");
      sftp.attrs(id, attributes(handle.kind === "file" ? handle.file : files.get(handle.path)));
    }),
  );
  const setMode = (entry: Listed, given: Attributes) => {
    if (given.mode !== undefined) entry.mode = given.mode & 0o7777;
  };
  sftp.on("SETSTAT", (id, path, given) => done(id, () => setMode(files.get(full(path)), given)));
  sftp.on("FSETSTAT", (id, buffer, given) =>
    done(id, () => {
      const handle = known(buffer);
      if (handle?.kind === "file") setMode(handle.file, given);
    }),
  );
  sftp.on("REMOVE", (id, path) => done(id, () => files.remove(full(path))));
  sftp.on("RMDIR", (id, path) => done(id, () => files.remove(full(path))));
  sftp.on("MKDIR", (id, path) => done(id, () => files.makeDirectory(full(path), user)));
  sftp.on("RENAME", (id, from, to) =>
    done(id, () => {
      // Version 3 never replaces; posix-rename does.
      if (files.find(full(to))) throw new FileError("Failure");
      files.rename(full(from), full(to));
    }),
  );
  sftp.on("EXTENDED", (id, name, data) => {
    if (name !== "posix-rename@openssh.com") return sftp.status(id, STATUS_CODE.OP_UNSUPPORTED);
    const first = data.readUInt32BE(0);
    const from = data.subarray(4, 4 + first).toString("utf8");
    const to = data.subarray(8 + first).toString("utf8");
    return done(id, () => files.rename(full(from), full(to)));
  });
  sftp.on("REALPATH", (id, path) => {
    const filename = full(path);
    sftp.name(id, [{ filename, longname: filename, attrs: {} as Attributes }]);
  });
  sftp.on("OPENDIR", (id, path) =>
    answer(id, () => {
      files.directory(full(path));
      sftp.handle(id, open({ kind: "directory", path: full(path), listed: false }));
    }),
  );
  sftp.on("READDIR", (id, buffer) =>
    answer(id, () => {
      const handle = known(buffer);
      if (handle?.kind !== "directory") throw new FileError("Bad handle");
      if (handle.listed) return sftp.status(id, STATUS_CODE.EOF);
      handle.listed = true;
      const rows = files.names(handle.path).map((filename) => {
        const entry = files.get(`${handle.path}/${filename}`);
        return {
          filename,
          longname: `${modeText(entry)} 1 ${entry.owner} ${baseName(filename)}`,
          attrs: attributes(entry),
        };
      });
      return sftp.name(id, rows);
    }),
  );
}

/**
 * The one error class that users are meant to read. Everything that can go wrong for a reason outside the program is
 * thrown as one of these, so that the TUI and the headless commands can say the same four things: what failed, where,
 * why, and what to do.
 */

/** Broad classes of failure; they choose the exit status and the colour, never the text. */
export type ErrorKind =
  /** The user's input or settings are wrong; nothing was sent anywhere. */
  | "usage"
  /** A host can't be reached, or a session broke before the answer. */
  | "connection"
  /** The host refused who we are. */
  | "authentication"
  /** The host is not who it was. */
  | "host-key"
  /** A remote program said no. */
  | "refused"
  /** A remote program printed what no parser knows. */
  | "unparsed"
  /** It took longer than its time limit. */
  | "timeout"
  /** The user, or a caller's AbortSignal, cancelled it. */
  | "cancelled"
  | "failed";

export interface ErrorFacts {
  kind: ErrorKind;
  /** What failed, one sentence without a full stop: `oarsub refused the reservation`. */
  what: string;
  /** Host, `file:line`, or field that it is about. */
  where?: string;
  /** Why, in the words of the user. */
  why?: string;
  /** What to do now. */
  hint?: string;
  /** The remote program's own text, shown under the rest. Already free of secrets. */
  detail?: string;
}

export class VirtuError extends Error {
  readonly kind: ErrorKind;
  readonly what: string;
  readonly where: string | undefined;
  readonly why: string | undefined;
  readonly hint: string | undefined;
  readonly detail: string | undefined;

  constructor(facts: ErrorFacts, options?: ErrorOptions) {
    super([facts.where ? `${facts.where}: ${facts.what}` : facts.what, facts.why].filter(Boolean).join(": "), options);
    this.name = "VirtuError";
    this.kind = facts.kind;
    this.what = facts.what;
    this.where = facts.where;
    this.why = facts.why;
    this.hint = facts.hint;
    this.detail = facts.detail;
  }

  /** The documented shape of an error with `--json`. */
  toJSON(): ErrorFacts {
    const { kind, what, where, why, hint, detail } = this;
    return { kind, what, where, why, hint, detail };
  }
}

/** What this machine says of its files, in words; the codes are POSIX'. */
const fileTroubles: Readonly<Record<string, string>> = {
  EACCES: "you have no right to it (permission denied)",
  EPERM: "you have no right to it (operation not permitted)",
  ENOENT: "there is no such file or directory",
  ENOTDIR: "a part of its path is not a directory",
  EISDIR: "it is a directory",
  ENOSPC: "the disk is full",
  EDQUOT: "your quota on the disk is used up",
  EROFS: "the file system is read-only",
  EIO: "the disk can't be read or written (input/output error)",
  EMFILE: "virtu has too many files open",
  ENAMETOOLONG: "the name is too long",
};

/** Why something went wrong here, in words; of a `VirtuError` all that it says. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { code } = thrown as NodeJS.ErrnoException;
  return (code !== undefined && fileTroubles[code]) || thrown.message;
}

/** Any thrown value as a `VirtuError`, so that callers have one thing to show. */
export function toVirtuError(thrown: unknown, what = "Something unexpected went wrong"): VirtuError {
  if (thrown instanceof VirtuError) return thrown;
  if (thrown instanceof Error && thrown.name === "AbortError") {
    return new VirtuError({ kind: "cancelled", what: "Cancelled" }, { cause: thrown });
  }
  if (thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") {
    // Parts are loaded when they are first wanted: a newer virtu may have been installed over this one since it started.
    return new VirtuError(
      {
        kind: "failed",
        what: "A part of virtu can't be loaded",
        why: "its files were replaced or taken away while it ran",
        hint: "Leave virtu and start it again; what runs on the hosts goes on.",
        detail: thrown.message,
      },
      { cause: thrown },
    );
  }
  return new VirtuError({ kind: "failed", what, why: reasonOf(thrown) }, { cause: thrown });
}

/** Reads and checks `[user@]host[:port]` as people write it. Pure. */
import { VirtuError } from "../errors.ts";

export interface NamedHost {
  user: string | null;
  host: string;
  port: number | null;
}

// What OpenSSH refuses too: these reach a shell through a ProxyCommand's %h and %r.
const unsafe = /[\s\u0000-\u001f\u007f'"`$\\;&<>|(){}]/;

function refuse(name: string, why: string): VirtuError {
  return new VirtuError({
    kind: "usage",
    what: "That is not a host name",
    where: JSON.stringify(name).slice(1, -1) || "(empty)",
    why,
    hint: "Write [user@]host[:port], or a Host of your ssh configuration.",
  });
}

function portOf(name: string, text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw refuse(name, "its port is not between 1 and 65535");
  return port;
}

/** Also takes `ssh://user@host:port`, `[::1]:22` and a bare IPv6 address. Throws kind `usage`. */
export function parseHostName(name: string): NamedHost {
  let rest = name.startsWith("ssh://") ? name.slice(6).replace(/\/$/, "") : name;
  let user: string | null = null;
  const at = rest.lastIndexOf("@");
  if (at >= 0) {
    user = rest.slice(0, at);
    rest = rest.slice(at + 1);
    if (user === "" || user.startsWith("-") || unsafe.test(user)) throw refuse(name, "its user can't be a login name");
  }
  let port: number | null = null;
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(rest);
  if (bracketed) {
    rest = bracketed[1] ?? "";
    if (bracketed[2] !== undefined) port = portOf(name, bracketed[2]);
  } else {
    const colon = rest.indexOf(":");
    // More than one colon is an IPv6 address.
    if (colon >= 0 && colon === rest.lastIndexOf(":")) {
      port = portOf(name, rest.slice(colon + 1));
      rest = rest.slice(0, colon);
    }
  }
  if (rest === "") throw refuse(name, "the host is missing");
  if (rest.startsWith("-")) throw refuse(name, "it starts with a dash");
  if (unsafe.test(rest)) throw refuse(name, "it holds a character that no host name has");
  return { user, host: rest, port };
}

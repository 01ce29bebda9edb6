/** ssh from one node to another: by a key that is let in there, never by a password. */
import type { Machine, Program } from "../machine/machine.ts";
import { shellStatus } from "../machine/process.ts";
import { resolveName } from "../utilities/about.ts";
import type { Clusters } from "../world/clusters.ts";

/** Whether root of the one host may log in on the other by one of its keys. */
export function letsIn(from: Machine, to: Machine): boolean {
  const authorized = "/root/.ssh/authorized_keys";
  const known = to.files.find(authorized) ? to.files.readText(authorized) : "";
  return ["id_rsa", "id_ed25519", "id_ecdsa"].some((name) => {
    const file = `/root/.ssh/${name}.pub`;
    const body = from.files.find(file) ? from.files.readText(file).split(" ")[1] : undefined;
    return body !== undefined && known.includes(body);
  });
}

const valued = /^-[bcDEeFIiJLlmOopQRSWw]$/;

export function ssh(clusters: Clusters): Program {
  return async ({ args, machine, process, err }) => {
    let index = 0;
    for (; args[index]?.startsWith("-"); index += 1) if (valued.test(args[index] ?? "")) index += 1;
    const name = (args[index] ?? "").replace(/^.*@/, "");
    const command = args.slice(index + 1).join(" ");
    const found = resolveName(machine, name);
    const system = found ? clusters.systemAt(found.address) : null;
    const peer = system ? null : clusters.peer(machine, name);
    if (!found && !peer) {
      await err(`ssh: Could not resolve hostname ${name}: Temporary failure in name resolution\n`);
      return 255;
    }
    const target = system?.machine ?? peer;
    if (!target) {
      await err(`ssh: connect to host ${name} port 22: No route to host\n`);
      return 255;
    }
    if (!peer && !letsIn(machine, target)) {
      await err(`root@${name}: Permission denied (publickey,password).\n`);
      return 255;
    }
    await process.work(0.1);
    const shell = target.lookUp("sh", undefined);
    if (!shell) return 127;
    const remote = target.create({ user: "root", title: command, files: process.dupFiles(), newSession: true });
    const ended = target.run(remote, () => shell.program(target.call(remote, "sh", ["-c", command])));
    try {
      return shellStatus(await process.guard(ended));
    } finally {
      remote.signal("HUP");
    }
  };
}

/** Private OpenSSH servers on the loopback: a jump host and a target, each with keys and a configuration of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { type Daemon, daemon, freePort, installPackages, must, Teardown, until } from "../lab.ts";

export interface Sshd {
  port: number;
  directory: string;
  /** Its public host key, as in known_hosts without the host. */
  hostKey: string;
  process: Daemon;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface Lab {
  directory: string;
  teardown: Teardown;
  /** Login name of the ordinary user; its shell is dash, its password `password`. */
  user: string;
  password: string;
  /** Private key that every server takes, and one with the passphrase `passphrase` that they take too. */
  key: string;
  lockedKey: string;
  passphrase: string;
  sshd(name: string, options?: readonly string[]): Promise<Sshd>;
  file(name: string, text: string): string;
}

async function accepts(port: number): Promise<boolean> {
  const socket = net.connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export async function openLab(): Promise<Lab> {
  await installPackages("openssh-server", "openssh-client", "procps");
  const teardown = new Teardown();
  const directory = teardown.directory("openssh");
  chmodSync(directory, 0o755);
  // sshd wants this directory for its unprivileged half; nothing of ours is in it.
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const user = `virtu-lab-${process.pid}`;
  const password = "correct horse";
  const home = join(directory, "home");
  await must("useradd", ["--create-home", "--home-dir", home, "--shell", "/bin/dash", user]);
  teardown.add(async () => {
    await must("userdel", ["--force", user]);
  });
  await must("chpasswd", [], { input: `${user}:${password}\n` });
  const key = join(directory, "key");
  const lockedKey = join(directory, "locked");
  const passphrase = "open sesame";
  await must("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  await must("ssh-keygen", ["-q", "-t", "rsa", "-b", "2048", "-N", passphrase, "-f", lockedKey]);
  const authorized = join(directory, "authorized_keys");
  await must("sh", ["-c", 'cat "$1.pub" "$2.pub" > "$3"', "sh", key, lockedKey, authorized]);

  const sshd = async (name: string, options: readonly string[] = []): Promise<Sshd> => {
    const own = join(directory, name);
    mkdirSync(own);
    const hostKeyFile = join(own, "host_key");
    await must("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", hostKeyFile]);
    const port = await freePort();
    const config = join(own, "sshd_config");
    const lines = [
      ...options,
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${hostKeyFile}`,
      `AuthorizedKeysFile ${authorized}`,
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin yes",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      // A second line of that name would be an error.
      ...(options.some((line) => line.startsWith("Subsystem ")) ? [] : ["Subsystem sftp internal-sftp"]),
      `AllowUsers ${user} root`,
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    const begin = async () => {
      const process = daemon(teardown, join(own, "out"), "/usr/sbin/sshd", [
        "-D",
        "-E",
        join(own, "log"),
        "-f",
        config,
      ]);
      await until(`sshd ${name} listens`, () => accepts(port));
      return process;
    };
    const made: Sshd = {
      port,
      directory: own,
      hostKey: (await must("cat", [`${hostKeyFile}.pub`])).trim(),
      process: await begin(),
      stop: () => made.process.stop(),
      start: async () => {
        made.process = await begin();
      },
    };
    return made;
  };
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return { directory, teardown, user, password, key, lockedKey, passphrase, sshd, file };
}

/** An agent that holds these keys; gives its socket. */
export async function agentWith(lab: Lab, keys: readonly string[]): Promise<string> {
  const socket = join(lab.directory, `agent-${keys.length}`);
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  lab.teardown.add(() => agent.kill());
  await until(
    "the agent answers",
    async () => (await must("sh", ["-c", '[ -S "$1" ] && echo yes || true', "sh", socket])) === "yes",
  );
  for (const key of keys) await must("ssh-add", ["-q", key], { env: { SSH_AUTH_SOCK: socket } });
  return socket;
}

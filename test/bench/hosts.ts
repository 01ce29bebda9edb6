/**
 * The hosts of the bench, in a process of their own: making an answer of ten thousand domains takes as long as a frame, and
 * would count as the program's. It says where they are, and ends with its standard input.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type HostSpec, type LibvirtHosts, startLibvirtHosts } from "../e2e/libvirt-host.ts";

export type Hosts = Pick<LibvirtHosts, "sshConfigFile" | "configDir"> & { end(): Promise<void> };

export function hostOf(count: number, eventsPerSecond = 0): HostSpec {
  return {
    name: "hv1",
    eventsPerSecond,
    domains: Array.from({ length: count }, (_, index) => ({
      name: `vm-${index + 1}.lab.example.org`,
      running: index % 5 !== 0,
      memoryMiB: 256 * (1 + (index % 8)),
      vcpus: 1 + (index % 4),
    })),
  };
}

/** Starts such a process with one host of `count` domains. */
export async function startHosts(count: number, eventsPerSecond = 0): Promise<Hosts> {
  const args = ["test/run.mjs", "test/bench/hosts.ts", String(count), String(eventsPerSecond)];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const gone = once(child, "exit");
  if (!child.stdout) throw new Error("the hosts have no output");
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), "line"),
    gone.then(() => {
      throw new Error("the hosts did not start");
    }),
  ])) as [string];
  return {
    ...(JSON.parse(line) as Pick<LibvirtHosts, "sshConfigFile" | "configDir">),
    async end() {
      child.stdin?.end();
      await gone;
    },
  };
}

export async function main([count, eventsPerSecond]: readonly string[]): Promise<number> {
  const hosts = await startLibvirtHosts([hostOf(Number(count), Number(eventsPerSecond))]);
  console.log(JSON.stringify({ sshConfigFile: hosts.sshConfigFile, configDir: hosts.configDir }));
  process.stdin.resume();
  await once(process.stdin, "end");
  await hosts.end();
  return 0;
}

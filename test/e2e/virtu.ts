/** The built program in a pseudo-terminal, on libvirt hosts of this process. */
import { onTestFinished } from "vitest";
import { type OpenOptions, openProgram, type TestTerminal } from "../terminal.ts";
import { type HostSpec, type LibvirtHosts, startLibvirtHosts } from "./libvirt-host.ts";

/** Opens `virtu ARGS…`; ended after the test. */
export function openInTest(args: readonly string[], options?: OpenOptions): TestTerminal {
  const terminal = openProgram(args, options);
  onTestFinished(async () => {
    terminal.kill("SIGKILL");
    await terminal.exit;
  });
  return terminal;
}

export interface Opened {
  terminal: TestTerminal;
  hosts: LibvirtHosts;
}

/** Opens `virtu --host …` on all of these hosts; both are ended after the test. */
export async function openVirtu(
  specs: readonly HostSpec[],
  options: OpenOptions & { more?: readonly string[] } = {},
): Promise<Opened> {
  const hosts = await startLibvirtHosts(specs);
  onTestFinished(() => hosts.end());
  const names = specs.flatMap(({ name }) => ["--host", name]);
  const ways = { sshConfig: hosts.sshConfigFile, config: hosts.configDir };
  return { terminal: openInTest([...names, ...(options.more ?? [])], { ...ways, ...options }), hosts };
}

export const domains = (count: number, running: (index: number) => boolean = () => true) =>
  Array.from({ length: count }, (_, index) => ({ name: `vm${index + 1}`, running: running(index) }));

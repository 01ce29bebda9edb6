/** The built program in a pseudo-terminal, on libvirt hosts of this process. */
import { onTestFinished } from "vitest";
import { openTerminal, type TerminalOptions, type TestTerminal } from "../terminal.ts";
import { type HostSpec, type LibvirtHosts, startLibvirtHosts } from "./libvirt-host.ts";

/** The program under test: the built one, or any other (a packed and installed one) that VIRTU_PROGRAM names. */
export const program = process.env["VIRTU_PROGRAM"] ?? "dist/cli.js";

export interface Opened {
  terminal: TestTerminal;
  hosts: LibvirtHosts;
}

/** Opens `virtu --host …` on all of these hosts; both are ended after the test. */
export async function openVirtu(
  specs: readonly HostSpec[],
  options: Partial<TerminalOptions> & { more?: readonly string[] } = {},
): Promise<Opened> {
  const hosts = await startLibvirtHosts(specs);
  const names = specs.flatMap(({ name }) => ["--host", name]);
  const terminal = openTerminal({
    command: process.execPath,
    args: [program, ...names, ...(options.more ?? []), "-F", hosts.sshConfigFile, "--config", hosts.configDir],
    ...options,
  });
  onTestFinished(async () => {
    terminal.kill("SIGKILL");
    await terminal.exit;
    await hosts.end();
  });
  return { terminal, hosts };
}

export const domains = (count: number, running: (index: number) => boolean = () => true) =>
  Array.from({ length: count }, (_, index) => ({ name: `vm${index + 1}`, running: running(index) }));

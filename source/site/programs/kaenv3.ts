/** kaenv3 3.3.11: what environments there are. */
import type { Program } from "../machine/machine.ts";
import { asYaml, newest, type RecordedEnvironment, visibleTo } from "../world/environments.ts";
import { KaError, said } from "./ka-error.ts";

const header =
  "Name                  Version User        Description\n####                  ####### ####        ###########\n";

function tableRow({ name, version, user, description }: RecordedEnvironment): string {
  const text = description.length > 38 ? `${description.slice(0, 35)}...` : description;
  return `${name.padEnd(21)} ${String(version).padEnd(7)} ${user.padEnd(11)} ${text}\n`;
}

export const kaenv3: Program = (call) =>
  said(call, async () => {
    const { args, process } = call;
    const value = (...names: string[]) => {
      const index = args.findIndex((arg) => names.includes(arg));
      return index < 0 ? null : (args[index + 1] ?? null);
    };
    const user = value("-u", "--user");
    const version = value("--env-version");
    const visible = visibleTo(process.user).filter((one) => user === null || one.user === user);
    const printed = value("-p", "--print");
    if (printed !== null) {
      const named = visible.filter((one) => one.name === printed);
      const [found] = version === null ? newest(named) : named.filter((one) => String(one.version) === version);
      if (!found) throw new KaError("Resource not found /environments");
      await call.out(asYaml(found));
      return 0;
    }
    if (!args.includes("-l") && !args.includes("--list")) throw new KaError("You must choose an operation");
    const index = args.findIndex((arg) => arg === "-l" || arg === "--list");
    const pattern = args[index + 1] !== undefined && !args[index + 1]?.startsWith("-") ? (args[index + 1] ?? "") : null;
    const expression =
      pattern === null ? null : new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("%", ".*")}$`);
    const named = visible.filter((one) => !expression || expression.test(one.name));
    const everyVersion = args.includes("-s") || args.includes("--show-all-versions");
    const rows = everyVersion ? named : newest(named);
    await call.out(rows.length === 0 ? "No environment has been found\n" : header + rows.map(tableRow).join(""));
    return 0;
  });

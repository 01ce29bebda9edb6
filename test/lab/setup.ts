/** Runs once before all labs: says in one message all that is missing, instead of letting each test fail on it. */
import { existsSync, readFileSync } from "node:fs";
import { program, run } from "../program.ts";

export default async function setup(): Promise<void> {
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push("root (run it as root, on a machine that you can throw away)");
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID=debian$/m.test(release) || !existsSync("/usr/bin/apt-get")) {
    missing.push(`Debian (this is ${/^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? process.platform})`);
  }
  if (!existsSync(program)) missing.push("the built program (npm run build)");
  if (missing.length === 0) {
    const unshared = await run("unshare", ["--net", "--mount", "--uts", "--pid", "--fork", "true"]).catch(() => null);
    if (unshared?.status !== 0) missing.push("the right to make namespaces (a container needs CAP_SYS_ADMIN)");
  }
  if (missing.length === 0) return;
  const list = missing.map((item) => `  - ${item}`).join("\n");
  console.error(`The lab brings up real daemons from Debian's packages. It can't run here; missing:\n${list}`);
  // Not thrown: the runner would first say that it found no tests.
  process.exit(1);
}

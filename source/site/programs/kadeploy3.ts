/** kadeploy3 3.3.11: the client of the deployment server. */
import { FileError, resolvePath } from "../machine/files.ts";
import type { Call, Program } from "../machine/machine.ts";
import { environments, newest, type RecordedEnvironment, visibleTo } from "../world/environments.ts";
import { unfold } from "../world/fold.ts";
import { type Deployment, type Kadeploy, summary } from "../world/kadeploy.ts";
import type { Oar } from "../world/oar.ts";
import type { Node } from "../world/testbed.ts";
import { KaError, said } from "./ka-error.ts";

interface Options {
  nodes: string[];
  environment: string | null;
  version: number | null;
  user: string | null;
  image: string | null;
  keyFile: string | null;
  okFile: string | null;
  koFile: string | null;
  workflowFile: string | null;
  noWait: boolean;
  verbosity: number;
}

const valued = new Set([
  "-f",
  "--file",
  "-m",
  "--machine",
  "-e",
  "--env-name",
  "-u",
  "--user",
  "--env-version",
  "-a",
  "--env-file",
]);
for (const option of [
  "-o",
  "--output-ok-nodes",
  "-n",
  "--output-ko-nodes",
  "--write-workflow-id",
  "-V",
  "--verbose-level",
])
  valued.add(option);
for (const option of ["-p", "-b", "-s", "--vlan", "-w", "-r", "-c", "-S"]) valued.add(option);
const alone = new Set(["--no-wait", "--force", "--no-kexec", "-d", "--debug-mode", "--dry-run"]);

async function readNodes(call: Call, path: string): Promise<string[]> {
  try {
    const text =
      path === "-"
        ? await call.process.readAll()
        : call.machine.files.readText(resolvePath(call.process.directory, path));
    return text.split(/\s+/).filter(Boolean);
  } catch (thrown) {
    if (thrown instanceof FileError) throw new KaError(`The file ${path} cannot be read`);
    throw thrown;
  }
}

async function parse(call: Call): Promise<Options> {
  const options: Options = {
    nodes: [],
    environment: null,
    version: null,
    user: null,
    image: null,
    keyFile: null,
    okFile: null,
    koFile: null,
    workflowFile: null,
    noWait: false,
    verbosity: 3,
  };
  const args = call.args.flatMap((arg) =>
    /^--\w[\w-]*=/.test(arg) ? [arg.replace(/=.*$/, ""), arg.replace(/^[^=]*=/, "")] : [arg],
  );
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "-k" || arg === "--key") {
      const next = args[index + 1];
      const hasFile = next !== undefined && !next.startsWith("-");
      if (hasFile) index += 1;
      options.keyFile = hasFile ? next : `${call.process.env.get("HOME") ?? ""}/.ssh/authorized_keys`;
      continue;
    }
    if (alone.has(arg)) {
      options.noWait ||= arg === "--no-wait";
      continue;
    }
    if (!valued.has(arg)) throw new KaError(`Option parsing error: invalid option: ${arg}`);
    const value = args[++index];
    if (value === undefined) throw new KaError(`Option parsing error: missing argument: ${arg}`);
    if (arg === "-f" || arg === "--file") options.nodes.push(...(await readNodes(call, value)));
    else if (arg === "-m" || arg === "--machine") options.nodes.push(...unfold(value));
    else if (arg === "-e" || arg === "--env-name") options.environment = value;
    else if (arg === "-u" || arg === "--user") options.user = value;
    else if (arg === "--env-version") options.version = Number(value);
    else if (arg === "-a" || arg === "--env-file") options.image = value;
    else if (arg === "-o" || arg === "--output-ok-nodes") options.okFile = value;
    else if (arg === "-n" || arg === "--output-ko-nodes") options.koFile = value;
    else if (arg === "--write-workflow-id") options.workflowFile = value;
    else if (arg === "-V" || arg === "--verbose-level") options.verbosity = Number(value);
  }
  return options;
}

function write(call: Call, path: string, text: string): void {
  call.machine.files.writeText(resolvePath(call.process.directory, path), text, call.process.user);
}

function readKey(call: Call, path: string): string {
  try {
    return call.machine.files.readText(resolvePath(call.process.directory, path));
  } catch (thrown) {
    if (thrown instanceof FileError) throw new KaError(`The file ${path} cannot be read`);
    throw thrown;
  }
}

function imageEnvironment(call: Call, path: string): RecordedEnvironment {
  const full = resolvePath(call.process.directory, path);
  let text: string;
  try {
    text = call.machine.files.readText(full);
  } catch (thrown) {
    if (thrown instanceof FileError) throw new KaError(`Unable to grab the file ${full}`);
    throw thrown;
  }
  const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(text)?.[1]?.trim();
  const name = field("name");
  // The form of 2012 (`tarball : FILE|tgz`) is not taken any more.
  if (!name || !/^image\s*:\s*$/m.test(text))
    throw new KaError("Invalid environment description -- 'image' field is missing", 7);
  const known = environments.find((one) => name.startsWith(one.name.split("-")[0] ?? "")) ?? environments.at(-1);
  if (!known) throw new KaError("Resource not found /environments");
  return {
    ...known,
    name,
    version: Number(field("version") ?? 1),
    user: call.process.user,
    description: field("description") ?? "",
  };
}

function chosenEnvironment(call: Call, options: Options): RecordedEnvironment {
  if (options.image !== null) return imageEnvironment(call, options.image);
  const named = visibleTo(call.process.user).filter(
    (one) => one.name === options.environment && (options.user === null || one.user === options.user),
  );
  const [found] = options.version === null ? newest(named) : named.filter((one) => one.version === options.version);
  if (!found) throw new KaError("Resource not found /environments");
  return found;
}

function chosenNodes(options: Options, oar: Oar): Node[] {
  const names = [...new Set(options.nodes)];
  if (names.length === 0) throw new KaError("No node is chosen");
  const nodes = names.map((name) => oar.testbed.node(name));
  const unknown = names.filter((_, index) => !nodes[index]);
  if (unknown.length > 0) throw new KaError(`The nodes ${unknown.join(", ")} does not belongs to any server`);
  return nodes.flatMap((node) => node ?? []);
}

/** Ruby keeps what it writes to a file or pipe until it has 8 KiB, unless it was told otherwise (`RUBYOPT=-r…`). */
function writer(call: Call): { line(text: string): Promise<void>; flush(): Promise<void> } {
  const onTerminal = call.process.files.get(1)?.isTerminal === true;
  const live = onTerminal || (call.process.env.get("RUBYOPT") ?? "").includes("-r");
  let kept = "";
  const flush = async () => {
    const text = kept;
    kept = "";
    await call.out(text);
  };
  return {
    flush,
    line: async (text) => {
      kept += `${text}\n`;
      if (live || kept.length >= 8192) await flush();
    },
  };
}

/** The lines of a verbosity: 1 and 2 have the macro-steps only. */
function isShown(line: string, verbosity: number): boolean {
  return verbosity >= 3 || !/^(?:\[[\w.]+\] )? {2}/.test(line);
}

async function follow(
  call: Call,
  kadeploy: Kadeploy,
  deployment: Deployment,
  output: ReturnType<typeof writer>,
  options: Options,
): Promise<number> {
  const { process } = call;
  let interrupted = false;
  let wake = () => {};
  process.handlers.set("INT", () => {
    interrupted = true;
    wake();
  });
  const off = deployment.watch(() => wake());
  let shown = 0;
  try {
    for (;;) {
      if (interrupted) {
        deployment.abort();
        kadeploy.deployments.delete(deployment.id);
        await call.out("SIGINT trapped\n");
        return 1;
      }
      const line = deployment.lines[shown];
      if (line !== undefined) {
        shown += 1;
        if (isShown(line, options.verbosity)) await output.line(line);
      } else if (deployment.state !== "running") return 0;
      else {
        await process.guard(
          new Promise<void>((resolve) => {
            wake = resolve;
            if (interrupted || deployment.lines.length > shown || deployment.state !== "running") resolve();
          }),
        );
      }
    }
  } finally {
    off();
  }
}

async function deploy(call: Call, kadeploy: Kadeploy, oar: Oar): Promise<number> {
  const options = await parse(call);
  // Both files are there, empty, from the beginning; they are filled at the end.
  for (const file of [options.okFile, options.koFile]) if (file !== null) write(call, file, "");
  if (options.environment === null && options.image === null) throw new KaError("You must choose an environment");
  const nodes = chosenNodes(options, oar);
  const keys = options.keyFile === null ? "" : readKey(call, options.keyFile);
  const environment = chosenEnvironment(call, options);
  const mine = (node: Node) => {
    const job = oar.holder(node);
    return (
      call.process.user === "root" ||
      (job?.owner === call.process.user && job.state === "Running" && job.types.includes("deploy"))
    );
  };
  if (!nodes.every(mine))
    throw new KaError("You do not have sufficient rights to perform the operation on all the nodes", 6);
  const started = kadeploy.start({ nodes, environment, keys, user: call.process.user });
  if (!started) throw new KaError("No element has been modified -- All the nodes have been discarded ...", 14);
  const { deployment } = started;
  if (options.workflowFile !== null) write(call, options.workflowFile, `${deployment.id}\n`);
  if (options.noWait) {
    await call.out(`${deployment.id} /deployment/${deployment.id}/\n`);
    return 0;
  }
  const output = writer(call);
  await output.line(`Deployment #${deployment.id} started`);
  if (options.keyFile !== null)
    await output.line(`Grab the key file ${resolvePath(call.process.directory, options.keyFile)}`);
  if (options.image !== null) await output.line("Grab the tarball file server:///grid5000/images/user.tgz");
  const status = await follow(call, kadeploy, deployment, output, options);
  if (status !== 0) return status;
  await output.flush();
  await call.out(summary(deployment));
  if (options.okFile !== null) write(call, options.okFile, deployment.ok.map((node) => `${node.name}\n`).join(""));
  if (options.koFile !== null)
    write(call, options.koFile, deployment.failures.map(({ node }) => `${node.name}\n`).join(""));
  kadeploy.deployments.delete(deployment.id);
  // 0 whatever became of the nodes.
  return 0;
}

export function kadeploy3(kadeploy: Kadeploy, oar: Oar): Program {
  return (call) => said(call, () => deploy(call, kadeploy, oar));
}

/**
 * A testbed's site: the real OAR with nodes that are bare until they are deployed on. Its kadeploy3 is a stand-in with the
 * real one's options and words: deploying starts the nodes anew from their root file system.
 */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { must, type Teardown } from "../lab.ts";
import { type LabNode, type Network, startNode } from "../nodes.ts";
import { type OarLab, oarLab } from "../oar/oar.ts";

export interface Site {
  oar: OarLab;
  /** For `-F`: host `frontend`, and the nodes behind it. */
  sshConfig: string;
  /** Public key that `--key` is to give to the nodes. */
  key: string;
  /** Names of the nodes as OAR has them. */
  names: readonly string[];
  /** A node that has been deployed on, by its name in OAR. */
  node(name: string): LabNode;
  /** How often something was deployed. */
  deployments(): number;
}

export interface SiteOptions {
  nodes: number;
  root: string;
  repository: string;
}

/** Where up.sh puts frontend and nodes. */
const net = "10.158.66";
const domain = "oar.lab";

export async function openSite(teardown: Teardown, options: SiteOptions): Promise<Site> {
  const oar = await oarLab(teardown, options.nodes);
  const directory = teardown.directory("site");
  const names = Array.from({ length: options.nodes }, (_, index) => `paravance-${index + 1}.${domain}`);
  const network: Network = {
    prefix: ["env"],
    bridge: "virtuoar0",
    domain,
    directory,
    identity: join(oar.stateDir, "node.key"),
    address: (name) => `${net}.${10 + Number(name.replace(/^\D+/, ""))}`,
    hosts: () => "",
  };
  const running = new Map<string, LabNode>();
  let deployments = 0;

  const reset = async (name: string, keys: string) => {
    await running.get(name)?.stop();
    running.delete(name);
    const [short = ""] = name.split(".");
    const { root, repository } = options;
    running.set(name, await startNode(teardown, network, { name: short, root, bare: { repository, keys } }));
  };

  // For those who name the nodes as hosts. (What belongs to the job keeps the keys in the job's own file.)
  const knownHosts = join(directory, "known_hosts");
  const writeKnownHosts = async () => {
    const frontend = readFileSync(join(oar.stateDir, "known_hosts"), "utf8").split("\n", 1);
    const keys = await Promise.all([...running].map(([name, node]) => node.knownHosts(name)));
    writeFileSync(knownHosts, `${frontend}\n${keys.join("")}`);
  };
  const sshConfig = join(directory, "ssh_config");
  writeFileSync(sshConfig, readFileSync(oar.sshConfig, "utf8").replace(join(oar.stateDir, "known_hosts"), knownHosts));

  const deploy = async (socket: Socket, folder: string, args: readonly string[]) => {
    const after = (option: string) => resolve(folder, args[args.indexOf(option) + 1] ?? "");
    const wanted = readFileSync(after("-f"), "utf8").split(/\s+/).filter(Boolean);
    const key = args[args.indexOf("-k") + 1]?.startsWith("-") ? null : after("-k");
    const keys = readFileSync(key ?? `/home/${oar.user}/.ssh/authorized_keys`, "utf8");
    const id = `D-lab-${++deployments}`;
    const say = (text: string) => socket.write(`${text}\n`);
    const asUser = (path: string, text: string) =>
      must("setpriv", ["--reuid", oar.user, "--clear-groups", "tee", path], { input: text });
    await asUser(after("--write-workflow-id"), id);
    say(`Deployment #${id} started
Grab the key file ${key ?? "~/.ssh/authorized_keys"}
Launching a deployment on ${wanted.join(", ")}
Performing a Deploy[SetDeploymentEnvUntrusted] step
  switch_pxe
  reboot
   * Performing a soft reboot on ${wanted.join(", ")}
  wait_reboot
End of step Deploy[SetDeploymentEnvUntrusted] after 1s
Performing a Deploy[BroadcastEnvKascade] step
  send_environment
   * Broadcast time: 1s
End of step Deploy[BroadcastEnvKascade] after 1s
Performing a Deploy[BootNewEnvKexec] step
  kexec
  wait_reboot`);
    const started = performance.now();
    await Promise.all(wanted.map((name) => reset(name, keys)));
    await writeKnownHosts();
    const seconds = Math.round((performance.now() - started) / 1000);
    await asUser(after("-o"), wanted.map((name) => `${name}\n`).join(""));
    await asUser(after("-n"), "");
    say(`End of step Deploy[BootNewEnvKexec] after ${seconds}s
End of deployment for ${wanted.join(", ")} after ${seconds + 2}s
End of deployment on cluster paravance after ${seconds + 2}s
Deployment #${id} done

The deployment is successful on nodes
${wanted.join("\n")}
#exit 0`);
  };

  const path = join(directory, "kadeploy.sock");
  const server = createServer((socket) => {
    let text = "";
    socket.setEncoding("utf8").on("data", (data: string) => {
      text += data;
      if (!text.endsWith("\n\n")) return;
      const [folder = "", ...args] = text.trimEnd().split("\n");
      deploy(socket, folder, args).then(
        () => socket.end(),
        (thrown: unknown) => socket.end(`${thrown}\n#exit 1\n`),
      );
    });
    socket.on("error", () => {});
  });
  await writeKnownHosts();
  await new Promise<void>((listening) => server.listen(path, listening));
  teardown.add(() => new Promise((closed) => server.close(closed)));
  chmodSync(path, 0o777);
  chmodSync(directory, 0o755);

  const script = join(directory, "kadeploy3.pl");
  writeFileSync(script, readFileSync(join(import.meta.dirname, "kadeploy3.pl")));
  const program = join(oar.stateDir, "bin", "kadeploy3");
  writeFileSync(program, `#!/bin/sh\nexec perl ${script} ${path} "$@"\n`);
  chmodSync(program, 0o755);
  teardown.add(() => must("rm", ["-f", program]));

  return {
    oar,
    sshConfig,
    key: join(oar.stateDir, "node.key.pub"),
    names,
    node(name) {
      const node = running.get(name);
      if (!node) throw new Error(`${name} has not been deployed on`);
      return node;
    },
    deployments: () => deployments,
  };
}

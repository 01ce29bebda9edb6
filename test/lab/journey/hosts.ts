/** Bare nodes that nobody reserved: any hosts that ssh reaches. */
import { must, type Teardown } from "../lab.ts";
import { type LabNode, type Network, openNetwork, startNode, writeSshConfig } from "../nodes.ts";
import { software } from "./software.ts";

export interface BareHosts {
  network: Network;
  nodes: readonly LabNode[];
  sshConfig: string;
}

export async function openHosts(teardown: Teardown, suite: string, names: readonly string[]): Promise<BareHosts> {
  const { root, repository } = await software(suite);
  const network = await openNetwork(teardown);
  for (const name of names) network.address(name);
  const keys = `${await must("cat", [`${network.identity}.pub`])}\n`;
  const bare = { repository, keys };
  const nodes = await Promise.all(names.map((name) => startNode(teardown, network, { name, root, bare })));
  return { network, nodes, sshConfig: await writeSshConfig(network, nodes) };
}

/** The processes of a cluster's instances, in the files of the node where each runs: what Ganeti keeps of them, and /proc. */
import type { Machine } from "../machine/machine.ts";
import type { Ganeti, GanetiInstance } from "./ganeti.ts";

const kept = "/var/run/ganeti/kvm-hypervisor";

/** Share of its CPUs that an instance uses: always the same for one, by its UUID. */
function loadOf({ uuid }: GanetiInstance): number {
  return 0.02 + (Number.parseInt(uuid.slice(0, 3), 16) % 60) / 100;
}

/** Keeps the node's files true to where the instances run, until what it returns is called. */
export function keepProcesses(machine: Machine, ganeti: Ganeti): () => void {
  const { files } = machine;
  const running = new Map<GanetiInstance, { pid: number; since: number }>();
  let nextPid = 20_000;
  let endedTicks = 0;
  const now = () => ganeti.clock.now();
  const ticks = (instance: GanetiInstance, since: number) =>
    Math.floor(((now() - since) / 10) * loadOf(instance) * instance.vcpus);

  const begin = (instance: GanetiInstance) => {
    const [pid, since] = [nextPid++, now()];
    running.set(instance, { pid, since });
    const pages = () => Math.floor(instance.memory * 256 * (0.5 + loadOf(instance) / 2));
    files.addMade(
      `/proc/${pid}/stat`,
      () =>
        `${pid} (qemu-system-x86) S 1 ${pid} ${pid} 0 -1 138412416 900 0 0 0 ${ticks(instance, since)} 0 0 0 20 0 5 0 1000 1 ${pages()} 18446744073709551615\n`,
    );
    const bytes = (each: number) => Math.floor((now() - since) * each * loadOf(instance));
    files.addMade(`/proc/${pid}/io`, () => `rchar: 1\nread_bytes: ${bytes(20)}\nwrite_bytes: ${bytes(90)}\n`);
    files.addMade(`/sys/class/net/tap${pid}/statistics/rx_bytes`, () => `${bytes(40)}\n`);
    files.addMade(`/sys/class/net/tap${pid}/statistics/tx_bytes`, () => `${bytes(160)}\n`);
    for (const [file, text] of [
      [`pid/${instance.name}`, `${pid}\n`],
      [`nic/${instance.name}/0`, `tap${pid}`],
    ] as const) {
      files.makeDirectory(`${kept}/${file}`.replace(/\/[^/]*$/, ""), "root", { parents: true });
      files.writeText(`${kept}/${file}`, text);
    }
  };
  const end = (instance: GanetiInstance) => {
    const { pid, since } = running.get(instance) ?? { pid: 0, since: now() };
    running.delete(instance);
    endedTicks += ticks(instance, since);
    for (const path of [`/proc/${pid}`, `/sys/class/net/tap${pid}`, `${kept}/nic/${instance.name}`]) {
      files.remove(path);
    }
    files.remove(`${kept}/pid/${instance.name}`);
  };
  const follow = () => {
    const here = ganeti.instances.filter(
      ({ alive, node }) => alive && (node.name === machine.name || node.name.split(".")[0] === machine.shortName),
    );
    for (const instance of [...running.keys()]) if (!here.includes(instance)) end(instance);
    for (const instance of here) if (!running.has(instance)) begin(instance);
  };

  const upSince = now() - 86_400_000;
  files.addMade("/proc/stat", () => {
    const all = Math.floor(((now() - upSince) / 10) * 8);
    const guests = [...running].reduce((sum, [instance, { since }]) => sum + ticks(instance, since), endedTicks);
    const own = Math.floor(all * 0.01);
    return `cpu  ${guests} 0 ${own} ${all - guests - own} 0 0 0 0 ${guests} 0\n`;
  });
  follow();
  return ganeti.watch(follow);
}

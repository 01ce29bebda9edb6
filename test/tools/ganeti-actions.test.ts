import { expect, test } from "vitest";
import type { Action, NodeAction } from "../../source/instances/types.ts";
import { nodeStepsOf, stepCommand, stepsOf } from "../../source/tools/ganeti-actions.ts";

const access = { directory: "/usr/sbin/", sudo: false };
const name = "web1.example.org";

/** The command lines of an action, without what is the same for all. */
function lines(action: Action, diskTemplate = "sharedfile", limitSeconds?: number): string[] | undefined {
  return stepsOf(action, { name, diskTemplate }, limitSeconds)?.map((step) =>
    stepCommand(access, step).line.replace("LC_ALL=C /usr/sbin/", "").replace(name, "NAME"),
  );
}

const nodeLines = (action: NodeAction, roles = ["regular"]) =>
  nodeStepsOf(action, { name: "node2.example.org", roles })?.map((step) =>
    stepCommand(access, step).line.replace("LC_ALL=C /usr/sbin/gnt-node ", ""),
  );

test.each<[Action, string]>([
  [{ do: "start" }, "gnt-instance startup --submit NAME"],
  [{ do: "shutdown" }, "gnt-instance shutdown --submit NAME"],
  [{ do: "force-off" }, "gnt-instance shutdown --timeout=0 --submit NAME"],
  [{ do: "reboot" }, "gnt-instance reboot --submit NAME"],
  [{ do: "reboot", how: "hard" }, "gnt-instance reboot --type=full --shutdown-timeout=0 --submit NAME"],
  [{ do: "rename", to: "web9.example.org" }, "gnt-instance rename --submit NAME web9.example.org"],
  [{ do: "remove", keepDisks: false }, "gnt-instance remove -f --submit NAME"],
  [{ do: "migrate", to: "node2", live: true }, "gnt-instance migrate -f --migration-mode=live -n node2 --submit NAME"],
  [{ do: "migrate", to: null, live: false }, "gnt-instance migrate -f --migration-mode=non-live --submit NAME"],
  [{ do: "failover", to: "node2" }, "gnt-instance failover -f -n node2 --submit NAME"],
  [{ do: "move", to: "node2" }, "gnt-instance move -f -n node2 --submit NAME"],
  [{ do: "set-memory", mebibytes: 512 }, "gnt-instance modify --backend-parameters=memory=512 --submit NAME"],
  [{ do: "set-vcpus", count: 4 }, "gnt-instance modify --backend-parameters=vcpus=4 --submit NAME"],
  [{ do: "disk-add", mebibytes: 2048, pool: null }, "gnt-instance modify --disk=add:size=2048M --submit NAME"],
  [{ do: "disk-grow", disk: "disk/1", mebibytes: 4096 }, "gnt-instance grow-disk --absolute --submit NAME 1 4096M"],
  [{ do: "disk-remove", disk: "disk/1", keepVolume: false }, "gnt-instance modify --disk=1:remove --submit NAME"],
  [{ do: "disk-remove", disk: "disk/1", keepVolume: true }, "gnt-instance modify --disk=1:detach --submit NAME"],
  [{ do: "nic-add", network: "br0" }, "gnt-instance modify --net=add:link=br0 --submit NAME"],
  [{ do: "nic-add", network: "network=lan" }, "gnt-instance modify --net=add:network=lan --submit NAME"],
  [{ do: "nic-remove", nic: "nic/0" }, "gnt-instance modify --net=0:remove --submit NAME"],
  [{ do: "media-eject", disk: "cdrom" }, "gnt-instance modify --hypervisor-parameters=cdrom_image_path= --submit NAME"],
])("%o is one job", (action, line) => {
  expect(lines(action)).toEqual([line]);
});

test("a limit is for the guest's shutdown, in seconds", () => {
  expect(lines({ do: "shutdown" }, "drbd", 30)).toEqual(["gnt-instance shutdown --timeout=30 --submit NAME"]);
  expect(lines({ do: "reboot" }, "drbd", 30)).toEqual(["gnt-instance reboot --shutdown-timeout=30 --submit NAME"]);
  expect(lines({ do: "force-off" }, "drbd", 30)).toEqual(["gnt-instance shutdown --timeout=0 --submit NAME"]);
});

test("a mirrored instance goes to its secondary, which Ganeti wants not to be told", () => {
  expect(lines({ do: "migrate", to: "node2", live: true }, "drbd")?.[0]).not.toContain("-n node2");
  expect(lines({ do: "failover", to: "node2" }, "drbd")).toEqual(["gnt-instance failover -f --submit NAME"]);
});

test("tags are set by one job and taken away by another", () => {
  expect(lines({ do: "tag", add: ["env:prod", "a"], remove: ["b"] })).toEqual([
    "gnt-instance add-tags --submit NAME env:prod a",
    "gnt-instance remove-tags --submit NAME b",
  ]);
  expect(lines({ do: "tag", add: [], remove: ["b"] })).toHaveLength(1);
});

test("a comma in a path does not begin another parameter", () => {
  expect(lines({ do: "media-insert", disk: null, path: "/iso/a,b.iso" })).toEqual([
    "gnt-instance modify '--hypervisor-parameters=cdrom_image_path=/iso/a\\,b.iso' --submit NAME",
  ]);
});

test("what Ganeti has not is no step at all", () => {
  const actions: Action[] = [
    { do: "reset" },
    { do: "pause" },
    { do: "save" },
    { do: "autostart", on: true },
    { do: "snapshot-create", name: "a", description: "", memory: false },
    { do: "clone", to: "b" },
    { do: "note", text: "a" },
    { do: "define", text: "a" },
    { do: "remove", keepDisks: true },
  ];
  for (const action of actions) expect(lines(action)).toBeUndefined();
});

test("nodes are evacuated, drained and set offline by jobs", () => {
  const node = "--submit node2.example.org";
  expect(nodeLines({ do: "evacuate", which: "primary" })).toEqual([`evacuate -f --primary-only ${node}`]);
  expect(nodeLines({ do: "evacuate", which: "all" })).toEqual([
    `evacuate -f --primary-only ${node}`,
    `evacuate -f --secondary-only ${node}`,
  ]);
  expect(nodeLines({ do: "drain", on: true })).toEqual([`modify -f --drained=yes ${node}`]);
  expect(nodeLines({ do: "offline", on: false }, ["offline"])).toEqual([`modify -f --offline=no ${node}`]);
  expect(nodeLines({ do: "offline", on: true }, ["candidate"])).toEqual([
    `modify -f --offline=yes --auto-promote ${node}`,
  ]);
  expect(nodeLines({ do: "master" })).toBeUndefined();
});

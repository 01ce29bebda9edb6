/** virtu create on the embedded site, by the function level and by the built program. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CreateOutcome, CreatePlan } from "../../source/instances/create-types.ts";
import { type EmbeddedSite, startSite } from "../../source/site/index.ts";
import { newDomain } from "../../source/site/world/libvirt-domain.ts";
import { type ProgramRan, runProgram } from "../program.ts";

let site: EmbeddedSite;
let home: string;

beforeAll(async () => {
  site = await startSite({ speed: 400 });
  home = mkdtempSync(path.join(tmpdir(), "virtu-create-"));
});
afterAll(async () => {
  await site.end();
  rmSync(home, { recursive: true, force: true });
});

const command = (...words: string[]) =>
  runProgram(words, { sshConfig: site.sshConfigFile, config: site.configDir, home });
const virtu = (...words: string[]) => command("create", ...words);

const outcomes = ({ stdout }: Pick<ProgramRan, "stdout">) => JSON.parse(stdout) as CreateOutcome[];
const [first = "", second = ""] = ["hv1", "hv2"];
const iso = "/var/lib/libvirt/images/debian-12-netinst.iso";
const cloud = "/var/lib/libvirt/images/debian-12-genericcloud.qcow2";

function host(name: string) {
  const found = site.world.libvirt.find(({ hostname }) => hostname === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

describe("on libvirt", { timeout: 90_000 }, () => {
  test("addresses of a job's subnet: cards and cloud-init have them, and what is in use is not given again", async () => {
    const wanted = ["--nodes", "1", "--walltime", "1:00"];
    const asked = await command("reserve", "--site", site.frontend, ...wanted, "--subnet", "22", "--yes", "--json");
    expect(asked, asked.stderr).toMatchObject({ status: 0 });
    const { jobId, subnet } = JSON.parse(asked.stdout) as { jobId: number; subnet: string };
    const head = subnet.replace(/\d+\/22$/, "");
    const third = Number(subnet.split(".")[2]).toString(16).padStart(2, "0");
    const batch = [
      "--host",
      first,
      "--memory",
      "64M",
      "--cloud-image",
      cloud,
      "--site",
      site.frontend,
      "--job",
      `${jobId}`,
    ];
    writeFileSync(path.join(home, "lent.pub"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA jdoe\n");
    batch.unshift("--key", path.join(home, "lent.pub"));
    // .1 is for the address of a cluster.
    const ran = await virtu("lent-{n}", "--count", "2", ...batch, "--json");
    expect(outcomes(ran), ran.stderr).toMatchObject([{ address: `${head}2` }, { address: `${head}3` }]);
    expect(JSON.stringify(host(first).find("lent-2")?.set)).toContain(`00:16:3e:9c:${third}:03`);
    const more = await virtu("lent-3", ...batch, "--dry-run", "--json");
    const [row] = (JSON.parse(more.stdout) as CreatePlan).rows;
    expect(row).toMatchObject({
      address: `${head}4`,
      request: {
        media: {
          cloudInit: { network: { address: `${head}4/14`, gateway: "10.159.255.254", dns: ["172.16.111.118"] } },
        },
      },
    });
    const own = await virtu("lent-3", ...batch, "--gateway", "10.156.0.1", "--dry-run", "--json");
    expect(own.stdout).toContain('"gateway": "10.156.0.1"');

    const bare = await command("reserve", "--site", site.frontend, ...wanted, "--subnet", "none", "--yes", "--json");
    const none = await virtu("x", ...batch.slice(0, -1), `${(JSON.parse(bare.stdout) as { jobId: number }).jobId}`);
    expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining("reserved without a subnet") });
  });

  test("from an ISO: its volume and it are there, and it runs", async () => {
    const ran = await virtu("iso1", "--host", first, "--memory", "1G", "--iso", iso, "--disk", "10G", "--json");
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    expect(outcomes(ran)).toMatchObject([{ name: "iso1", host: first, ok: true, ready: null, error: null }]);
    expect(host(first).find("iso1")).toMatchObject({ state: "running", memory: 1024 * 1024 });
    const dry = await virtu("iso1", "--host", first, "--memory", "1G", "--iso", iso, "--disk", "10G", "--json");
    expect(dry.status).toBe(2);
    expect(dry.stderr).toContain("there is a iso1 already");
    expect(dry.stderr).toContain("has a volume iso1.qcow2 already");
  });

  test("ready when it answers ping, from a cloud image that is copied", async () => {
    const key = path.join(home, "id.pub");
    writeFileSync(key, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA jdoe\n");
    const ran = await virtu(
      ...["cloud1", "--host", first, "--memory", "512M", "--cloud-image", cloud, "--size", "8G"],
      ...["--user", "jdoe", "--key", key, "--ready", "ping", "--ready-limit", "60"],
    );
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    expect(ran.stdout).toMatch(/^hv1\/cloud1: ready at 192\.168\.122\.\d+ \(.*\n {2}note: answers ping at 192/);
    expect(ran.stderr).toContain("hv1/cloud1: copying /var/lib/libvirt/images/debian-12-genericcloud.qcow2");
  });

  test("the plan is shown with its exact commands, and nothing is made", async () => {
    const before = host(first).domains.length + host(second).domains.length;
    const words = ["w-{n}", "--count", "12", "--host", `${first},${second}`, "--memory", "64M", "--pxe"];
    const ran = await virtu(...words, "--dry-run", "--json");
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    const { rows } = JSON.parse(ran.stdout) as CreatePlan;
    expect([rows[0]?.name, rows.at(-1)?.name]).toEqual(["w-01", "w-12"]);
    expect(rows[0]?.commands[0]?.line).toMatch(
      /^LC_ALL=C.UTF-8 virt-install --connect qemu:\/\/\/system --name w-01 --uuid/,
    );
    expect(host(first).domains.length + host(second).domains.length).toBe(before);
  });

  test("several, one of which its host refuses: the others are made, and what it left is taken away", async () => {
    // Somebody takes one of the names between the question and the making: what no check can foresee.
    const hv = host(second);
    const off = hv.watch(() => {
      if (hv.find("many-1") && !hv.find("many-3")) {
        const facts = { title: "", state: "shut off", autostart: false, saved: false } as const;
        const uuid = "11111111-2222-4333-8444-555555555555";
        hv.add(newDomain({ ...facts, name: "many-3", uuid, memory: 1024, vcpus: 1 }, hv));
      }
    });
    const ran = await virtu(
      ...["many-{n}", "--count", "4", "--host", second, "--memory", "64M", "--disk", "1G", "--pxe", "--json"],
      ...["--parallel", "1"],
    );
    off();
    expect(ran.status, ran.stderr).toBe(3);
    expect(outcomes(ran).map(({ ok }) => ok)).toEqual([true, true, false, true]);
    expect(outcomes(ran)[2]).toMatchObject({
      ...{ error: expect.stringContaining("the name many-3 is in use"), leftBehind: [] },
      cleanedUp: ["volume default/many-3.qcow2"],
    });
    // The other one's domain of that name is not touched.
    expect(hv.find("many-3")?.uuid).toBe("11111111-2222-4333-8444-555555555555");
  });

  test("no memory, no room, no such file: told field by field before anything runs", async () => {
    const bad = ["--memory", "900G", "--disk", "5000G", "--iso", "/srv/x.iso", "--osinfo", "debian14"];
    const ran = await virtu("bad1", "--host", first, ...bad);
    expect(ran.status).toBe(2);
    for (const field of [
      "memory: ",
      "disks.0: the pool default has",
      "media.iso: there is no /srv/x.iso",
      "osinfo: ",
    ]) {
      expect(ran.stderr).toContain(field);
    }
    const forced = await virtu("bad1", "--host", first, "--memory", "90G", "--pxe", "--no-check", "--json");
    expect(forced.status).toBe(1);
    expect(outcomes(forced)[0]?.error).toBe("the host has not enough memory");
    expect(host(first).find("bad1")).toBeUndefined();
    const full = await virtu(
      ...["bad2", "--host", first, "--memory", "64M", "--pxe", "--no-check", "--json"],
      ...["--disk", "size=1G", "--disk", "size=5000G,format=raw"],
    );
    expect(outcomes(full)[0]).toMatchObject({ error: "the pool is full", cleanedUp: ["volume default/bad2.qcow2"] });
  });

  test("from a file, over which flags go; what they say together can be kept", async () => {
    const file = path.join(home, "web.yaml");
    const kept = path.join(home, "kept.yaml");
    writeFileSync(
      file,
      `provider: libvirt\nhosts: [${second}]\nname: file-{n}\ncount: 2\nmemory: 64M\nmedia: { pxe: true }\n`,
    );
    const ran = await virtu("-f", file, "--count", "1", "--save", kept, "--json");
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    expect(outcomes(ran).map(({ name, host: where }) => [name, where])).toEqual([["file-1", second]]);
    const again = await virtu("-f", kept, "--dry-run", "--json");
    expect(again.status).toBe(2);
    writeFileSync(file, `provider: libvirt\nname: x\nmemory: 64M\nmedia:\n  pxe: yes please\n`);
    const wrong = await virtu("-f", file);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain(`${file}:5:8: The file does not say what to make`);
    expect(wrong.stderr).toContain("media.pxe");
  });
});

describe("on Ganeti", () => {
  const words = ["--host", "gnt1", "--os", "debootstrap+default", "--disk-template", "plain", "--disk", "1G"];

  test("placed by the allocator, whose answer is told, and by hand", async () => {
    const ran = await virtu("auto1.demo", ...words, "--memory", "256M", "--json");
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    const [auto] = outcomes(ran);
    expect(auto).toMatchObject({ ok: true, job: expect.stringMatching(/^\d+$/), notes: [`hail chose ${auto?.node}`] });
    const hand = await virtu("hand1.demo", ...words, "--memory", "256M", "--node", "gnt2", "--no-start", "--json");
    expect(outcomes(hand)[0]?.node).toMatch(/^gnt2\./);
    expect(site.world.ganeti.find("hand1.demo")).toMatchObject({ admin: "down", disks: [1024] });
  });

  test("refused for memory, with the reason", async () => {
    const checked = await virtu("large1.demo", ...words, "--memory", "40G", "--node", "gnt1");
    expect(checked.status).toBe(2);
    expect(checked.stderr).toMatch(/memory: gnt1\S* has \d+ MiB of memory free/);
    const forced = await virtu("large1.demo", ...words, "--memory", "40G", "--node", "gnt1", "--no-check", "--json");
    expect(forced.status).toBe(1);
    expect(outcomes(forced)[0]?.error).toMatch(/not enough memory on gnt1\S*: 40960 MiB needed, \d+ MiB free/);
    expect(site.world.ganeti.find("large1.demo")).toBeUndefined();
  });

  test("a name that is taken", async () => {
    const [taken] = site.world.ganeti.instances;
    const forced = await virtu(taken?.name ?? "", ...words, "--memory", "256M", "--no-check", "--json");
    expect(forced.status).toBe(1);
    expect(outcomes(forced)[0]).toMatchObject({
      error: expect.stringContaining("already in the cluster"),
      cleanedUp: [],
    });
  });
});

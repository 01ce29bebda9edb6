/** A cluster whose nodes can be late, asked by LUXI or by the gnt-* programs: what a question waits for is as with the real one. */
import { VirtuError } from "../../source/errors.ts";
import { luxiSocket } from "../../source/tools/luxi.ts";
import { LuxiPool } from "./fake-luxi.ts";
import type { Call, Reply } from "./fake-pool.ts";
import { ganetiHost, isDiscovery } from "./script.ts";

type Way = "LUXI" | "gnt-*";

interface Row {
  [field: string]: string | number | null;
}

const live = {
  instance: ["status", "oper_vcpus", "oper_ram"],
  node: ["dtotal", "dfree", "mtotal", "mnode", "mfree"],
};

const full = (name: string) => `${name}.example.org`;
export const short = (name: string | null) => name?.replace(".example.org", "") ?? null;

export class FakeCluster {
  readonly pool: LuxiPool;
  /** Milliseconds that a node takes to tell of its instances (as with a QEMU that hangs), and to tell anything at all. */
  readonly hangs: Record<string, number> = {};
  readonly silent: Record<string, number> = {};
  /** Milliseconds that the next question takes which asks no node. */
  slowConfigured = 0;
  /** Whose monitor takes no call. */
  readonly waiting: string[] = [];
  /** What was asked: `instance`, `instance !node1`, `instance node1`, and with ` (configured)` where no node was asked. */
  readonly asked: string[] = [];

  constructor(
    way: Way,
    readonly instances: Record<string, { node: string; status: string }>,
    readonly nodes: readonly string[] = ["node1", "node2"],
  ) {
    const forbidden = new VirtuError({ kind: "refused", what: "The host forbids forwarding", where: luxiSocket });
    this.pool = new LuxiPool(
      (call) => this.program(call),
      (method, args) => this.luxi(method, args),
      way === "LUXI" ? null : forbidden,
    );
  }

  private rowsOf(what: "instance" | "node"): Row[] {
    if (what === "node") {
      return this.nodes.map((name, index) => ({
        ...{ name: full(name), role: index === 0 ? "M" : "C", pinst_cnt: 1, sinst_cnt: 0, group: "g" },
        ...{ dtotal: 100, dfree: 50, mtotal: 4096, mnode: 512, mfree: 2048 },
      }));
    }
    return Object.entries(this.instances).map(([name, { node, status }]) => ({
      ...{ name: full(name), uuid: `uuid-${name}`, pnode: full(node), "be/vcpus": 1, "be/maxmem": 128 },
      ...{ hypervisor: "fake", status, oper_vcpus: 1, oper_ram: 128 },
    }));
  }

  private async query(
    what: "instance" | "node",
    fields: readonly string[],
    { names, others }: { names: readonly string[]; others: boolean },
  ): Promise<Row[]> {
    const asksNodes = fields.some((field) => live[what].includes(field));
    const sign = others && names.length > 0 ? "!" : "";
    const of = names.length > 0 ? ` ${sign}${names.map(short).join(",")}` : "";
    this.asked.push(`${what}${of}${asksNodes ? "" : " (configured)"}`);
    const node = what === "instance" ? "pnode" : "name";
    const chosen = () => this.rowsOf(what).filter((row) => names.includes(String(row[node])) !== others);
    const slow = chosen().map((row) => {
      const name = short(String(row[node])) ?? "";
      return Math.max(this.silent[name] ?? 0, what === "instance" ? (this.hangs[name] ?? 0) : 0);
    });
    const wait = asksNodes ? Math.max(0, ...slow) : this.slowConfigured;
    if (!asksNodes) this.slowConfigured = 0;
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    return chosen();
  }

  private async luxi(method: string, args: readonly unknown[]): Promise<unknown> {
    if (method === "WaitForJobChange") return [["success", [null]], []];
    if (method === "QueryClusterInfo") return {};
    if (method !== "Query") throw new Error(`nobody answers ${method}`);
    const [what, fields, filter] = args as ["instance" | "node" | "network", string[], unknown[] | null];
    if (what === "network") return { data: [] };
    if (filter?.[0] === "=") {
      const row = this.rowsOf(what).find(({ name }) => name === filter[2]);
      return { data: [fields.map((field) => [0, row?.[field] ?? ""])] };
    }
    const [sign, ...terms] = filter ?? ["&"];
    const names = (terms as [string, string, string][]).map((term) => term[2]);
    const rows = await this.query(what, fields, { names, others: sign === "&" });
    return { data: rows.map((row) => fields.map((field) => (field in row ? [0, row[field]] : [3, null]))) };
  }

  private async program({ line }: Call): Promise<Reply> {
    if (isDiscovery(line)) return ganetiHost("node1", full("node1"));
    if (line.includes("@@virtu node $(")) {
      const node = short(/ root@(\S+) /.exec(line)?.[1] ?? null) ?? this.nodes[0];
      const waits = this.waiting.filter((name) => this.instances[name]?.node === node);
      const lines = waits.map((name) => `waits ${full(name)}\n`);
      return { stdout: `@@virtu node 4096 100\n${lines.join("")}@@virtu end\n` };
    }
    const stopped = short(/gnt-instance shutdown --submit (\S+)/.exec(line)?.[1] ?? null);
    const instance = stopped === null ? undefined : this.instances[stopped];
    if (instance) {
      instance.status = "ADMIN_down";
      return { stdout: `41: ${stopped}\n` };
    }
    const limit = /^timeout -k 1 (\d+) /.exec(line)?.[1];
    const cut = new Promise<Reply>((resolve) => {
      if (limit) setTimeout(() => resolve({ status: 124 }), Number(limit) * 1000);
    });
    return Promise.race([this.list(line), cut]);
  }

  private async list(line: string): Promise<Reply> {
    const tables = [...line.matchAll(/gnt-(instance|node) list \S+ \S+ \S+ -o (\S+?)(?:;| -F '([^']*)'|$)/g)];
    const texts = await Promise.all(
      tables.map(async ([, what = "", fields = "", filter = ""]) => {
        const names = [...filter.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);
        const choice = { names, others: !filter.includes("==") };
        const asked = fields.split(",");
        const rows = await this.query(what as "instance" | "node", asked, choice);
        return rows.map((row) => `${asked.map((field) => row[field] ?? "-").join("|")}\n`).join("");
      }),
    );
    if (!line.includes("@@virtu")) return { stdout: texts[0] ?? "" };
    const framed = texts.map((text, index) => `@@virtu ${["instances", "nodes"][index]}\n${text}@@virtu end 0\n`);
    return { stdout: framed.join("") };
  }
}

/** The parts of the bench. Everything is measured on the built program (`dist/`), as a user starts it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { program } from "../program.ts";
import { alternate, type Figure, line, median, percentile, timeOf } from "./figures.ts";
import { type Hosts, startHosts } from "./hosts.ts";
import { framesOf, pause, type Watched, watch } from "./watched.ts";

interface Wish {
  runs: number;
  /** Sizes of the table; what takes long for each is measured with the first only. */
  rows: readonly [number, ...number[]];
}

const node = process.execPath;
const peerTime = () => timeOf(node, ["-e", "0"]);
const ms = (value: number) => `${value.toFixed(0)} ms`;
const beside = (ours: readonly number[], peer: readonly number[]) =>
  `${ms(median(ours))} beside ${ms(median(peer))} of node -e 0`;

async function version({ runs }: Wish): Promise<Figure[]> {
  const { peer, ours, ratio } = await alternate(runs, peerTime, () => timeOf(node, [program, "--version"]));
  return [{ what: "--version", value: ratio, unit: "×", budget: 1.5, note: beside(ours, peer) }];
}

/** A port of loopback that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * `virtu instances` on a port that refuses: the command line, the pool with ssh2, `ssh -G` and the inventory are loaded and
 * at work; what is left out is the network, and the provider, which is loaded where one is found.
 */
async function headless({ runs }: Wish): Promise<Figure[]> {
  const directory = mkdtempSync(path.join(tmpdir(), "virtu-bench-"));
  const config = path.join(directory, "config");
  writeFileSync(config, `Host *\n  HostName 127.0.0.1\n  Port ${await closedPort()}\n  UserKnownHostsFile /dev/null\n`);
  const args = [
    program,
    "instances",
    "--json",
    "--host",
    "hv1",
    "-F",
    config,
    "--config",
    path.join(directory, "virtu"),
  ];
  const ssh = Array.from({ length: runs }, () => timeOf("ssh", ["-G", "-F", config, "hv1"]));
  try {
    const { peer, ours, ratio } = await alternate(runs, peerTime, () => timeOf(node, args, 1));
    const note = `${beside(ours, peer)}; virtu instances to a refusing port, ${ms(median(ssh))} of it is ssh -G`;
    return [{ what: "headless command before the network", value: ratio, unit: "×", budget: 2.5, note }];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const optionsFor = (hosts: Hosts) => ["--host", "hv1", "-F", hosts.sshConfigFile, "--config", hosts.configDir];

async function frame({ runs }: Wish): Promise<Figure[]> {
  const hosts = await startHosts(4);
  try {
    const first = async () => {
      const since = performance.now();
      const screen = watch(optionsFor(hosts));
      const took = await screen.until((raw) => raw.includes("[4 Instances]"), since);
      await screen.end();
      return took;
    };
    const { peer, ours, ratio } = await alternate(runs, peerTime, first);
    const note = `${beside(ours, peer)}; virtu --host, 80×24`;
    return [{ what: "first frame", value: ratio, unit: "×", budget: 5, note }];
  } finally {
    await hosts.end();
  }
}

/** The table with all its rows on a large terminal, as long as `use` wants it; its host may tell of changes meanwhile. */
async function withTable<T>(rows: number, use: (screen: Watched) => Promise<T>, eventsPerSecond = 0): Promise<T> {
  const hosts = await startHosts(rows, eventsPerSecond);
  const screen = watch(optionsFor(hosts), { columns: 200, rows: 50 });
  try {
    await screen.until((raw) => raw.includes(`${rows} instances`), performance.now());
    await pause(1500);
    return await use(screen);
  } finally {
    await screen.end();
    await hosts.end();
  }
}

/** Milliseconds of a key: until it was answered, and of the program's main thread meanwhile. */
interface Answer {
  wall: number;
  cpu: number | null;
}

/** Types keys one at a time with a pause that lets each be answered alone. */
async function answers(screen: Watched, keys: readonly string[], shown?: string): Promise<Answer[]> {
  const times: Answer[] = [];
  for (const key of keys) {
    const before = screen.cpu();
    const wall = await screen.answered(key, shown);
    const after = screen.cpu();
    times.push({ wall, cpu: before === null || after === null ? null : after - before });
    await pause(70);
  }
  return times;
}

const wallOf = (values: readonly Answer[]) => values.map(({ wall }) => wall);

const [up, down, pageDown, esc] = ["\u001b[A", "\u001b[B", "\u001b[6~", "\u001b"];
const repeat = (key: string, times: number) => Array.from({ length: times }, () => key);

/** What a key may take, in milliseconds: two frames of a screen that draws sixty in a second. */
const keyBudget = 33;

function keyFigure(what: string, rows: number, values: readonly Answer[]): Figure {
  const wall = wallOf(values);
  const cpu = values.flatMap((one) => one.cpu ?? []);
  const own = cpu.length > 0 ? `, ${ms(median(cpu))} of CPU, p90 ${ms(percentile(cpu, 0.9))}` : "";
  const note = `p90 ${ms(percentile(wall, 0.9))}${own}, ${values.length} keys, 200×50`;
  return { what: `${what}, ${rows} rows`, value: median(wall), unit: "ms", budget: keyBudget, note };
}

async function keysOn(rows: number, runs: number): Promise<Figure[]> {
  return withTable(rows, async (screen) => {
    const times = runs * 5;
    const figures: Figure[] = [];
    const add = (what: string, values: readonly Answer[]) => figures.push(keyFigure(what, rows, values));
    add("key: cursor moves", await answers(screen, repeat(down, 35)));
    // From here on the cursor is on the last visible row: every row changes with each key.
    await answers(screen, repeat(down, 15));
    add("key: table scrolls", await answers(screen, repeat(down, times)));
    add("key: page down", await answers(screen, repeat(pageDown, Math.min(times, 30))));
    add("key: mark", await answers(screen, repeat(" ", 20)));
    add("key: sort", await answers(screen, repeat("o", 18)));
    await answers(screen, ["/"]);
    add("key: filter", await answers(screen, [..."vm-1", ...repeat("\u007f", 4), ..."lab !vm-2"]));
    return figures;
  });
}

/** All of the table shut down at once: the question, and the run's pane while outcomes come in, beside the quiet table. */
async function bulkOf(rows: number, runs: number): Promise<Figure[]> {
  return withTable(rows, async (screen) => {
    const figures: Figure[] = [];
    const table = `${rows} instances`;
    const moves = Array.from({ length: runs }, () => [down, down, pageDown, pageDown, up, down]).flat();
    const quiet = await answers(screen, moves);
    figures.push(keyFigure("bulk: mark all", rows, await answers(screen, repeat("a", 9))));
    const asked: Answer[] = [];
    const pages: Answer[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      asked.push(...(await answers(screen, ["t"], "Leave them")));
      pages.push(...(await answers(screen, turn === 0 ? repeat(pageDown, 20) : [pageDown])));
      if (turn < 6) await answers(screen, [esc], table);
    }
    figures.push(keyFigure("bulk: the question comes", rows, asked));
    figures.push(keyFigure("bulk: its pages", rows, pages));
    await answers(screen, [down], "Shut down all");
    figures.push(keyFigure("bulk: it begins", rows, await answers(screen, ["\r"], table)));
    await answers(screen, ["B"], "run of actions");
    const from = screen.raw().length;
    const since = performance.now();
    await pause(3000);
    const frames = framesOf(screen.raw().slice(from)).length / ((performance.now() - since) / 1000);
    // The cursor goes along with what is done: of few, it may stand at the end already, where a key moves nothing.
    screen.type("g");
    await pause(500);
    const unasked = "while outcomes come in, no key pressed";
    figures.push({
      what: `bulk: the pane redraws, ${rows} rows`,
      value: frames,
      unit: "/s",
      budget: 10,
      note: unasked,
    });
    const busy = await answers(screen, moves);
    figures.push(keyFigure("bulk: keys in the pane", rows, busy));
    const [ours, peer] = [median(wallOf(busy)), median(wallOf(quiet))];
    const note = `beside ${ms(peer)} of the same keys in the table before`;
    const value = ours / peer;
    return [...figures, { what: `bulk: keys in the pane, ${rows} rows`, value, unit: "×", budget: 3, note }];
  });
}

/** Keys while a host tells of two hundred changes a second, beside the same keys on a quiet one. */
async function eventsOn(rows: number, runs: number): Promise<Figure[]> {
  const times = runs * 5;
  const keys = async (screen: Watched) => wallOf(await answers(screen, repeat(down, times)));
  const quiet = await withTable(rows, keys);
  const busy = await withTable(rows, keys, 200);
  const note = `${ms(median(busy))}, p90 ${ms(percentile(busy, 0.9))}, beside ${ms(median(quiet))} on a quiet host`;
  const value = median(busy) / median(quiet);
  return [{ what: `key while 200 events/s come, ${rows} rows`, value, unit: "×", budget: 2, note }];
}

/** One table after the other. */
async function forEach(rows: Wish["rows"], measure: (rows: number) => Promise<Figure[]>): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of rows) figures.push(...(await measure(count)));
  return figures;
}

const key = ({ rows, runs }: Wish) => forEach(rows, (count) => keysOn(count, runs));
const bulk = ({ rows, runs }: Wish) => forEach(rows, (count) => bulkOf(count, runs));
const events = ({ rows, runs }: Wish) => forEach(rows, (count) => eventsOn(count, runs));
const memory = ({ rows }: Wish) => forEach(rows, memoryOf);

async function tick({ rows: [rows] }: Wish): Promise<Figure[]> {
  return withTable(rows, async (screen) => {
    const from = screen.raw().length;
    await pause(12_000);
    const written = screen.raw().slice(from);
    const sizes = framesOf(written).map((text) => Buffer.byteLength(text));
    const largest = Math.max(0, ...sizes);
    const clears = ["\u001b[2J", "\u001b[3J"].reduce((sum, code) => sum + written.split(code).length - 1, 0);
    const note = `${sizes.length} frames and ${Buffer.byteLength(written)} bytes in 12 s, ${rows} rows, 3 polls`;
    return [
      { what: "idle tick, its largest frame", value: largest, unit: "B", budget: 2048, note },
      { what: "full clears while idle", value: clears, unit: "", budget: 0, note: "CSI 2J and 3J" },
    ];
  });
}

async function memoryOf(rows: number): Promise<Figure[]> {
  return withTable(rows, async (screen) => {
    await answers(screen, [...repeat(down, 60), ...repeat(pageDown, 20), ...repeat("o", 6)]);
    await pause(5000);
    const used = screen.memory();
    if (!used) return [];
    const note = `peak ${used.peak.toFixed(0)} MiB, after 86 keys and a few polls`;
    // Thousands more take their room: each poll of them makes as much again that is only there for a moment.
    const budget = rows > 5000 ? 230 : 180;
    return [{ what: `resident memory, ${rows} rows`, value: used.now, unit: "MiB", budget, note }];
  });
}

const parts: Record<string, (wish: Wish) => Promise<Figure[]>> = {
  version,
  headless,
  frame,
  key,
  bulk,
  events,
  tick,
  memory,
};

/** Runs the parts that are named (default all). Gives the exit status: 1 only with `--check` and a budget that is not kept. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      check: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      runs: { type: "string", default: "9" },
      rows: { type: "string", default: "2000,10000" },
    },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(parts);
  const unknown = names.filter((name) => !Object.hasOwn(parts, name));
  if (values.help || unknown.length > 0) {
    console.log(
      `node test/run.mjs test/bench/bench.ts [--check] [--json] [--runs N] [--rows N,…] [${Object.keys(parts).join(" | ")}] …`,
    );
    for (const name of unknown) console.error(`no part is called ${name}`);
    return unknown.length > 0 ? 2 : 0;
  }
  const [first = 2000, ...others] = values.rows.split(",").map(Number);
  const wish: Wish = { runs: Number(values.runs), rows: [first, ...others] };
  if (!values.json) console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}`);
  const figures: Figure[] = [];
  for (const name of names) {
    const found = (await parts[name]?.(wish)) ?? [];
    figures.push(...found);
    if (!values.json) for (const figure of found) console.log(line(figure));
  }
  if (values.json) console.log(JSON.stringify(figures, null, 2));
  const over = figures.filter(({ value, budget }) => budget !== null && value > budget);
  return values.check && over.length > 0 ? 1 : 0;
}

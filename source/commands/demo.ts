/** `virtu demo`: the whole program on an embedded site, with nothing to prepare and nothing left behind. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { Settings } from "../settings.ts";
import { type EmbeddedSite, isScenario, type ScenarioName, scenarios, startSite } from "../site/index.ts";
import { playMainJob } from "./demo-play.ts";
import { collect, exit, reportError, run } from "./run.ts";

interface DemoOptions {
  headless?: boolean;
  nodes?: string;
  scenario?: string[];
  speed?: string;
}

/** What the embedded site is called in the demo's own settings. */
export const demoSite = "demo";

function numberIn(option: string, text: string | undefined, usual: number, low: number, high: number): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (text.trim() !== "" && value >= low && value <= high) return value;
  throw new VirtuError({
    kind: "usage",
    what: `${option} is a number from ${low} to ${high}`,
    where: `${option} ${text}`,
    hint: `Leave it out for ${usual}.`,
  });
}

function readScenarios(names: readonly string[]): ScenarioName[] {
  return names.map((name) => {
    if (isScenario(name)) return name;
    throw new VirtuError({
      kind: "usage",
      what: "There is no such scenario",
      where: `--scenario ${name}`,
      hint: `Choose from: ${Object.keys(scenarios).join(", ")}.`,
    });
  });
}

const width = Math.max(...Object.keys(scenarios).map((name) => name.length));
const scenarioHelp = `
What can be made to go wrong (--scenario NAME, repeatable):
${Object.entries(scenarios)
  .map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)
  .join("\n")}

The site is simulated inside this process, behind SSH on loopback: nothing is run on this machine, nothing is kept.`;

export function declare(program: Command): void {
  program
    .command("demo")
    .description("Opens the program on an embedded site; without a terminal it plays the main job in plain lines.")
    .option("--headless", "play the main job in plain lines; exit status 0 only if all of it worked")
    .option("--nodes <n>", "nodes that can be reserved, 4 to 200 (default 16)")
    .option("--scenario <name>", "let something go wrong; repeatable", collect)
    .option("--speed <factor>", "how much quicker than a real site it works (default 20)")
    .addHelpText("after", scenarioHelp)
    .action(async (options: DemoOptions, command: Command) => {
      try {
        await demo(options, command);
      } catch (thrown) {
        process.exitCode = reportError(thrown, false);
      }
    });
}

async function demo(options: DemoOptions, command: Command): Promise<void> {
  const headless = options.headless === true || !process.stdin.isTTY || !process.stdout.isTTY;
  const nodes = Math.round(numberIn("--nodes", options.nodes, 16, 4, 200));
  const speed = numberIn("--speed", options.speed, headless ? 60 : 20, 0.1, 10_000);
  const asked = readScenarios(options.scenario ?? []);
  // What virtu does about nodes that fail is a part of the main job.
  const active: ScenarioName[] = headless && asked.length === 0 ? ["node-fails-step", "node-fails-upgrade"] : asked;
  const site = await startSite({ nodes, speed, scenarios: active });
  // A signal that nobody else handles must still leave by the door, so that the site's directory goes.
  const signals = Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }).map(([name, status]) => {
    const leave = () => {
      if (process.listenerCount(name) === 1) process.exit(status);
    };
    process.on(name, leave);
    return () => process.off(name, leave);
  });
  try {
    await prepareSettings(site);
    if (headless) {
      command.setOptionValue("sshConfig", site.sshConfigFile);
      command.setOptionValue("config", site.configDir);
      await run((session) =>
        playMainJob(session, site, {
          site: demoSite,
          nodes: options.nodes === undefined ? 4 : nodes,
          again: asked.length === 0,
        }),
      )(options, command);
    } else {
      const { openScreen } = await import("../ui/open.ts");
      await openScreen({ site: demoSite, sshConfig: site.sshConfigFile, config: site.configDir });
      process.exitCode ??= exit.done;
    }
  } finally {
    for (const off of signals) off();
    await site.end();
  }
}

/** The demo's own settings, in the site's private directory: its frontend and its hosts. */
async function prepareSettings(site: EmbeddedSite): Promise<void> {
  const settings = await Settings.open(site.configDir);
  await settings.addSite({ name: demoSite, frontend: site.frontend });
  await settings.set("hosts", [...site.hosts]);
}

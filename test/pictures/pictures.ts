/** Draws the README's pictures from the built program on its embedded site, with real keys. */
import { mkdirSync, writeFileSync } from "node:fs";
import { keys, openProgram } from "../terminal.ts";
import { svgOf } from "./svg.ts";

const columns = 100;
const rows = 28;

export async function main(): Promise<number> {
  mkdirSync("docs", { recursive: true });
  const words = ["demo", "--nodes", "16", "--scenario", "node-always-fails", "--speed", "15"];
  const terminal = openProgram(words, { columns, rows });
  const save = (name: string, title: string) => {
    writeFileSync(`docs/${name}.svg`, svgOf(terminal, columns, rows, title));
    console.log(`docs/${name}.svg`);
  };
  const long = 60_000;
  await terminal.waitFor(/\d+ of \d+ nodes free now[\s\S]*on 5 hosts/, long);
  terminal.press(keys.enter);
  await terminal.waitFor(/oarsub[\s\S]*slash_22=1\+nodes=4/, long);
  save("reserve", "The reservation form, with the command that will run");
  terminal.press(keys.enter);
  await terminal.waitFor("This is what will be asked for", long);
  terminal.press(keys.enter);
  await terminal.waitFor("4 nodes of job", long);
  terminal.press("i");
  await terminal.waitFor("debian12-min", long);
  terminal.press("debian12-min");
  await terminal.waitFor("1 of 14", long);
  terminal.press(keys.enter);
  await terminal.waitFor("Which version", long);
  terminal.press(keys.enter);
  await terminal.waitFor("Key for root", long);
  terminal.press(keys.enter);
  await terminal.waitFor("This is what will be done", long);
  terminal.press(keys.enter);
  await terminal.waitFor("Erase and deploy", long);
  terminal.press(keys.down);
  await terminal.waitFor(/❯ Erase and deploy/, long);
  terminal.press(keys.enter);
  await terminal.waitFor(/3 of 4 nodes up/, 2 * long);
  save("deploy", "A deployment, node by node; one has failed twice, says why, and can be tried again alone");
  terminal.press("4");
  await terminal.waitFor(/28 instances[\s\S]*metrics/, long);
  // What they use is known after two looks.
  await terminal.waitFor(/build .*%[\s\S]*db1\.demo .*%/, long);
  // The two that the picture shows shutting down: both run, on hosts that take their time.
  terminal.press("/", "build", keys.enter, keys.space, keys.escape);
  await terminal.waitFor(/28 instances · 1 marked/, long);
  terminal.press("/", "db1", keys.enter, keys.space, keys.escape);
  await terminal.waitFor(/28 instances · 2 marked/, long);
  terminal.press(keys.home, "t");
  await terminal.waitFor("Shut down", long);
  terminal.press(keys.down);
  await terminal.waitFor(/❯ Shut down/, long);
  terminal.press(keys.enter);
  await terminal.waitFor(/◐/, long);
  save("instances", "Every instance of every host in one table, two of them shutting down");
  terminal.press("q");
  return terminal.exit;
}

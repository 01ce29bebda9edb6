/** What can be deployed: recorded environments and the user's image files. */
import { randomBytes } from "node:crypto";
import { VirtuError } from "../errors.ts";
import { type Command, sh } from "../ssh/command.ts";
import { describeImage } from "../tools/env-file.ts";
import { frontendPath } from "../tools/kadeploy.ts";
import { explainRefusal } from "../tools/kadeploy-errors.ts";
import { listRecorded, listVersions, parseRecorded, type RecordedList } from "../tools/kaenv.ts";
import { byName } from "../tools/nodeset.ts";
import { answered } from "./detached-exec.ts";
import type { Context, Environment, Site } from "./types.ts";
import { frontendOf } from "./types.ts";

export interface EnvironmentList {
  environments: Environment[];
  /** Why a part is missing (kaenv3 failed, but image files were found); null when all could be read. */
  problem: VirtuError | null;
}

export interface EnvironmentOptions {
  /** Another folder of `.env` files beside `~/image` and the site's own. */
  folder?: string;
  signal?: AbortSignal;
}

/** Lines of an image file that are read: its keys stand at its beginning. */
const linesOfImage = 200;

/** Prints kaenv3's list, then each image file, each after a line that begins with `mark`. */
function listCommand(mark: string, folders: readonly string[]): Command {
  const directories = ["~/image", ...folders].map(frontendPath);
  return sh`echo ${mark} kaenv3; ${listRecorded()} 2>&1; status=$?; echo; echo ${mark} status $status
for folder in ${directories}; do
  for file in "$folder"/*.env; do
    if [ -f "$file" ]; then echo ${mark} file "$file"; head -n ${linesOfImage} "$file" 2>/dev/null; echo; fi
  done
done`;
}

/** The commands of `listEnvironments`, as they are sent. */
export function environmentCommands(site: Site, folder?: string): string[] {
  return [listCommand("@", folders(site, folder)).line];
}

function folders(site: Site, folder: string | undefined): string[] {
  return [site.imageFolder, folder].filter((name) => name !== undefined);
}

/** Newest versions of the recorded environments, and the images of `~/image` and the site's (or the given) folder. One round trip. */
export async function listEnvironments(
  context: Context,
  site: Site,
  options: EnvironmentOptions = {},
): Promise<EnvironmentList> {
  // No line of a file can pass for one of ours.
  const mark = `@${randomBytes(8).toString("hex")}`;
  const what = "The environments can't be listed";
  const result = answered(
    await context.pool.exec(frontendOf(site), listCommand(mark, folders(site, options.folder)), {
      signal: options.signal,
      timeoutMs: 120_000,
    }),
    { what, where: site.name },
  );
  const parts = result.stdout.split(`${mark} `).slice(1);
  const body = (part: string) => part.slice(part.indexOf("\n") + 1);
  const head = (part: string) => part.slice(0, part.indexOf("\n"));
  const status = Number(/^status (\d+)/.exec(parts[1] ?? "")?.[1] ?? Number.NaN);
  const recorded = parseRecorded(body(parts[0] ?? ""));
  const images = new Map<string, Environment>();
  for (const part of parts.slice(2)) {
    const file = head(part).replace(/^file /, "");
    images.set(file, describeImage(file, body(part), recorded.of2012));
  }
  const problem = problemOf(recorded, status, site);
  if (problem && images.size === 0) throw problem;
  const byTitle = (a: Environment, b: Environment) =>
    byName(a.name, b.name) || byName(b.version ?? "", a.version ?? "");
  return { environments: [...[...images.values()].sort(byTitle), ...recorded.environments.sort(byTitle)], problem };
}

function problemOf(recorded: RecordedList, status: number, site: Site): VirtuError | null {
  const text = recorded.strange.join("\n");
  if (status === 0 && (text === "" || recorded.environments.length > 0)) return null;
  const what = "The recorded environments can't be listed";
  const detail = text || undefined;
  if (status === 0) {
    return new VirtuError({
      kind: "unparsed",
      what,
      where: site.name,
      why: "kaenv3 prints a table that virtu does not know",
      detail,
    });
  }
  if (status === 127) {
    return new VirtuError({
      kind: "refused",
      what,
      where: site.name,
      why: "there is no kaenv3 on this host",
      hint: "Is it a frontend of a site with Kadeploy?",
      detail,
    });
  }
  const { why, hint } = explainRefusal(text, status);
  return new VirtuError({
    kind: "refused",
    what,
    where: site.name,
    why: why.replace(/^kadeploy3 /, "kaenv3 "),
    hint: hint ?? undefined,
    detail,
  });
}

/** Every version of one environment, newest first. */
export async function environmentVersions(
  context: Context,
  site: Site,
  environment: Pick<Environment, "name" | "user" | "arch">,
  options: { signal?: AbortSignal } = {},
): Promise<Environment[]> {
  const result = answered(
    await context.pool.exec(frontendOf(site), listVersions(environment.name, environment.user), {
      signal: options.signal,
      timeoutMs: 120_000,
    }),
    { what: `The versions of ${environment.name} can't be listed`, where: site.name },
  );
  const recorded = parseRecorded(`${result.stdout}\n${result.stderr}`);
  const problem = problemOf(recorded, result.status ?? Number.NaN, site);
  if (problem) throw problem;
  return recorded.environments
    .filter(({ name, arch }) => name === environment.name && (environment.arch === null || arch === environment.arch))
    .sort((a, b) => byName(b.version ?? "", a.version ?? ""));
}

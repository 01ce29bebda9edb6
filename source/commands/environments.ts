/** `virtu environments`: what can be deployed on a site. */
import type { Command } from "commander";
import { environmentCommands, listEnvironments } from "../journey/environments.ts";
import type { Environment } from "../journey/types.ts";
import { plainLine } from "../text.ts";
import { exit, reportError, run, withJson, withSite } from "./run.ts";

/** As `--json` gives it; these keys stay. */
function record({ kind, name, version, arch, user, description, file }: Environment): Record<string, unknown> {
  return { kind, name, version, arch, user, description, file };
}

function lines(environments: readonly Environment[]): string[] {
  const rows = environments.map(({ kind, name, version, arch, user, description, file, problem }) => [
    kind,
    plainLine(name),
    plainLine(version ?? "-"),
    plainLine(arch ?? "-"),
    plainLine(user ?? "-"),
    plainLine(problem ? `! ${problem} (${file})` : file ? `${description} (${file})` : description),
  ]);
  const table = [["KIND", "NAME", "VERSION", "ARCH", "USER", "DESCRIPTION"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

export function declare(program: Command): void {
  withJson(withSite(program.command("environments")))
    .description("Lists the recorded environments of a site (newest versions) and your image files there.")
    .option("--folder <dir>", "image files of this folder on the frontend too, beside ~/image and that of the settings")
    .option("--dry-run", "print the exact remote commands and do nothing")
    .addHelpText(
      "after",
      `
With --json: a list of {kind: "environment" or "image", name, version, arch, user, description, file}; what is not known is
null. When the environments can't be read, but images can, these are printed and the exit status is 3.`,
    )
    .action((options: { site: string; folder?: string }, command: Command) =>
      run(async ({ app, globals, signal, out }) => {
        const site = app.site(options.site);
        if (globals.dryRun) {
          const commands = environmentCommands(site, options.folder);
          out.result({ commands }, commands);
          return exit.done;
        }
        const { environments, problem } = await listEnvironments(app, site, { folder: options.folder, signal });
        out.result(environments.map(record), environments.length > 0 ? lines(environments) : ["nothing to deploy"]);
        if (!problem) return exit.done;
        reportError(problem, globals.json);
        return exit.some;
      })(options, command),
    );
}

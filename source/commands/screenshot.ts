/** `virtu screenshot`: a picture of an instance's screen, into a file. */
import type { Command } from "commander";
import { type Picture, readPicture } from "../console/picture.ts";
import { VirtuError } from "../errors.ts";
import { writeLocal } from "../local-file.ts";
import { type HostOptions, withHosts } from "./hosts.ts";
import { oneInstance } from "./one-instance.ts";
import { type ExitStatus, exit, run, type Session, withJson } from "./run.ts";

interface Options extends HostOptions {
  output: string;
}

export function declare(program: Command): void {
  withJson(withHosts(program.command("screenshot")))
    .description("Takes a picture of an instance's screen.")
    .argument("<name>", "the instance; HOST/NAME where several hosts have one of that name")
    .requiredOption("--output <file>", "file to write: PNG, or PPM when its name ends in .ppm")
    .action((name: string, options: Options, command: Command) =>
      run((session) => takePicture(session, name, command.optsWithGlobals()))(options, command),
    );
}

async function takePicture(session: Session, name: string, options: Options): Promise<ExitStatus> {
  const { inventory, provider, instance } = await oneInstance(session, name, options);
  inventory.end();
  const refusal = provider.refusesScreenshot?.(instance) ?? null;
  if (!provider.screenshot || refusal !== null) {
    const why = refusal ?? `${instance.provider} gives no picture of a screen`;
    throw new VirtuError({ kind: "refused", what: `${instance.name} shows no screen`, where: instance.host, why });
  }
  const picture = await readPicture(await provider.screenshot(instance, { signal: session.signal, priority: "user" }));
  const { output } = options;
  const { width, height } = picture;
  await writeLocal(output, await encoded(picture, output), { what: "The picture", over: true });
  session.out.result({ name: instance.name, host: instance.host, file: output, width, height }, [
    `${output}: ${width}×${height}`,
  ]);
  return exit.done;
}

async function encoded({ width, height, rgb }: Picture, file: string): Promise<Uint8Array> {
  if (/\.ppm$/i.test(file)) return Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]);
  const { encode } = await import("fast-png");
  return encode({ width, height, data: rgb, channels: 3, depth: 8 });
}

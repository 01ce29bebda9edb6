/** What makes an instance on a libvirt host, as steps in order: the same ones are shown beforehand and carried out. */
import { type Command, sh } from "../ssh/command.ts";
import { type CloudFile, cloudFiles } from "../tools/cloud-init.ts";
import { type ImageFacts, mebibytes } from "../tools/disk-image.ts";
import {
  type CloudFiles,
  defineCommand,
  fillVolume,
  growVolume,
  installCommand,
  makeVolume,
  printCommand,
  refreshPool,
  type Volume,
  volumeName,
} from "../tools/virt-install.ts";
import type { CreateStep, LibvirtRequest } from "./create-types.ts";

export type Step = {
  step: CreateStep;
  /** What happens now, for people. */
  text: string;
} & (
  | {
      kind: "run";
      command: Command;
      /** Made by this step: to be taken away when a later one fails. */
      makes: Volume | null;
    }
  /** Removes what was only needed on the way. */
  | { kind: "tidy"; command: Command }
  /** A file of cloud-init. */
  | { kind: "write"; path: string; content: string }
  /** A local file that is sent. */
  | { kind: "send"; localFile: string; path: string }
  /** Prints a definition, which is then defined. */
  | { kind: "define"; print: Command; define: Command }
  /** Makes and starts the domain. */
  | { kind: "install"; command: Command }
);

/** Only its owner may look in, and its name is known before it is there. */
const cloudDirectory = (request: LibvirtRequest) => `/tmp/virtu-${request.uuid}`;

function imageSteps(uri: string, volume: Volume, image: string, facts: ImageFacts, sizeMiB: number | null): Step[] {
  const own = mebibytes(facts.virtualBytes);
  const format = facts.format === "qcow2" ? "qcow2" : "raw";
  const steps: Step[] = [
    {
      ...{ kind: "run", step: "disk", text: `making the volume ${volume.pool}/${volume.volume}`, makes: volume },
      command: makeVolume(uri, volume, own, format),
    },
    {
      ...{ kind: "run", step: "disk", text: `copying ${image} (${mebibytes(facts.bytes)} MiB)`, makes: null },
      command: fillVolume(uri, volume, image),
    },
    {
      ...{ kind: "run", step: "disk", text: `reading the pool ${volume.pool} anew`, makes: null },
      command: refreshPool(uri, volume.pool),
    },
  ];
  if (sizeMiB !== null && sizeMiB > own) {
    steps.push({
      ...{ kind: "run", step: "disk", text: `growing it to ${sizeMiB} MiB`, makes: null },
      command: growVolume(uri, volume, sizeMiB),
    });
  }
  return steps;
}

/** The volume that an image is copied to: its format is the image's. */
function copyTarget({ name, media }: LibvirtRequest, facts: ImageFacts): Volume | null {
  if ((media.kind !== "import" && media.kind !== "cloud") || media.copy === null) return null;
  const { pool, volume } = media.copy;
  return { pool, volume: volume ?? volumeName(name, 0, facts.format === "qcow2" ? "qcow2" : "raw") };
}

/** Volumes to be made for the new disks; those without a name are counted after the image. */
function newVolumes(request: LibvirtRequest): (Volume & { sizeMiB: number; format: "qcow2" | "raw" })[] {
  const { media } = request;
  const hasImage = media.kind === "import" || media.kind === "cloud";
  return request.disks.flatMap((disk, index) => {
    if (disk.kind !== "new") return [];
    const volume = disk.volume ?? volumeName(request.name, index + (hasImage ? 1 : 0), disk.format);
    return [{ pool: disk.pool, volume, sizeMiB: disk.sizeMiB, format: disk.format }];
  });
}

/** `facts` of the image that is to be copied; null where there is none. */
export function libvirtSteps(uri: string, request: LibvirtRequest, facts: ImageFacts | null): Step[] {
  const { media } = request;
  const steps: Step[] = [];
  const made: Volume[] = [];
  let cloud: CloudFiles | null = null;
  if (media.kind === "iso" && media.upload !== null) {
    steps.push({
      kind: "send",
      step: "upload",
      text: `sending ${media.upload}`,
      localFile: media.upload,
      path: media.path,
    });
  }
  if (media.kind === "cloud") {
    const directory = cloudDirectory(request);
    const files: CloudFile[] = cloudFiles(media.cloudInit, request.uuid, request.nics[0]?.mac ?? null);
    cloud = { directory, hasNetwork: files.some(({ name }) => name === "network-config") };
    const text = "writing what cloud-init reads";
    steps.push({ kind: "run", step: "disk", text, command: sh`mkdir -m 700 ${directory}`, makes: null });
    for (const { name, content } of files) {
      steps.push({ kind: "write", step: "disk", text, path: `${directory}/${name}`, content });
    }
  }
  const target = facts === null ? null : copyTarget(request, facts);
  if (target !== null && facts !== null && (media.kind === "import" || media.kind === "cloud")) {
    made.push(target);
    steps.push(...imageSteps(uri, target, media.image, facts, media.copy?.sizeMiB ?? null));
  }
  for (const { sizeMiB, format, ...volume } of newVolumes(request)) {
    made.push(volume);
    steps.push({
      ...{ kind: "run", step: "disk", text: `making the volume ${volume.pool}/${volume.volume}`, makes: volume },
      command: makeVolume(uri, volume, sizeMiB, format),
    });
  }
  if (request.start) {
    const command = installCommand(uri, request, made, cloud);
    steps.push({ kind: "install", step: "create", text: "virt-install makes it and starts it", command });
  } else {
    const [print, define] = [printCommand(uri, request, made), defineCommand(uri)];
    steps.push({ kind: "define", step: "create", text: "virt-install writes its definition", print, define });
  }
  if (cloud !== null) {
    const text = "removing cloud-init's files";
    steps.push({ kind: "tidy", step: "create", text, command: sh`rm -r ${cloud.directory}` });
  }
  return steps;
}

/** A step as the exact line that runs, or what is done instead of one. */
export function stepLine(step: Step): string {
  if (step.kind === "write") return `# upload ${step.path} (${Buffer.byteLength(step.content)} bytes)`;
  if (step.kind === "send") return `# upload ${step.localFile} to ${step.path}, then sha256sum it there`;
  if (step.kind === "define") return `${step.print.line} | ${step.define.line}`;
  return step.command.line;
}

/**
 * `gnt-instance add` and what belongs to it (Ganeti 3.0 and 3.1). Measured on 3.0.2 and 3.1.0~rc2: `--submit` prints
 * `JobID: N` on stderr; `--no-name-check` and `--no-ip-check` are taken by both (3.1 warns that they do nothing), while
 * `--name-check` and `--ip-check` exist in 3.1 only; `remove` without `-f` and without a terminal ends with 1 in silence.
 */
import type { GanetiRequest, NicRequest } from "../instances/create-types.ts";
import type { Command } from "../ssh/command.ts";
import { findJobOf, type GanetiAccess, gnt } from "./ganeti.ts";

/** Parameters as one word of `-B`, `-H`, `-O`: a comma in a value is escaped, as Ganeti splits at bare ones. */
function pairs(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([key, value]) => `${key}=${value.replaceAll(/[\\,]/g, "\\$&")}`)
    .join(",");
}

function nicWords(nics: readonly NicRequest[] | null): string[] {
  if (nics === null) return [];
  if (nics.length === 0) return ["--no-nics"];
  return nics.flatMap((nic, index) => {
    const parameters: Record<string, string> = {};
    if (nic.network !== null) parameters["network"] = nic.network;
    if (nic.link !== null) parameters["link"] = nic.link;
    if (nic.mac !== null) parameters["mac"] = nic.mac;
    if (nic.ip !== null) parameters["ip"] = nic.ip;
    return ["--net", [String(index), pairs(parameters)].filter(Boolean).join(":")];
  });
}

/** Ganeti 3.1 and later look names up only when they are told to. */
function checksByDefault(version: string | null): boolean {
  const [, major = "3", minor = "0"] = /^(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  return Number(major) < 3 || (Number(major) === 3 && Number(minor) < 1);
}

function checkWords(request: GanetiRequest, version: string | null): string[] {
  const asked = checksByDefault(version) ? [] : [request.nameCheck && "--name-check", request.ipCheck && "--ip-check"];
  const unasked = [!request.nameCheck && "--no-name-check", !request.ipCheck && "--no-ip-check"];
  return [...asked, ...(checksByDefault(version) || version === null ? unasked : [])].filter((word) => word !== false);
}

/** Everything of `gnt-instance add` but the name and `--submit`. `version` as `gnt-cluster info` gives it, or null. */
function addWords(request: GanetiRequest, version: string | null): string[] {
  const { placement, hypervisor, hypervisorParameters } = request;
  const words = ["-t", request.diskTemplate, "-o", request.os];
  if (Object.keys(request.osParameters).length > 0) words.push("-O", pairs(request.osParameters));
  request.disksMiB.forEach((size, index) => {
    words.push("--disk", `${index}:size=${size}M`);
  });
  const backend = { memory: `${request.memoryMiB}M`, vcpus: String(request.vcpus), ...request.backendParameters };
  words.push("-B", pairs(backend));
  if (hypervisor !== null) {
    const parameters = pairs(hypervisorParameters);
    words.push("-H", parameters === "" ? hypervisor : `${hypervisor}:${parameters}`);
  }
  if (placement.kind === "allocator") {
    // `.` is the cluster's default allocator.
    words.push("-I", placement.name ?? ".");
  } else words.push("-n", [placement.primary, placement.secondary].filter((node) => node !== null).join(":"));
  words.push(...nicWords(request.nics));
  if (request.tags.length > 0) words.push("--tags", request.tags.join(","));
  if (!request.install) words.push("--no-install");
  else if (!request.start) words.push("--no-start");
  return [...words, ...checkWords(request, version)];
}

/** Submits the making of an instance as a job. */
export function addCommand(access: GanetiAccess, request: GanetiRequest, version: string | null): Command {
  return gnt(access, "gnt-instance", ["add", "--submit", ...addWords(request, version), request.name]);
}

/** Runs Ganeti's checks alone, allocator included, and makes nothing. Not `--submit`: its log is the answer. */
export function tryAddCommand(access: GanetiAccess, request: GanetiRequest, version: string | null): Command {
  return gnt(access, "gnt-instance", ["add", "--dry-run", ...addWords(request, version), request.name]);
}

/** Removes what a failed job left, without asking. */
export function removeCommand(access: GanetiAccess, name: string): Command {
  return gnt(access, "gnt-instance", ["remove", "--submit", "-f", name]);
}

/** The newest job of the last `withinSeconds` that makes this instance; stdout of `recentJobsCommand`. */
export function findAddJob(stdout: string, name: string, withinSeconds: number): string | null {
  return findJobOf(stdout, `INSTANCE_CREATE(${name})`, withinSeconds);
}

export function findRemoveJob(stdout: string, name: string, withinSeconds: number): string | null {
  return findJobOf(stdout, `INSTANCE_REMOVE(${name})`, withinSeconds);
}

/** Whether a name is in the cluster, and on which node: its row, by the exact name. */
export function whereCommand(access: GanetiAccess, name: string): Command {
  // A filter, because a bare name would be taken for whatever instance begins so, and an unknown one for an error.
  const filter = `name == "${name.replaceAll(/["\\]/g, "")}"`;
  const table = ["--no-headers", "--separator=|", "-o", "name,pnode,nic.ips,status", "--filter", filter];
  return gnt(access, "gnt-instance", ["list", ...table]);
}

/** The row of `whereCommand`, or null when there is none. `ip` null where Ganeti knows none. */
export function parseWhere(
  stdout: string,
  name: string,
): { node: string | null; ip: string | null; status: string } | null {
  for (const line of stdout.split("\n")) {
    const [found, node = "", ips = "", status = ""] = line.split("|");
    if (found !== name) continue;
    const [ip = ""] = ips.split(",");
    return { node: node === "" || node === "-" ? null : node, ip: /^[\d.:a-f]+$/i.test(ip) ? ip : null, status };
  }
  return null;
}

/** Where an allocator put an instance, in a line of a job's log: `Selected nodes for instance X via iallocator hail: A, B`. */
export function parseSelected(message: string): { allocator: string; nodes: string[] } | null {
  const found = /Selected nodes for instance \S+ via iallocator (\S+): (.+)$/.exec(message);
  return found ? { allocator: found[1] ?? "", nodes: (found[2] ?? "").split(", ") } : null;
}

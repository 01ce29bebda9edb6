/** What `oarsub -l` asks for. */
import { type Condition, ConditionError, parseCondition } from "./condition.ts";
import type { Testbed } from "./testbed.ts";

/** A refusal, as oarsub ends with it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly stderr: string,
    /** `OAR_JOB_ID=-5` is printed before it. */
    readonly negativeId = false,
  ) {
    super(stderr);
  }
}

export interface Wanted {
  nodes: number;
  /** Blocks of `/subnetBits`, each all of its /22. */
  subnets: number;
  subnetBits: number;
  walltime: number;
  /** Of the nodes. */
  fits: Condition;
  /** As `wanted_resources` shows the groups. */
  groups: string;
  /** The site's rules had to put in a walltime. */
  defaultWalltime: boolean;
}

const nodeWords = new Set(["nodes", "network_address", "host"]);
const verify = "[ERROR] Oarsub failed, please verify your request syntax.\n";

/** `2`, `2:30`, `2:30:00`; a fourth field is dropped and any number of minutes is taken, as OAR does. Null for nonsense. */
export function walltimeSeconds(text: string): number | null {
  if (!/^\d+(?::\d+){0,3}$/.test(text)) return null;
  const [hours = 0, minutes = 0, seconds = 0] = text.split(":").map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

/** `1:0:0`, not padded, as OAR writes durations. */
export function oarDuration(seconds: number): string {
  const whole = Math.abs(seconds);
  return `${Math.floor(whole / 3600)}:${Math.floor((whole % 3600) / 60)}:${whole % 60}`;
}

function noColumn(name: string): Refused {
  const text = `ERROR:  column "${name}" does not exist\nLINE 1: SELECT  ${name}, resource_id\n                ^`;
  return new Refused(
    8,
    `DBD::Pg::st execute failed: ${text} at /usr/share/perl5/OAR/IO.pm line 1203.\nBad resource request (${text})\n${verify}`,
    true,
  );
}

function badCondition(message: string): Refused {
  const text = `ERROR:  ${message}`;
  return new Refused(
    8,
    `DBD::Pg::st execute failed: ${text} at /usr/share/perl5/OAR/IO.pm line 1203.\nBad resource request (${text})\n${verify}`,
    true,
  );
}

function condition(text: string, columns: readonly string[]): Condition {
  try {
    return parseCondition(text, columns);
  } catch (thrown) {
    throw thrown instanceof ConditionError ? badCondition(thrown.message) : thrown;
  }
}

/** Parses a request; throws `Refused` as OAR refuses. */
export function parseRequest(resources: string, properties: string | null, testbed: Testbed): Wanted {
  const [sample] = testbed.resources;
  const columns = sample ? Object.keys(testbed.properties(sample)) : [];
  const comma = resources.lastIndexOf(",walltime=");
  const given = comma < 0 ? null : resources.slice(comma + ",walltime=".length);
  const walltime = given === null ? 7200 : walltimeSeconds(given);
  if (walltime === null) throw new Refused(255, `/!\\ Cannot recognize -- ,walltime=${given} -- resource\n`);
  const wanted: Wanted = {
    nodes: 0,
    subnets: 0,
    subnetBits: 22,
    walltime,
    fits: () => true,
    groups: "",
    defaultWalltime: given === null,
  };
  const conditions: Condition[] = properties === null ? [] : [condition(properties, columns)];
  const groups: string[] = [];
  // A group's condition may hold any sign, so groups are cut at a `+` outside of braces.
  for (const group of (comma < 0 ? resources : resources.slice(0, comma)).match(/(?:\{[^}]*\}|[^+])+/g) ?? []) {
    const braces = /^\{([^}]*)\}\/?/.exec(group);
    const rest = braces ? group.slice(braces[0].length) : group;
    let multiply = 1;
    let type = "default";
    let last = "";
    for (const level of rest.replace(/^\//, "").split("/")) {
      const match = /^(\w+)=(\d+|ALL|BEST)$/.exec(level);
      if (!match) throw new Refused(255, `/!\\ Cannot recognize the resource description : ${level}\n`);
      const [, name = "", count = ""] = match;
      if (name !== "nodes" && !columns.includes(name)) throw noColumn(name);
      if (name === "core" || name === "cpu") {
        throw new Refused(254, `[ADMISSION RULE] '${name}' resource is not allowed with a deploy job\n\n`);
      }
      const bits = /^slash_(\d+)$/.exec(name)?.[1];
      if (bits) [type, wanted.subnetBits] = ["subnet", Number(bits)];
      multiply *= count === "ALL" || count === "BEST" ? testbed.nodes.length : Number(count);
      last = nodeWords.has(name) ? `network_address=${count}` : `${name}=${count}`;
    }
    if (type === "subnet") wanted.subnets += multiply;
    else {
      wanted.nodes += multiply;
      if (braces?.[1]) conditions.push(condition(braces[1], columns));
    }
    const own = braces?.[1] ? `(${braces[1]}) AND ` : "";
    groups.push(type === "subnet" ? `{${own}type='subnet'}/${last}` : `{${own}type = 'default'}/${last}`);
  }
  wanted.fits = (row) => conditions.every((one) => one(row));
  wanted.groups = groups.join("+");
  return wanted;
}

/** OAR refuses at once what could never be, whoever holds the nodes now. */
export function checkPossible(wanted: Wanted, testbed: Testbed): void {
  const usable = testbed.nodes.filter((node) => {
    const [core] = testbed.coresOf(node);
    return node.state !== "Dead" && core && wanted.fits(testbed.properties(core));
  });
  const subnets = testbed.resources.filter(({ subnet }) => subnet !== null).length >> (22 - wanted.subnetBits);
  if (wanted.nodes + wanted.subnets === 0 || wanted.nodes > usable.length || wanted.subnets > subnets)
    throw notEnough();
}

export function notEnough(): Refused {
  return new Refused(8, `There are not enough resources for your request\n${verify}`, true);
}

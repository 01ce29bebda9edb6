/**
 * What one line of kadeploy3's output says, in both of its grammars: that of 3.2 and later, and that of 3.1 (2012).
 * A line that means nothing for the nodes gives null. Pure.
 */

/** Where a line belongs: Kadeploy splits its nodes into sets as some of them fail, and names the set before each line. */
export interface Addressed {
  /** Multi-server mode: the server's name; else empty. */
  server: string;
  /** `0` without a prefix; `1`, `c2`, `c2.1` with one. */
  set: string;
  text: string;
}

export type KadeployEvent =
  | { kind: "workflow"; id: string }
  | { kind: "launch"; nodes: string | null }
  | { kind: "discard"; nodes: string }
  /** `nodes` only in the grammar of 2012. */
  | { kind: "step"; instance: string; nodes: string | null }
  | { kind: "micro"; name: string }
  /** 2012: the micro-step is named on a line of its own, before the nodes that it is for. */
  | { kind: "micro-name"; name: string }
  | { kind: "micro-nodes"; nodes: string }
  | { kind: "micro-failed"; nodes: string; name: string }
  | { kind: "step-failed"; nodes: string; instance: string; seconds: number }
  | { kind: "timeout"; name: string | null }
  | { kind: "step-end"; instance: string; seconds: number }
  | { kind: "nodes-end"; nodes: string; seconds: number }
  | { kind: "nodes-failed"; nodes: string }
  | { kind: "split" }
  | { kind: "split-row"; set: string; nodes: string }
  | { kind: "ok-list" }
  | { kind: "ko-list" }
  | { kind: "cancelled" }
  /** Output that belongs to a deployment on its way, of no meaning for the nodes. */
  | { kind: "other" };

const setName = "c?\\d+(?:\\.\\d+)*";
const serverPrefix = new RegExp(`^\\[(?!${setName}\\])([^\\]\\s]+)\\] `);
const setPrefix = new RegExp(`^(?:\\[(${setName})\\]|\\((\\d+)\\)) `);

/** Takes the prefixes off: `[server] ` padded to ten columns or `SITE server: `, then `[c1.2] ` or `(1) `. */
export function address(line: string): Addressed {
  let server = "";
  let text = line;
  const modern = serverPrefix.exec(text);
  const old = /^(\S+) server: /.exec(text);
  if (modern?.[1]) {
    server = modern[1];
    text = text.slice(Math.max(10, modern[0].length));
  } else if (old?.[1]) {
    server = old[1];
    text = text.slice(old[0].length);
  }
  const set = setPrefix.exec(text);
  if (!set) return { server, set: "0", text };
  return { server, set: set[1] ?? set[2] ?? "0", text: text.slice(set[0].length) };
}

type Rule = [RegExp, (groups: string[]) => KadeployEvent];

const other = (): KadeployEvent => ({ kind: "other" });

/** The instances of a step are any word: today's Grid'5000 has some that no released Kadeploy has. */
const rules: Rule[] = [
  [/^ {2}([A-Za-z][\w.-]*)$/, ([name = ""]) => ({ kind: "micro", name })],
  [/^Performing a \w+\[(\w+)\] step$/, ([instance = ""]) => ({ kind: "step", instance, nodes: null })],
  [
    /^Performing a (\w+) step on the nodes: (.+)$/,
    ([instance = "", nodes = ""]) => ({ kind: "step", instance, nodes }),
  ],
  [/^--- (\S+) \(\S+ cluster\)$/, ([name = ""]) => ({ kind: "micro-name", name })],
  [/^ {2}>>> {2}(.+)$/, ([nodes = ""]) => ({ kind: "micro-nodes", nodes })],
  [
    /^End of step \w+\[(\w+)\] after (\d+)s$/,
    ([instance = "", n]) => ({ kind: "step-end", instance, seconds: Number(n) }),
  ],
  [/^!!! The nodes (.+) failed on step (\S+)$/, ([nodes = "", name = ""]) => ({ kind: "micro-failed", nodes, name })],
  [
    /^Step \w+\[(\w+)\] failed for (.+) after (\d+)s$/,
    ([instance = "", nodes = "", n]) => ({ kind: "step-failed", instance, nodes, seconds: Number(n) }),
  ],
  [/^Timeout in the (\S+) step, let's kill the instance$/, ([name = ""]) => ({ kind: "timeout", name })],
  [/^Timeout before the end of the step on cluster \S+, let's kill/, () => ({ kind: "timeout", name: null })],
  [/^(?:Nodeset \[[\w.]+\]|Nodeset\(\d+\)) split into :$/, () => ({ kind: "split" })],
  [new RegExp(`^ {2}\\[(${setName})\\] (.+)$`), ([set = "", nodes = ""]) => ({ kind: "split-row", set, nodes })],
  [/^ {2}Nodeset\((\d+)\): (.+)$/, ([set = "", nodes = ""]) => ({ kind: "split-row", set, nodes })],
  [/^The nodes (.+) are already involved in .+, let's discard them$/, ([nodes = ""]) => ({ kind: "discard", nodes })],
  [/^Launching a deployment \.\.\.$/, () => ({ kind: "launch", nodes: null })],
  [/^Launching a \w+ (?:of \S+ )?on (.+)$/, ([nodes = ""]) => ({ kind: "launch", nodes })],
  [
    /^End of deployment for (.+) after (\d+)s$/,
    ([nodes = "", n]) => ({ kind: "nodes-end", nodes, seconds: Number(n) }),
  ],
  [/^Deployment failed for (.+) after \d+s$/, ([nodes = ""]) => ({ kind: "nodes-failed", nodes })],
  [/^Deployment #(\S+) started$/, ([id = ""]) => ({ kind: "workflow", id })],
  [/^The deployment is successful on nodes\s*$|^Nodes correctly deployed on cluster/, () => ({ kind: "ok-list" })],
  [/^The deployment failed on nodes\s*$|^Nodes not correctly deployed on cluster/, () => ({ kind: "ko-list" })],
  [/SIGINT trapped/, () => ({ kind: "cancelled" })],
  [
    /^$|^---$|^(?:End of deployment on|Deployment #\S+ done|Deployment status|Grab the|Clusters involved|Do a local copy) ?|^ {2,}|^ [*!~] /,
    other,
  ],
];

/** What the line says, or null when Kadeploy prints no such line while it deploys: then it is likely an error's text. */
export function readLine(text: string): KadeployEvent | null {
  for (const [pattern, make] of rules) {
    const found = pattern.exec(text);
    if (found) return make(found.slice(1));
  }
  return null;
}

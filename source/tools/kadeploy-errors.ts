/** What kadeploy3 says when it does not deploy at all, in words of the user. */

export interface KadeployRefusal {
  why: string;
  hint: string | null;
}

/**
 * Kadeploy's API errors: `[Kadeploy Error #N]` on standard error, and N as exit status. Numbers from Kadeploy 3.3; a
 * client-side error has no number and exit status 1.
 */
const byCode: Record<number, KadeployRefusal> = {
  1: { why: "Kadeploy no longer knows this deployment", hint: "Start it again." },
  2: { why: "Kadeploy does not accept the node list", hint: "Check that the nodes belong to this site." },
  3: { why: "Kadeploy's server and client on the frontend don't agree", hint: "Tell the site's administrators." },
  4: { why: "Kadeploy does not accept an option", hint: null },
  5: {
    why: "a file of the environment can't be read or is not as recorded",
    hint: "Check the files that the environment names.",
  },
  6: {
    why: "you have no right to deploy on all of these nodes",
    hint: "Deploy on the nodes of a running job of type deploy; a job that has ended or is of another type gives no right.",
  },
  7: { why: "the environment's description is not valid", hint: "Read it with kaenv3 -p, or mend the image file." },
  8: { why: "a custom operation is not valid", hint: null },
  9: { why: "the VLAN can't be used", hint: null },
  10: { why: "it exists already", hint: null },
  11: { why: "two elements of the request exclude each other", hint: null },
  12: { why: "an option is missing", hint: null },
  13: { why: "two options exclude each other", hint: null },
  14: {
    why: "all nodes are in another deployment already",
    hint: "Wait until that one has ended, or cancel it; then start again.",
  },
  15: { why: "Kadeploy could not run a command", hint: "Tell the site's administrators." },
  20: { why: "Kadeploy's database does not answer", hint: "Try again in a few minutes." },
  21: { why: "Kadeploy's file cache has failed", hint: "Try again in a few minutes." },
  22: { why: "Kadeploy's file cache is full", hint: "Use a smaller image, or try again later." },
  30: { why: "the environment is marked destructive", hint: "Use a job of type destructive." },
};

const byText: [RegExp, KadeployRefusal][] = [
  [/^All the nodes have been discarded/m, byCode[14] as KadeployRefusal],
  [
    /^The \S+ server is unreachable/m,
    { why: "Kadeploy's server does not answer", hint: "Try again in a few minutes; the nodes are as they were." },
  ],
  [
    /^Resource not found \/environments|The environment '.*' does not exist/m,
    {
      why: "there is no such environment",
      hint: "Choose one of virtu environments; a version or an owner may be wrong.",
    },
  ],
  [
    /does not belongs? to any server|node .* does not exist/im,
    { why: "Kadeploy does not know one of the nodes", hint: "Check that the job runs on this site." },
  ],
  [
    /^Unable to grab the file|^The file .* cannot be read|^File not found|^Cannot read file/m,
    { why: "a file can't be read on the frontend", hint: "Check its path and rights there." },
  ],
  [
    /^Invalid YAML file|should be in plain text format|Error\(.*\.(env|dsc|yaml|yml)\)/m,
    {
      why: "the image file is not YAML",
      hint: "A file of 2012 (`key : value`) must be written anew for today's Kadeploy.",
    },
  ],
  [/^You must choose an environment/m, { why: "no environment is chosen", hint: null }],
  [/^No node is chosen/m, { why: "no node is chosen", hint: null }],
  [/^Option parsing error/m, { why: "this kadeploy3 does not know an option", hint: null }],
  [
    /kadeploy3: (command )?not found/m,
    { why: "there is no kadeploy3 on this host", hint: "Is it a frontend of a site with Kadeploy?" },
  ],
];

/** The number in `[Kadeploy Error #N]`, or null. */
export function errorCode(text: string): number | null {
  const found = /^\[Kadeploy Error #(\d+)\]/m.exec(text);
  return found ? Number(found[1]) : null;
}

/** Why kadeploy3 ended with this status and text without deploying. The text itself is shown under it. */
export function explainRefusal(text: string, status: number | null): KadeployRefusal {
  const code = errorCode(text);
  const coded = code === null ? undefined : byCode[code];
  if (coded) return coded;
  for (const [pattern, refusal] of byText)
    if (pattern.test(text.replace(/^(ERROR: |\S+ server: )+/gm, ""))) return refusal;
  if (status !== null && status > 128) {
    return {
      why: `kadeploy3 was killed on the frontend by signal ${status - 128}`,
      hint: "Kadeploy's server carries such a deployment on by itself; wait some minutes, then look at the nodes.",
    };
  }
  return {
    why: status === null ? "kadeploy3 did not end as it should" : `kadeploy3 ended with status ${status}`,
    hint: null,
  };
}

/** oarsub's refusals in the words of the user. */
import { VirtuError } from "../errors.ts";
import { count } from "../text.ts";
import type { Submission } from "../tools/oar-submit.ts";
import type { ReserveRequest, Site } from "./types.ts";
import { readDuration } from "./walltime.ts";

/** The error for a submission that was refused; null when it was not. */
export function refusalOf(
  site: Site,
  request: ReserveRequest,
  submission: Submission,
  status: number | null,
): VirtuError | null {
  const { refusal } = submission;
  if (refusal === null && (submission.jobId !== null || status === null)) return null;
  if (status === 0) {
    return new VirtuError({
      kind: "unparsed",
      what: "virtu can't tell whether the nodes are reserved",
      where: site.name,
      why: "oarsub ended well, but gave no job number that virtu can read",
      hint: `Look at your jobs ("virtu jobs --site ${site.name}") before you reserve again.`,
      detail: submission.text || undefined,
    });
  }
  const [why, hint] = words(request, submission, status);
  return new VirtuError({
    kind: "refused",
    what: "OAR refused the reservation",
    where: site.name,
    why,
    hint,
    detail: submission.text || undefined,
  });
}

/** A sentence of OAR as the end of one of ours. */
function clause(text: string): string {
  return text.replace(/\.$/, "").replace(/^([A-Z])(?=[a-z ])/, (letter) => letter.toLowerCase());
}

function words(request: ReserveRequest, submission: Submission, status: number | null): [string, string] {
  const about = submission.about ?? "";
  const filter = request.properties ? "properties" : "cluster";
  switch (submission.refusal) {
    case "resources": {
      const asked = `${count(request.nodes, "node")}${request.subnet === null ? "" : ` and a /${request.subnet} subnet`}`;
      const like = request.cluster || request.properties ? " that are so" : "";
      return [
        `this site does not have ${asked}${like}, not even when all are free`,
        `Ask for fewer nodes${like ? `, or change the ${filter}` : ""}.`,
      ];
    }
    case "property":
      return /^slash_/.test(about)
        ? ["this site lends no such subnets", "Reserve without a subnet, or with a /22."]
        : [
            `OAR has no property named ${about}`,
            "Check the name; if it is meant as text, put it in single quotes: cluster='paravance'.",
          ];
    case "condition":
      return [
        "the properties are no condition that its database understands",
        "Write them as SQL: memnode > 100000 AND disktype='SSD'.",
      ];
    case "queue":
      return [`it has no queue named ${about}`, "Leave the queue empty for the default one."];
    case "root":
      return ["root can't submit jobs", "Connect to the frontend as an ordinary user."];
    case "rule":
      if (/advance reservations/.test(about)) {
        return [clause(about), "Start as soon as possible, or release one of your waiting reservations first."];
      }
      return [`a rule of this site: ${clause(about)}`, "Change what the rule speaks of."];
    case "reservation":
      if (submission.possibleStart) {
        return [
          `${count(request.nodes, "node")} for ${readDuration(request.walltimeSeconds)} can't be had at ${request.start ?? "that time"}`,
          `They could start at ${submission.possibleStart}; or ask for fewer nodes or less time.`,
        ];
      }
      if (/too old/i.test(about))
        return ["that date has passed on the frontend", "Choose a later start, in the site's own time."];
      return [
        about ? clause(about) : "the reservation can't be met",
        "Choose another start, fewer nodes or less time.",
      ];
    case "date":
      return ["it can't read the date", "Write the start as 2026-03-02 19:00:00, in the site's time."];
    case "syntax":
      return [
        about ? `it does not understand ${about}` : "it does not understand the command",
        "This OAR may be of another kind than virtu knows; compare with oarsub --help there.",
      ];
    default:
      return [`oarsub ended with status ${status} and gave no job number`, "Read its own words below."];
  }
}

/** The plan that makes fresh nodes ready: who is let in, keys among the nodes, packages, password, names, time. Pure. */
import { createHash } from "node:crypto";
import { count } from "../text.ts";
import { packagesCheck, packagesScript, upgradeCheck, upgradeScript } from "../tools/apt.ts";
import {
  extraCheck,
  extraScript,
  localeCheck,
  localeScript,
  timezoneCheck,
  timezoneScript,
} from "../tools/host-setup.ts";
import { namesOf } from "../tools/hosts-file.ts";
import { knownHostsBlock, letInCheck, letInScript, pairCheck, pairScript, pairUndo } from "../tools/keys.ts";
import { blockCheck, blockScript, blockUndo } from "../tools/marked-block.ts";
import { passwordCheck, passwordScript } from "../tools/password.ts";
import { parsePublicKey } from "../tools/public-key.ts";
import {
  type ConfigureRequest,
  keyPairSecret,
  type NodeStates,
  passwordSecret,
  userKeySecret,
} from "./configure-types.ts";
import { fullNameOf, listSteps, nameSteps, stateOf } from "./node-steps.ts";
import type { Plan, PlanNode, Step } from "./plan.ts";
import { cell, type StepDraft, step, stepsOf } from "./plan-steps.ts";

/** File of the nodes' own key pair, below /root/.ssh. */
export const pairFile = "id_ed25519";

export function planConfigure(request: ConfigureRequest, states: NodeStates): Plan {
  const nodes = request.nodes.filter(({ name }) => states.has(name));
  const drafts = [
    ...nameSteps(nodes, states),
    ...keySteps(request, nodes, states),
    ...packageSteps(request, nodes),
    ...settingSteps(request, nodes),
    ...extraSteps(request, nodes),
  ];
  return {
    kind: "configure",
    title: `configure ${count(nodes.length, "node")}`,
    site: request.site,
    jobId: request.jobId,
    nodes,
    steps: stepsOf(drafts),
    minimum: request.minimum,
  };
}

function keySteps(request: ConfigureRequest, nodes: readonly PlanNode[], states: NodeStates): StepDraft[] {
  const { pair, copyKey } = request;
  // A node that has a key of its own keeps it, and is let in by that.
  const hasOther = (node: PlanNode) => {
    const { ownKey } = stateOf(states, node);
    return ownKey !== null && pair !== null && parsePublicKey(ownKey) !== parsePublicKey(pair.publicKey);
  };
  const others = pair === null ? [] : nodes.filter(hasOther).flatMap((node) => stateOf(states, node).ownKey ?? []);
  const letIn = [...request.publicKeys, ...(pair ? [pair.publicKey] : []), ...others];
  const unlike = letIn.filter(
    (key, index) => letIn.findIndex((one) => parsePublicKey(one) === parsePublicKey(key)) === index,
  );
  const known = knownHostsBlock(
    nodes.map((node) => {
      const { address, hostKeys } = stateOf(states, node);
      return {
        names: [...namesOf(fullNameOf(node, states), node.name), ...(address ? [address] : [])],
        keys: hostKeys,
      };
    }),
  );
  return [
    step({
      id: "let-in",
      title: "Let the keys in as root",
      why: "So that you, and the nodes among themselves, log in without a password.",
      changes: "Missing lines are added to /root/.ssh/authorized_keys; nothing is removed.",
      cells: unlike.length === 0 ? [] : nodes.map(({ name }) => [name, cell(letInCheck(unlike), letInScript(unlike))]),
    }),
    step({
      id: "key-pair",
      title: "Give the nodes their key pair",
      why: "The nodes reach one another as root by a pair made for this job; your own private key stays with you.",
      changes: `/root/.ssh/${pairFile} and its public half.`,
      secret: keyPairSecret,
      cells:
        pair === null
          ? []
          : nodes
              .filter((node) => !hasOther(node))
              .map(({ name }) => [
                name,
                cell(
                  pairCheck(pair.publicKey, pairFile),
                  pairScript(pair.publicKey, pairFile),
                  pairUndo(pair.publicKey, pairFile),
                ),
              ]),
    }),
    step({
      id: "known-hosts",
      title: "Tell the nodes one another's host keys",
      why: "So that no ssh among them asks whether the host is the right one.",
      changes: "A marked block in /etc/ssh/ssh_known_hosts.",
      cells:
        known.lines.length === 0
          ? []
          : nodes.map(({ name }) => [name, cell(blockCheck(known), blockScript(known), blockUndo(known))]),
    }),
    step({
      id: "copy-key",
      title: "Copy your private key",
      why: "You asked for it. Whoever is root on a node can use this key wherever it is let in.",
      changes: `/root/.ssh/${copyKey?.fileName ?? ""} and its public half.`,
      secret: userKeySecret,
      cells:
        copyKey === null
          ? []
          : nodes.map(({ name }) => [
              name,
              cell(
                pairCheck(copyKey.publicKey, copyKey.fileName),
                pairScript(copyKey.publicKey, copyKey.fileName),
                pairUndo(copyKey.publicKey, copyKey.fileName),
              ),
            ]),
    }),
  ];
}

function packageSteps(request: ConfigureRequest, nodes: readonly PlanNode[]): StepDraft[] {
  const named = request.locale !== null && !/^(?:C|POSIX)(?:\.|$)/.test(request.locale);
  if (!request.upgrade && !named) return [];
  return [
    ...listSteps(nodes),
    step({
      id: "upgrade",
      title: "Upgrade all packages",
      why: "Images age; a node starts with today's corrections.",
      changes: "All packages that have a newer version. Configuration files that somebody changed stay as they are.",
      needs: ["lists"],
      progress: "apt",
      limitSeconds: 7200,
      usualSeconds: 90,
      cells: request.upgrade ? nodes.map(({ name }) => [name, cell(upgradeCheck(), upgradeScript())]) : [],
    }),
    step({
      id: "locales",
      title: "Install the locales' package",
      why: `The locale ${request.locale} is made from it.`,
      changes: "The package locales.",
      needs: ["lists", "upgrade"],
      progress: "apt",
      limitSeconds: 1800,
      usualSeconds: 10,
      cells: named
        ? nodes.map(({ name }) => [name, cell(packagesCheck(["locales"]), packagesScript(["locales"]))])
        : [],
    }),
  ];
}

function settingSteps({ password, timezone, locale }: ConfigureRequest, nodes: readonly PlanNode[]): StepDraft[] {
  return [
    step({
      id: "password",
      title: "Set root's password",
      why: "Images come with a password that everybody knows, or with none for the console.",
      changes: "Root's line in /etc/shadow. The password goes over standard input and is kept nowhere else.",
      secret: passwordSecret,
      cells:
        password === null
          ? []
          : nodes.map(({ name }) => [name, cell(passwordCheck(password.mark), passwordScript(password.mark))]),
    }),
    step({
      id: "timezone",
      title: "Set the time zone",
      why: "You asked for it.",
      changes: "/etc/localtime.",
      needs: ["upgrade"],
      cells:
        timezone === null
          ? []
          : nodes.map(({ name }) => [name, cell(timezoneCheck(timezone), timezoneScript(timezone))]),
    }),
    step({
      id: "locale",
      title: "Set the locale",
      why: "You asked for it.",
      changes: "/etc/default/locale, and the locale itself where it is missing.",
      needs: ["locales"],
      cells: locale === null ? [] : nodes.map(({ name }) => [name, cell(localeCheck(locale), localeScript(locale))]),
    }),
  ];
}

function extraSteps(request: ConfigureRequest, nodes: readonly PlanNode[]): StepDraft[] {
  return request.extras.map(({ title, script }, index) => {
    const digest = createHash("sha256").update(script).digest("hex").slice(0, 16);
    const before = request.extras[index - 1] ? [`extra-${index}`] : everythingElse;
    return step({
      id: `extra-${index + 1}`,
      title,
      why: "One of your own steps.",
      changes: "Whatever it does; it is not run again on a node where it ended well.",
      needs: before,
      limitSeconds: 7200,
      usualSeconds: 5,
      cells: nodes.map(({ name }) => [name, cell(extraCheck(digest), extraScript(script, digest))]),
    });
  });
}

const everythingElse: readonly Step["id"][] = [
  "host-name",
  "hosts",
  "clock",
  "let-in",
  "key-pair",
  "known-hosts",
  "copy-key",
  "repair",
  "lists",
  "upgrade",
  "locales",
  "password",
  "timezone",
  "locale",
];

/** The form that configures nodes: its fields, what is wrong with them, what they mean. Pure. */
import path from "node:path";
import type { ConfigureChoice } from "../../journey/configure-choice.ts";
import type { NodeStates } from "../../journey/configure-types.ts";
import { passwordError, strengthText } from "../../store/passwords.ts";
import { count } from "../../text.ts";
import type { FormField, Values } from "../components/form.tsx";
import { parseMinimum } from "./deploy-text.ts";

const of = (values: Values, id: string): string => values[id] ?? "";
const yesNo = (yes: string, no: string) => [
  { value: "yes", label: yes },
  { value: "no", label: no },
];

/** Fields of the form; `keys` are paths of public keys of this machine, `home` the user's home. */
export function configureFields(keys: readonly string[], home: string): FormField[] {
  const short = (file: string) => (file.startsWith(`${home}${path.sep}`) ? `~${file.slice(home.length)}` : file);
  const typed = (values: Values) => values["password"] === "typed";
  return [
    {
      id: "upgrade",
      label: "Upgrade",
      kind: "choice",
      choices: yesNo("update and full upgrade", "leave the packages"),
    },
    {
      id: "password",
      label: "Password",
      kind: "choice",
      choices: [
        { value: "leave", label: "leave it as it is" },
        { value: "generated", label: "make one, shown once" },
        { value: "typed", label: "type one" },
      ],
    },
    { id: "new", label: "  new one", kind: "secret", width: 24, shown: typed },
    { id: "again", label: "  once more", kind: "secret", width: 24, shown: typed },
    {
      id: "key",
      label: "Let in",
      kind: "choice",
      choices: [
        { value: "", label: "who has access already" },
        ...(keys.length > 1 ? [{ value: "*", label: `all ${keys.length} keys of ~/.ssh` }] : []),
        ...keys.map((file) => ({ value: file, label: short(file) })),
      ],
    },
    { id: "pair", label: "Node to node", kind: "choice", choices: yesNo("a key pair of their own", "no keys") },
    { id: "copyKey", label: "Copy my key", kind: "text", width: 24 },
    { id: "timezone", label: "Time zone", kind: "text", width: 24, help: "empty: as it is" },
    { id: "locale", label: "Locale", kind: "text", width: 24, help: "empty: as it is; C.UTF-8 is always there" },
    { id: "command", label: "My command", kind: "text", width: 34, help: "run as root at the end" },
    { id: "scripts", label: "My scripts", kind: "text", width: 34, help: "files of this machine, commas" },
    { id: "minimum", label: "Enough when", kind: "text", width: 7, initial: "100%" },
  ];
}

/** File names of a field, separated by commas. */
const filesOf = (text: string) =>
  text
    .split(",")
    .map((file) => file.trim())
    .filter(Boolean);

export function configureErrors(values: Values, nodes: number): Record<string, string | null> {
  const minimum = parseMinimum(of(values, "minimum"), nodes);
  const wanted = of(values, "password") === "typed";
  const [first, second] = [of(values, "new"), of(values, "again")];
  const bad = wanted && first !== "" ? passwordError(first, first) : null;
  const zone = of(values, "timezone");
  const locale = of(values, "locale");
  return {
    new: bad,
    again: wanted && second !== "" && second !== first ? "the two are not the same" : null,
    copyKey: /\.pub$/.test(of(values, "copyKey")) ? "the private half, without .pub" : null,
    timezone: zone === "" || /^[A-Za-z][\w+/-]*$/.test(zone) ? null : "like Europe/Paris",
    locale: locale === "" || /^[\w.@-]+$/.test(locale) ? null : "like en_US.UTF-8",
    minimum: "error" in minimum ? minimum.error : null,
  };
}

/** What is still missing, or null. */
export function configureMissing(values: Values): string | null {
  if (of(values, "password") !== "typed") return null;
  return passwordError(of(values, "new"), of(values, "again"));
}

/** A value that all nodes have, or that they differ. */
function common(states: NodeStates, value: (name: string) => string | null): string {
  const found = new Set([...states.keys()].map((name) => value(name) ?? "unknown"));
  return found.size === 1 ? `now ${[...found][0]}` : `now ${found.size} different ones`;
}

export function configureMeanings(values: Values, states: NodeStates): Record<string, string> {
  const nodes = states.size;
  const minimum = parseMinimum(of(values, "minimum"), nodes);
  const typed = of(values, "new");
  const set = [...states.values()].filter(({ rootPassword }) => rootPassword === "set").length;
  return {
    upgrade: of(values, "upgrade") === "yes" ? "unattended; waits for other apt" : "",
    password:
      of(values, "password") === "leave"
        ? `root's is set on ${set} of ${count(nodes, "node")}`
        : "root's, by chpasswd from standard input",
    new: typed === "" ? "" : strengthText(typed),
    again: typed !== "" && of(values, "again") === typed ? "the same" : "",
    key: "added to root's authorized_keys",
    pair: of(values, "pair") === "yes" ? "each can log in on the others as root" : "",
    copyKey: of(values, "copyKey") === "" ? "empty: it stays here" : "whoever is root there can use it everywhere",
    timezone: of(values, "timezone") === "" ? common(states, (name) => states.get(name)?.timezone ?? null) : "",
    locale: of(values, "locale") === "" ? common(states, (name) => states.get(name)?.locale ?? null) : "",
    minimum: "minimum" in minimum ? `goes on alone while ${minimum.minimum} of ${count(nodes, "node")} are in` : "",
  };
}

/** What the form stands for; `keys` are all public keys that can be chosen. Call it only while nothing is wrong. */
export function configureChoice(values: Values, nodes: number, keys: readonly string[]): ConfigureChoice {
  const minimum = parseMinimum(of(values, "minimum"), nodes);
  const key = of(values, "key");
  const password = of(values, "password");
  return {
    publicKeyFiles: key === "" ? [] : key === "*" ? keys : [key],
    pair: of(values, "pair") === "yes",
    copyKeyFile: of(values, "copyKey") || null,
    upgrade: of(values, "upgrade") === "yes",
    password:
      password === "typed"
        ? { kind: "typed", value: of(values, "new") }
        : { kind: password === "generated" ? "generated" : "leave" },
    timezone: of(values, "timezone") || null,
    locale: of(values, "locale") || null,
    commands: [of(values, "command")].filter(Boolean),
    scriptFiles: filesOf(of(values, "scripts")),
    minimum: "minimum" in minimum ? minimum.minimum : nodes,
  };
}

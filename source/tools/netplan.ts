/** Netplan's YAML, rewritten so that a bridge takes over what an interface was. Block style only, as installers write it. */
import type { BridgeWish } from "./ifupdown.ts";

/** What names the device, and stays with it. */
const ofDevice = /^(?:match|set-name|wakeonlan|mtu|macaddress|optional|renderer|emit-lldp|receive-checksum-offload)$/;

const indentOf = (line: string) => line.length - line.trimStart().length;
const isText = (line: string) => line.trim() !== "" && !line.trim().startsWith("#");

/** Lines after `start` that belong to the key there: deeper ones, with the blank and comment lines between them. */
function blockEnd(lines: readonly string[], start: number): number {
  const indent = indentOf(lines[start] ?? "");
  let end = start + 1;
  for (let at = start + 1; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (!isText(line)) continue;
    // A list may stand at its key's own depth.
    if (indentOf(line) < indent || (indentOf(line) === indent && !line.trim().startsWith("- "))) break;
    end = at + 1;
  }
  return end;
}

const keyOf = (line: string) => /^\s*["']?([^"':\s]+)["']?:\s*(?:#.*)?$/.exec(line)?.[1] ?? null;

/** Line of the definition of the interface below `ethernets:`; -1: not in this file. */
function definition(lines: readonly string[], wish: BridgeWish): number {
  const top = lines.findIndex((line) => keyOf(line) === "ethernets");
  if (top < 0) return -1;
  const end = blockEnd(lines, top);
  const depth = indentOf(lines.slice(top + 1, end).find(isText) ?? "");
  for (let at = top + 1; at < end; at += 1) {
    const line = lines[at] ?? "";
    if (!isText(line) || indentOf(line) !== depth) continue;
    const body = lines.slice(at, blockEnd(lines, at)).join("\n");
    if (keyOf(line) === wish.port) return at;
    if (new RegExp(`^\\s*set-name:\\s*["']?${wish.port}["']?\\s*$`, "m").test(body)) return at;
    if (wish.mac && new RegExp(`^\\s*macaddress:\\s*["']?${wish.mac}["']?\\s*$`, "im").test(body)) return at;
  }
  return -1;
}

/** The file with the bridge in the interface's place; null: it does not define the interface in a form that is known here. */
export function rewriteNetplan(text: string, wish: BridgeWish): string | null {
  const lines = text.split("\n");
  const at = definition(lines, wish);
  const id = at < 0 ? null : keyOf(lines[at] ?? "");
  if (at < 0 || id === null) return null;
  const end = blockEnd(lines, at);
  const depth = indentOf(lines[at] ?? "");
  const body = lines.slice(at + 1, end);
  const inner = indentOf(body.find(isText) ?? "");
  const stays: string[] = [];
  const goes: string[] = [];
  let target = goes;
  for (const line of body) {
    if (isText(line) && indentOf(line) === inner && !line.trim().startsWith("- ")) {
      target = ofDevice.test(line.trim().split(":")[0] ?? "") ? stays : goes;
    }
    target.push(line);
  }
  const pad = " ".repeat(inner);
  const port = [lines[at] ?? "", `${pad}dhcp4: false`, `${pad}dhcp6: false`, ...stays];
  const mac = wish.mac === null ? [] : [`${pad}macaddress: ${wish.mac}`];
  const bridge = [
    `${" ".repeat(depth)}${wish.bridge}:`,
    `${pad}interfaces: [${id}]`,
    ...mac,
    `${pad}parameters: {stp: false, forward-delay: 0}`,
    ...goes,
  ];
  const rewritten = [...lines.slice(0, at), ...port, ...lines.slice(end)];
  const bridges = rewritten.findIndex((line) => keyOf(line) === "bridges");
  if (bridges >= 0) return [...rewritten.slice(0, bridges + 1), ...bridge, ...rewritten.slice(bridges + 1)].join("\n");
  const top = rewritten.findIndex((line) => keyOf(line) === "ethernets");
  const after = blockEnd(rewritten, top);
  const head = `${" ".repeat(indentOf(rewritten[top] ?? ""))}bridges:`;
  return [...rewritten.slice(0, after), head, ...bridge, ...rewritten.slice(after)].join("\n");
}

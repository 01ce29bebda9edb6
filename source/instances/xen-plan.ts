/** What an action on a Xen domain is made of: data that previews show and `xen-act.ts` carries out in turn. */
import type { Command } from "../ssh/command.ts";
import { type XlAccess, xlActionLimit, xlMemoryLimit } from "../tools/xl.ts";
import {
  askCommand,
  autostartCommand,
  createCommand,
  discardCommand,
  hardRebootCommand,
  migrateCommand,
  moveSavedCommand,
  removeCommand,
  renameCommand,
  restoreCommand,
  saveCommand,
  setMemoryCommand,
  setVcpusCommand,
  wordCommand,
  writeFileCommand,
  type XlSubject,
} from "../tools/xl-actions.ts";
import { withXlValue } from "../tools/xl-config.ts";
import type { Action } from "./types.ts";

export type XenStep =
  | { kind: "run"; command: Command; seconds: number; text: string }
  /** Its file, read, changed and written back; `check`: only if xl takes the new text. */
  | { kind: "edit"; file: string; change: (text: string) => string; shown: string; check: boolean };

export type XenPlan = { steps: XenStep[] } | { refusal: string };

/** The steps of an action, or why there are none for what it asks. Only for what `refusesXen` allows. */
export function planXen(access: XlAccess, action: Action, domain: XlSubject): XenPlan {
  const run = (command: Command, text = "xl runs", seconds = xlActionLimit): XenStep => ({
    kind: "run",
    command,
    text,
    // The remote limit ends xl; ours is for a host that does not even do that.
    seconds: seconds + 15,
  });
  const one = (command: Command, text?: string, seconds?: number): XenPlan => ({
    steps: [run(command, text, seconds)],
  });
  const { file, domainId } = domain;
  const present = domainId !== null;
  const edit = (key: Parameters<typeof withXlValue>[1], value: string | number): XenStep[] =>
    file === null
      ? []
      : [
          {
            kind: "edit",
            file,
            change: (text) => withXlValue(text, key, value),
            shown: `${key} = ${JSON.stringify(value)}`,
            check: false,
          },
        ];
  switch (action.do) {
    case "start":
      return file === null ? noFile : one(createCommand(access, file));
    case "shutdown":
      return one(askCommand(access, "shutdown", domain), "asking the guest to shut down");
    case "reboot":
      if (action.how !== "hard") return one(askCommand(access, "reboot", domain), "asking the guest to reboot");
      return file === null ? noFile : one(hardRebootCommand(access, domain, file), "ending it and starting it anew");
    case "force-off":
      return one(wordCommand(access, "destroy", domain));
    case "pause":
      return one(wordCommand(access, "pause", domain));
    case "resume":
      return one(wordCommand(access, "unpause", domain));
    case "save":
      return one(saveCommand(access, domain), "writing its memory", xlMemoryLimit);
    case "restore":
      return one(restoreCommand(access, domain), "reading its memory back", xlMemoryLimit);
    case "discard-save":
      return one(discardCommand(access, domain));
    case "autostart":
      return file === null ? noFile : one(autostartCommand(access, domain, file, action.on));
    case "rename":
      if (!isName(action.to)) return { refusal: `"${action.to}" is no name for a domain` };
      return {
        steps: [
          ...(present ? [run(renameCommand(access, domain, action.to))] : []),
          ...edit("name", action.to),
          ...(domain.saved ? [run(moveSavedCommand(access, domain.name, action.to))] : []),
        ],
      };
    case "remove":
      return one(removeCommand(access, domain, action.keepDisks), "removing its files");
    case "set-memory":
      return {
        steps: [
          ...(present ? [run(setMemoryCommand(access, domain, action.mebibytes))] : []),
          ...edit("memory", action.mebibytes),
        ],
      };
    case "set-vcpus":
      return {
        steps: [
          ...(present ? [run(setVcpusCommand(access, domain, action.count))] : []),
          ...edit("vcpus", action.count),
        ],
      };
    case "migrate":
      if (action.to === null) return { refusal: "name the Xen host to move it to" };
      return one(migrateCommand(access, domain, action.to), "moving it", xlMemoryLimit);
    case "define":
      if (file === null) return noFile;
      return {
        steps: [{ kind: "edit", file, change: () => action.text, shown: "the new text", check: true }],
      };
    default:
      return { refusal: "Xen's xl can't do that" };
  }
}

const noFile: XenPlan = { refusal: "no file in /etc/xen is its own" };

/** A name becomes a file's name and a word of xl; digits alone would be read as a domain's number. */
function isName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(name) && !/^\d+$/.test(name) && name !== "Domain-0";
}

/** The lines of a plan, as previews show them. */
export function linesOf(access: XlAccess, plan: XenPlan): string[] {
  if ("refusal" in plan) return [];
  return plan.steps.map((step) =>
    step.kind === "run"
      ? step.command.line
      : `${writeFileCommand(access, step.file, step.check).line}  # with ${step.shown}`,
  );
}

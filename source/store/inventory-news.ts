/** What the inventory tells, for the screen: the picture of now as often as can be afforded, and a line for each step of an action. */
import type { ActionItem } from "../instances/inventory-types.ts";
import type { LogLine } from "./known.ts";
import type { Workspace } from "./workspace.ts";

/**
 * An action on thousands changes the picture of them hundreds of times in a second. A picture of so many instances or more
 * is drawn up again only after so many milliseconds for each of them: keys are answered meanwhile.
 */
const largePicture = 1000;
const restForEach = 0.02;

/** Follows it for as long as it lives; what it returns ends what is still to come of a picture. */
export function followInventory(workspace: Workspace): () => void {
  tellActions(workspace);
  return followPicture(workspace);
}

function followPicture({ inventory, monitor, instances, store }: Workspace): () => void {
  let resting: NodeJS.Timeout | null = null;
  let missed = false;
  const onChange = () => {
    missed = resting !== null;
    if (missed) return;
    const view = inventory.view();
    monitor.see(view);
    store.dispatch({ type: "inventory", view });
    instances.see(view);
    const { length } = view.instances;
    if (length < largePicture) return;
    resting = setTimeout(() => {
      resting = null;
      if (missed) onChange();
    }, length * restForEach);
    resting.unref();
  };
  inventory.on("change", onChange);
  onChange();
  return () => clearTimeout(resting ?? undefined);
}

function tellActions(workspace: Workspace): void {
  const said = new Map<number, string>();
  let telling: ActionItem[] = [];
  workspace.inventory.on("action", (item) => {
    const { id, state, text, job } = item;
    // That one waits is for its row: of thousands it would fill the log.
    if (state === "queued") return;
    // A clock that counts is for the row; that an instance is seen again after the end is nothing to tell.
    const saying = `${state} ${text.replace(/\d+/g, "")} ${job}`;
    const isTold = said.get(id) === saying;
    // Seen again: that was the last of it.
    if (item.statusAfter === null) said.set(id, saying);
    else said.delete(id);
    if (isTold) return;
    telling.push(item);
    // Thousands are taken back in one turn.
    if (telling.length > 1) return;
    queueMicrotask(() => {
      workspace.logAll(telling.map(lineOf));
      telling = [];
    });
  });
}

function lineOf(item: ActionItem): Pick<LogLine, "level" | "where" | "text"> {
  const job = item.job && !item.text.includes(item.job) ? ` (job ${item.job})` : "";
  return {
    level: item.state === "failed" ? "error" : "info",
    where: `${item.host}/${item.name}`,
    text: `${item.action}: ${item.error ?? item.text}${job}`,
  };
}

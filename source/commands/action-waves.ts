/** `--wave`: the order in which an action is done to what is chosen. */
import { VirtuError } from "../errors.ts";
import type { InstanceRow, Inventory } from "../instances/inventory.ts";
import { choosesSomething, type Selector, testOf } from "../instances/selector.ts";
import { type Wave, waveOf, waveTitle } from "../instances/waves.ts";
import type { Session } from "./run.ts";
import { choose, type SelectOptions, selectorOfOptions } from "./selecting.ts";

export interface ChosenWaves {
  rows: readonly InstanceRow[];
  byRule: boolean;
  unseen: readonly string[];
  waves: Wave[];
}

/**
 * The instances of each wave. What is chosen beside the waves narrows them all. An instance that two waves mean is of the
 * first; a wave that means none is refused, so that a condition never holds because nobody was asked.
 */
export function chooseWaves(
  session: Session,
  inventory: Inventory,
  texts: readonly string[],
  names: readonly string[],
  options: SelectOptions,
): ChosenWaves {
  const rules = texts.map(waveOf);
  const around: Selector = selectorOfOptions(names, options);
  const groups = session.app.settings.get("groups");
  const within = choosesSomething(around) ? choose(session, inventory, around).found : inventory.view().instances;
  const allowed = new Set(within.map(({ key }) => key));
  const passes = testOf(around, groups);
  const taken = new Map<string, InstanceRow>();
  const unseen: string[] = [];
  const waves = rules.map((rule) => {
    const chosen = choose(session, inventory, rule.selector);
    unseen.push(...chosen.unseen);
    const own = chosen.found.filter((row) => allowed.has(row.key) && passes(row) && !taken.has(row.key));
    if (own.length === 0) {
      throw new VirtuError({
        kind: "usage",
        what: "A wave means no instance",
        where: waveTitle(rule),
        why: "none that was read passes, or an earlier wave has them all",
      });
    }
    for (const row of own) taken.set(row.key, row);
    const { until, withinSeconds } = rule;
    return { title: waveTitle(rule), keys: own.map(({ key }) => key), also: [], until, withinSeconds };
  });
  return {
    rows: [...taken.values()],
    byRule: rules.some(({ selector }) => selector.names.length === 0),
    unseen,
    waves,
  };
}

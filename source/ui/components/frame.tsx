/** The lines that every screen has: where you are, the numbered screens, what needs you, the keys of the moment. */
import { Box, Text } from "ink";
import { type ReactNode, useSyncExternalStore } from "react";
import { shortVerbOf } from "../../instances/action-words.ts";
import { currentJob, type KnownState, secondsLeft } from "../../store/known.ts";
import { wayOf } from "../../store/way-known.ts";
import { clock, count, plainLine } from "../../text.ts";
import { shownText } from "../ascii.ts";
import { useKnown, useUi } from "../hooks.ts";
import { keyName } from "../keys.ts";
import { type Place, topScreens } from "../navigation.ts";
import { type Active, layer } from "../router.ts";
import { cell, glyph, paint, symbol, toneStyles, widthOf } from "../theme.ts";

/** Whom a place is about: the name of the one instance or node, or how many there are. */
function placeName(keys: readonly string[], { inventory }: KnownState): string {
  if (keys.length !== 1) return count(keys.length, "instance");
  const own = ({ key }: { key: string }) => key === keys[0];
  const found = inventory.instances.find(own) ?? inventory.nodes.find(own);
  return found ? plainLine(found.name) : "instance";
}

/** What the place is called in the first line. */
function crumb(place: Place, state: KnownState, before: readonly Place[]): string {
  // A place of the same instance has said its name.
  const named = "keys" in place && before.some((other) => "key" in other && other.key === place.keys[0]);
  switch (place.screen) {
    case "node":
      return place.name;
    case "add-site":
      return "new site";
    case "add-host":
      return "new host";
    case "extend":
      return `extend ${place.jobId}`;
    case "instance":
      return placeName([place.key], state);
    case "create-save":
      return "save";
    case "compare":
      return "compare tools";
    case "comparison-save":
      return "save";
    case "stores":
      return "storage and networks";
    case "store-add":
      return `new ${place.what}`;
    case "copy-cell":
      return "copy";
    case "keep-view":
      return "keep the view";
    case "console":
      return place.of.kind === "shell" ? `shell on ${place.of.title}` : "console";
    case "guest-screen":
      return `screen of ${state.inventory.instances.find(({ key }) => key === place.key)?.name ?? "an instance"}`;
    case "bulk":
      return "run of actions";
    case "bulk-save":
      return "save";
    case "actions":
      return named ? "all actions" : placeName(place.keys, state);
    case "action":
    case "move-to":
      return named
        ? shortVerbOf(place.action)
        : `${placeName(place.keys, state)} ${glyph.crumb} ${shortVerbOf(place.action)}`;
    case "provider-jobs":
      return "jobs";
    case "provider-job":
      return `job ${place.id}`;
    case "log":
      return "feed";
    case "session":
      return "session";
    case "run":
      return state.runs.views[place.id]?.plan.title ?? place.id;
    case "way":
      return wayOf(state.ways, place.id)?.title ?? place.id;
    case "up":
      return "all of it in one go";
    case "run-output":
      return "output";
    case "run-plan":
      return "plan";
    case "install-ganeti":
      return "Ganeti";
    case "install-libvirt":
      return "libvirt";
    default:
      return place.screen;
  }
}

/** ` virtu · lyon ▸ job 42 ▸ nodes`. */
function trail(places: readonly Place[], state: KnownState): string {
  const job = state.jobId === null ? [] : [`job ${state.jobId}`];
  const crumbs = places
    .filter(({ screen }) => screen !== "home")
    .map((place, index, all) => crumb(place, state, all.slice(0, index)));
  return ` virtu · ${[state.site?.name ?? "no site", ...job, ...crumbs].join(` ${glyph.crumb} `)}`;
}

/** The right end of the first line: walltime left, what runs, hosts up and down. */
function summary(state: KnownState): string {
  const parts: string[] = [];
  const left = secondsLeft(currentJob(state), state.now);
  if (left !== null) {
    const text = `${clock(left)} left`;
    parts.push(left < 600 ? paint(text, "yellow", "bold") : text);
  }
  const running = Object.values(state.deployments).filter(({ state: s }) => s === "running" || s === "checking").length;
  if (running > 0) parts.push(paint(`${count(running, "deployment")} ${symbol("busy")}`, ...toneStyles("busy")));
  const runs = Object.values(state.runs.views);
  const moving = runs.filter((run) => run.state === "running" || run.state === "paused").length;
  const waiting = runs.filter((run) => run.state === "needs-you").length;
  if (moving > 0) parts.push(paint(`${count(moving, "run")} ${symbol("busy")}`, ...toneStyles("busy")));
  if (waiting > 0) parts.push(paint(`${count(waiting, "run")} ${symbol("warning")}`, ...toneStyles("warning")));
  if (state.inventory.pending.length > 0) {
    parts.push(paint(`${count(state.inventory.pending.length, "action")} ${symbol("busy")}`, ...toneStyles("busy")));
  }
  const open = state.consoles.filter(({ phase }) => phase !== "ended");
  if (open.length > 0) {
    const text = count(open.length, "console");
    parts.push(open.some(({ unseen }) => unseen) ? paint(text, "bold") : text);
  }
  const hosts = state.inventory.hosts;
  const up = hosts.filter((host) => host.state === "ok").length;
  const down = hosts.filter((host) => host.state === "stale" || host.state === "error").length;
  if (up > 0) parts.push(`${count(up, "host")} ${paint(symbol("good"), ...toneStyles("good"))}`);
  if (down > 0) parts.push(paint(`${down} down ${symbol("bad")}`, ...toneStyles("bad")));
  return parts.join(" · ");
}

/** Lines of the frame, the notice among them. */
export const frameLines = 6;

/** Columns of the numbered screens, each in its place. */
const tabsWidth = topScreens.reduce((sum, { title }) => sum + title.length + 4, 0);

export function Header({ places }: { places: readonly Place[] }): ReactNode {
  const { size } = useUi();
  // The texts alone: nothing is drawn for what happens and is not told here.
  const left = useKnown((known) => trail(places, known));
  const right = useKnown(summary);
  const rightWidth = widthOf(right.replace(/\u001b\[\d+m/g, ""));
  const top = places[0]?.screen;
  // Where the steady places have no room, the blanks between them are given up: none of the screens is hidden.
  const tight = size.columns < tabsWidth;
  const tabs = topScreens
    .map(({ screen, title }, index) => {
      const text = `${index + 1} ${title}`;
      if (screen === top) return paint(`[${text}]`, "bold", "cyan");
      return tight ? text : ` ${text} `;
    })
    .join(tight ? " " : "");
  return (
    <Box flexDirection="column" flexShrink={0} height={3}>
      <Text wrap="truncate">{`${paint(cell(left, Math.max(10, size.columns - rightWidth - 2)), "bold")} ${right}`}</Text>
      <Text wrap="truncate">{tabs}</Text>
      <Text wrap="truncate" dimColor>
        {glyph.line.repeat(size.columns)}
      </Text>
    </Box>
  );
}

export function NoticeLine(): ReactNode {
  const notice = useKnown((known) => known.notice);
  const { size } = useUi();
  if (!notice) return null;
  const tone = { info: "note", good: "good", warning: "warning", bad: "bad" } as const;
  const text = cell(` ${symbol(tone[notice.tone])} ${notice.text}`, size.columns - 1);
  return <Text wrap="truncate">{paint(text, ...toneStyles(tone[notice.tone]))}</Text>;
}

/** Footer text: the likeliest keys first, as many as have room, help always. Short labels when the full ones have none. */
export function footerText(active: readonly Active[], columns: number): string {
  const wanted = active.filter(({ binding, disabled }) => !binding.quiet && !disabled);
  const help = wanted.filter(
    ({ id, scope, binding }) => binding.keys[0] === "esc" || (scope === "global" && id === "help"),
  );
  const own = wanted.filter((entry) => !help.includes(entry));
  const text = ({ binding }: Active, short: boolean) =>
    `${shownText(binding.sign ?? keyName(binding.keys[0] ?? ""))} ${(short ? binding.short : undefined) ?? binding.label}${binding.dangerous ? glyph.dangerous : ""}`.trimEnd();
  const endOf = (short: boolean) => help.map((entry) => text(entry, short)).join("  ");
  const fitting = (short: boolean) => {
    const shown: string[] = [];
    const end = endOf(short);
    let used = widthOf(end) + 1;
    for (const entry of own) {
      const part = text(entry, short);
      if (used + widthOf(part) + 2 > columns) break;
      shown.push(part);
      used += widthOf(part) + 2;
    }
    return shown;
  };
  const full = fitting(false);
  const short = full.length < own.length;
  return ` ${[...(short ? fitting(true) : full), endOf(short)].filter(Boolean).join("  ")}`;
}

export function Footer(): ReactNode {
  const { router, size } = useUi();
  useSyncExternalStore(router.subscribe, router.snapshot);
  const active = router.active();
  // In a dialog the keys behind it do not work, so they are not shown.
  const top = active.some(({ level }) => level === layer.dialog)
    ? active.filter(({ level }) => level === layer.dialog)
    : active;
  return (
    <Text wrap="truncate" dimColor>
      {footerText(top, size.columns - 1)}
    </Text>
  );
}

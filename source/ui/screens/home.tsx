/** Home: what can be done next, with the state of each thing beside it. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect } from "react";
import { dayText, subjectText } from "../../journey/compare-words.ts";
import type { WayView } from "../../journey/up-types.ts";
import { comparisonRows, leftComparisons } from "../../store/compare-known.ts";
import { currentJob, deploymentOf, type KnownState } from "../../store/known.ts";
import { runIsOpen } from "../../store/run-known.ts";
import { wayOf } from "../../store/way-known.ts";
import { count } from "../../text.ts";
import { Menu, native } from "../components/menu.tsx";
import { type Handlers, useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Navigation } from "../navigation.ts";
import { cell, paint, symbol } from "../theme.ts";
import { openReserve } from "./open-reserve.ts";
import { leftText, runState } from "./run-text.ts";
import { runRows } from "./runs-rows.ts";

interface Entry {
  id: string;
  title: string;
  /** What is so now, or what comes first. */
  state: (known: KnownState) => string;
  open: (navigation: Navigation, known: KnownState) => void;
}

/** Free nodes in a line; says nothing of what is not known yet. */
export function freeText({ free, site }: KnownState): string {
  if (!site) return "first add a site";
  if (free.value) return `OAR on ${site.name} · ${free.value.free} of ${count(free.value.total, "node")} free now`;
  if (free.error) return `${site.name} can't be asked: ${free.error.what}`;
  return `OAR on ${site.name} · asking …`;
}

function deployText(known: KnownState): string {
  const job = currentJob(known);
  if (!job) return "first reserve nodes, or take over a running job";
  if (job.state !== "Running") return `job ${job.jobId} does not run yet: ${job.state}`;
  const deployment = deploymentOf(known, job.jobId);
  const on = `on the ${count(job.nodes.length, "node")} of job ${job.jobId}`;
  if (!deployment) return on;
  return deployment.result
    ? `${deployment.title}: ${deployment.result.deployed.length} of ${deployment.nodes.length} up`
    : `${deployment.title} is on its way`;
}

function nodesText(known: KnownState): string {
  const job = currentJob(known);
  return job
    ? `${count(job.nodes.length, "node")} of job ${job.jobId}`
    : "first reserve nodes, or take over a running job";
}

function instancesText({ inventory: { hosts, instances } }: KnownState): string {
  if (hosts.length === 0) return "first add a host";
  const errors = instances.filter(({ status }) => status === "error").length;
  const down = hosts.filter(({ state }) => state === "error" || state === "stale").length;
  return [
    `${instances.length} on ${count(hosts.length, "host")}`,
    errors > 0 ? paint(`${errors} ⚠ error`, "yellow") : "",
    down > 0 ? paint(`${down} ✗ down`, "red") : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

function configureText(known: KnownState): string {
  const job = currentJob(known);
  if (job?.state !== "Running") return "any hosts, or a running job's nodes";
  const deployment = deploymentOf(known, job.jobId);
  if (!deployment) return "first deploy, or take any hosts";
  return deployment.result
    ? `keys, upgrade, password · ${count(deployment.result.deployed.length, "node")} of job ${job.jobId}`
    : "when the deployment is at its end";
}

/** The runs in a line: what needs somebody first. */
export function runsText({ runs, now }: KnownState): string {
  const rows = runRows(runs.list.value, runs.views, now).filter(runIsOpen);
  const row = rows.find(({ state }) => state === "needs-you") ?? rows[0];
  if (!row) return runs.list.value.length > 0 ? `${count(runs.list.value.length, "run")}, none under way` : "none yet";
  const { tone } = runState(row);
  const left = row.other === null ? leftText(row.secondsLeft) : `by process ${row.other}`;
  const parts = [`${symbol(tone)} ${row.title}`, `${Math.floor(row.share * 100)} %`, left].filter(Boolean).join(" · ");
  return rows.length > 1 ? `${parts} · and ${rows.length - 1} more` : parts;
}

/** A way that is under way, here or elsewhere. */
function openWay({ ways }: KnownState): WayView | null {
  const views = [...Object.values(ways.views), ...ways.list.value.map(({ view }) => wayOf(ways, view.id) ?? view)];
  return views.find(({ state }) => state === "running") ?? null;
}

function upText(known: KnownState): string {
  const way = openWay(known);
  const stage = way?.stages.find(({ state }) => state === "running");
  if (way) return `${symbol("busy")} ${way.title}${stage ? ` · ${stage.title}` : ""}`;
  return "one form, one summary, one run";
}

/** The newest comparison in a line: what needs somebody first. */
export function compareText({ comparisons, now }: KnownState): string {
  const [newest] = comparisonRows(comparisons);
  if (comparisons.list.at === null && !newest) return "";
  if (!newest) return "the same life cycle on two or more hosts, timed";
  const what = subjectText(newest.view.setup);
  if (newest.view.state === "running") return `${symbol("busy")} ${what}`;
  const left = leftComparisons(comparisons).length > 0 ? `${symbol("warning")} one has left something · ` : "";
  return `${left}last: ${what}, ${dayText(newest.view.startedAt, now)}`;
}

const first: Entry[] = [
  {
    id: "reserve",
    title: "Reserve nodes",
    state: freeText,
    open: (n, known) => {
      if (known.site) openReserve(n, { screen: "jobs" });
      else n.jump({ screen: "jobs" }, { screen: "add-site" });
    },
  },
  {
    id: "deploy",
    title: "Deploy an image",
    state: deployText,
    open: (n, known) => {
      const job = currentJob(known);
      if (job?.state === "Running") n.jump({ screen: "nodes" }, { screen: "deploy", jobId: job.jobId });
      else n.jump({ screen: "jobs" });
    },
  },
  {
    id: "configure",
    title: "Configure nodes",
    state: configureText,
    open: (n) => n.jump({ screen: "runs" }, { screen: "configure" }),
  },
  {
    id: "install",
    title: "Install a VM manager",
    state: () => "Ganeti or libvirt, on a job's nodes or any hosts",
    open: (n) => n.jump({ screen: "runs" }, { screen: "install" }),
  },
  {
    id: "up",
    title: "All of it in one go",
    state: upText,
    open: (n, known) => {
      const way = openWay(known);
      if (way) n.jump({ screen: "runs" }, { screen: "way", id: way.id });
      else n.jump({ screen: "runs" }, { screen: "up" });
    },
  },
];
const second: Entry[] = [
  { id: "instances", title: "Instances", state: instancesText, open: (n) => n.jump({ screen: "instances" }) },
  { id: "runs", title: "Runs", state: runsText, open: (n) => n.jump({ screen: "runs" }) },
  {
    id: "compare",
    title: "Compare tools",
    state: compareText,
    open: (n, known) => {
      const any = comparisonRows(known.comparisons).length > 0;
      n.jump({ screen: "instances" }, any ? { screen: "comparisons" } : { screen: "compare" });
    },
  },
  { id: "nodes", title: "Nodes", state: nodesText, open: (n) => n.jump({ screen: "nodes" }) },
  {
    id: "jobs",
    title: "Jobs",
    state: ({ jobs }) => {
      const there = jobs.value.filter(({ end }) => !end).length;
      if (jobs.at === null) return "";
      return there === 0 ? "none now" : count(there, "job");
    },
    open: (n) => n.jump({ screen: "jobs" }),
  },
  {
    id: "hosts",
    title: "Hosts",
    state: () => "whose instances are shown",
    open: (n) => n.jump({ screen: "instances" }, { screen: "hosts" }),
  },
  {
    id: "sites",
    title: "Sites",
    state: ({ sites }) => (sites.length === 0 ? "none yet" : sites.map(({ name }) => name).join(", ")),
    open: (n) => n.open({ screen: "sites" }),
  },
];
const entries = [...first, ...second];

export function HomeScreen(): ReactNode {
  const { navigation, workspace, size, quit } = useUi();
  const known = useKnown((state) => state);
  const [chosen, setChosen] = useRemembered("home", 0);
  useEffect(() => workspace.site.watch(), [workspace]);
  useEffect(() => workspace.inventory.watch(), [workspace]);
  useEffect(() => workspace.runs.watch(), [workspace]);
  useEffect(() => void workspace.comparing.refresh(), [workspace]);
  const keys: Handlers<"home"> = {
    open: { run: () => entries[chosen]?.open(navigation, workspace.state) },
    site: { run: () => navigation.open({ screen: "sites" }) },
  };
  // Where one begins is where one looks for the way out.
  useKeys("global", { quit: { run: quit, prominent: true } });
  // The menu is Ink's own; help tells its keys all the same.
  useKeys("list", { up: native, down: native });
  useKeys("home", keys);
  const width = Math.max(20, size.columns - 28);
  // Lines between header and footer; the title goes first where there are few, and then the menu scrolls.
  const room = size.rows - (known.notice ? 5 : 4);
  const choices = entries.map((entry, index) => ({
    label: `${cell(entry.title, 22)} ${paint(entry.state(known), "dim")}`.slice(0, width + 60),
    value: index,
  }));
  return (
    <Box flexDirection="column" paddingLeft={1}>
      {room > choices.length && <Text bold>From nothing to VMs, and what runs already</Text>}
      {/* What stands below gives way, or Ink would take lines out of the middle of the menu. */}
      <Box flexShrink={0}>
        <Menu choices={choices} initial={chosen} limit={Math.max(3, room)} onChoose={() => {}} onMove={setChosen} />
      </Box>
      {known.sites.length === 0 && known.site === null && (
        <Box marginTop={1} flexDirection="column">
          <Text>
            No site yet: add the frontend where you reserve nodes (S), or a host whose instances you drive (Hosts).
          </Text>
        </Box>
      )}
      {known.jobs.error && (
        <Box marginTop={1} flexDirection="column">
          <Text wrap="truncate">{paint(`✗ ${known.jobs.error.message}`, "red")}</Text>
          {known.jobs.error.hint && <Text wrap="truncate">{`  ${known.jobs.error.hint}`}</Text>}
        </Box>
      )}
    </Box>
  );
}

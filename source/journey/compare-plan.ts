/** From what is asked for to a comparison's plan: who takes part, what is made there, and the exact commands. */
import { randomBytes, randomUUID } from "node:crypto";
import { toVirtuError, VirtuError } from "../errors.ts";
import type { Offers } from "../instances/create-check.ts";
import type { Wanted } from "../instances/create-file.ts";
import { askOffers } from "../instances/create-offers.ts";
import { type CreateBatch, type CreateTemplate, checkBatch, filesOf, planCreate } from "../instances/create-plan.ts";
import { type ProviderPlace, placeOf } from "../instances/create-run.ts";
import type { CreateRequest, CreateRow, ReadyWanted } from "../instances/create-types.ts";
import type { Instance, Provider, ProviderName } from "../instances/types.ts";
import type { HostRef } from "../ssh/types.ts";
import { targetOf } from "../tools/xl-create.ts";
import { countingPool } from "./compare-count.ts";
import { startsAtOnce, usualTemplate, whatText } from "./compare-defaults.ts";
import { lateStart, nowhere, phases } from "./compare-model.ts";
import { type FoundHost, findHosts, placeId, type Reach, reachOf } from "./compare-places.ts";
import type { ComparisonSetup, Phase, PhaseLines, PlaceFacts, PlanProblem, Sizes } from "./compare-types.ts";
import { newRunId } from "./detached.ts";
import type { Context } from "./types.ts";

export interface ComparisonWish {
  /** Every provider of these hosts that makes instances takes part. */
  hosts: readonly HostRef[];
  /** These, and no other provider of their hosts unless those are named as well. */
  on: readonly { host: HostRef; provider: ProviderName }[];
  /** Hosts to which instances may migrate besides. */
  also: readonly HostRef[];
  uri: string | null;
  /** Requests for places where the usual ones don't do; each for the hosts that it names, or for all of its provider. */
  files: readonly Wanted[];
  sizes: Sizes;
  rounds: number;
  count: number;
  together: boolean;
  limitSeconds: number;
  /** Goes before what a file says. */
  ready: ReadyWanted | null;
}

export interface PlannedPlace {
  facts: PlaceFacts;
  provider: Provider;
  offers: Offers;
  /** Of all rounds, in their order. */
  rows: readonly CreateRow[];
  /** What runs for the first of them. */
  lines: readonly PhaseLines[];
}

export interface ComparisonPlan {
  id: string;
  setup: ComparisonSetup;
  places: readonly PlannedPlace[];
  problems: readonly PlanProblem[];
  /** Named, and can't take part. */
  silent: readonly VirtuError[];
  reach: Reach;
}

/** No letters and digits that are taken for each other. */
const letters = "abcdefghjkmnpqrstuvwxyz23456789";

function newTag(): string {
  return [...randomBytes(6)].map((byte) => letters[byte % letters.length]).join("");
}

function unique(hosts: readonly HostRef[]): HostRef[] {
  return [...new Map(hosts.map((host) => [host.name, host])).values()];
}

/**
 * Asks every host what runs there and every place what it offers; nothing is changed. Rejects with a `VirtuError`:
 * `usage` where fewer than two places can take part, `cancelled`.
 */
export async function planComparison(
  context: Context,
  wish: ComparisonWish,
  signal?: AbortSignal,
): Promise<ComparisonPlan> {
  const pool = countingPool(context.pool);
  const hosts = unique([...wish.hosts, ...wish.on.map(({ host }) => host), ...wish.also]);
  const found = await findHosts(pool, hosts, { uri: wish.uri, signal });
  const silent: VirtuError[] = [];
  const chosen = choose(found, wish, silent);
  const asked = await Promise.all(
    chosen.map(async ({ host, provider }) => {
      try {
        return await askPlace(pool, host, provider, wish, signal);
      } catch (thrown) {
        const error = toVirtuError(thrown);
        if (error.kind === "cancelled") throw error;
        silent.push(error);
        return null;
      }
    }),
  );
  const open = asked.filter((one) => one !== null);
  if (open.length < 2) throw tooFew(open.length, silent);
  const tag = newTag();
  const taken: string[] = [];
  const made = open.map((place, index) => {
    const planned = planPlace(place, { wish, tag, from: 1 + index * wish.rounds * wish.count, taken });
    taken.push(...planned.rows.flatMap(({ address }) => address ?? []));
    return planned;
  });
  const { also, uri, rounds, count, together, limitSeconds } = wish;
  const places = made.map(({ facts, provider, offers, rows }) => ({
    ...{ facts, provider, offers, rows, lines: linesOf(provider, facts, rows[0] ?? null, made, wish) },
  }));
  return {
    id: newRunId("compare"),
    setup: { tag, places: places.map(({ facts }) => facts), also, uri, rounds, count, together, limitSeconds },
    places,
    problems: made.flatMap(({ problems }) => problems),
    silent,
    reach: reachOf(pool, found),
  };
}

function tooFew(n: number, silent: readonly VirtuError[]): VirtuError {
  return new VirtuError({
    kind: silent.length > 0 ? "failed" : "usage",
    what: n === 0 ? "No place can take part" : "Only one place can take part",
    why: silent[0]?.message ?? "a comparison needs two: two hosts, or two providers of one host",
    hint: "Name further hosts with --host, or a provider of one with --on HOST:PROVIDER.",
    detail: silent.length > 1 ? silent.map(({ message }) => message).join("\n") : undefined,
  });
}

interface Chosen {
  host: HostRef;
  provider: Provider;
}

/** Who takes part. Why somebody can't goes into `silent`. A place that two hosts lead to is compared once. */
function choose(found: readonly FoundHost[], { hosts, on }: ComparisonWish, silent: VirtuError[]): Chosen[] {
  const places = new Map<string, Chosen>();
  const add = (host: HostRef, provider: Provider) => {
    if (!places.has(provider.place)) places.set(provider.place, { host, provider });
  };
  for (const { host, providers, problems } of found) {
    const named = on.filter((one) => one.host.name === host.name);
    const whole = hosts.some(({ name }) => name === host.name);
    if (!whole && named.length === 0) continue;
    for (const { provider: wanted } of named) {
      const provider = providers.find(({ name }) => name === wanted);
      if (provider) add(host, provider);
      else
        silent.push(
          problems[0] ?? new VirtuError({ kind: "refused", what: `There is no ${wanted}`, where: host.name }),
        );
    }
    if (named.length > 0) continue;
    silent.push(...problems);
    if (providers.length + problems.length === 0) {
      silent.push(new VirtuError({ kind: "refused", what: "Nothing that virtu knows runs there", where: host.name }));
    }
    for (const provider of providers) add(host, provider);
  }
  return [...places.values()];
}

interface AskedPlace extends Chosen {
  place: ProviderPlace;
  template: CreateTemplate;
  batch: Pick<CreateBatch, "addresses" | "overcommit">;
  ready: ReadyWanted | null;
}

function fileFor({ files }: ComparisonWish, host: HostRef, provider: Provider): Wanted | null {
  const fitting = files.filter(({ batch }) => batch.template.provider === provider.name);
  return fitting.find((one) => one.hosts.includes(host.name)) ?? fitting.find((one) => one.hosts.length === 0) ?? null;
}

async function askPlace(
  pool: Reach["pool"],
  host: HostRef,
  provider: Provider,
  wish: ComparisonWish,
  signal: AbortSignal | undefined,
): Promise<AskedPlace> {
  const file = fileFor(wish, host, provider);
  const named = file === null ? [] : filesOf({ ...file.batch.template, name: "", uuid: "" } as CreateRequest);
  const files = file === null && wish.sizes.image !== null ? [wish.sizes.image] : named;
  const offers = await askOffers(pool, provider, { signal, files });
  const template = file?.batch.template ?? usualTemplate(offers, wish.sizes);
  if (template === null) {
    const hint = "Describe what is to be made there in a file (-f).";
    throw new VirtuError({
      kind: "usage",
      what: `Nothing is known to make on ${provider.name}`,
      where: host.name,
      hint,
    });
  }
  const { addresses = null, overcommit = false } = file?.batch ?? {};
  return {
    host,
    provider,
    place: await placeOf(provider, offers),
    template,
    batch: { addresses, overcommit },
    ready: wish.ready ?? file?.ready ?? null,
  };
}

interface Around {
  wish: ComparisonWish;
  tag: string;
  /** Number of the place's first instance. */
  from: number;
  /** Addresses of the places before. */
  taken: readonly string[];
}

function planPlace(asked: AskedPlace, { wish, tag, from, taken }: Around) {
  const { host, provider, place, ready } = asked;
  const atOnce = startsAtOnce(asked.template);
  const template: CreateTemplate = { ...asked.template, start: atOnce };
  const addresses = asked.batch.addresses && { ...asked.batch.addresses, taken };
  const facts: PlaceFacts = {
    ...{ id: placeId(host.name, provider.name), host, provider: provider.name, label: provider.attachment.label },
    ...{ what: whatText(template), startsAtOnce: atOnce, ready },
  };
  const rounds = Array.from({ length: wish.rounds }, (_, round) => {
    const batch: CreateBatch = {
      ...{ template, addresses, overcommit: asked.batch.overcommit, pattern: `virtu-compare-${tag}-{n}` },
      ...{ count: wish.count, from: from + round * wish.count },
    };
    return { batch, plan: planCreate(batch, [place], randomUUID) };
  });
  const [first] = rounds;
  // Each round finds what the one before has given back: what stands in its way stands in the first one's.
  const own = first ? [...checkBatch(first.batch), ...first.plan.rows.flatMap(({ problems }) => problems)] : [];
  return {
    ...{ facts, provider, offers: place.offers },
    rows: rounds.flatMap(({ plan }) => plan.rows),
    problems: own.map((problem): PlanProblem => ({ ...problem, place: facts.id })),
  };
}

/** The instance as its provider will list it, as far as its commands depend on that. XenServer chooses its UUID itself. */
function standIn({ name, request }: CreateRow, provider: Provider, status: Instance["status"]): Instance {
  const id = request.provider === "libvirt" ? request.uuid : request.provider === "xenserver" ? "UUID" : name;
  const facts = (): Instance["facts"] => {
    if (request.provider === "ganeti") return { diskTemplate: request.diskTemplate, hypervisor: request.hypervisor };
    if (request.provider !== "xen") return { uuid: id, persistent: true };
    const paths = (kind: "file" | "volume") =>
      request.disks.flatMap((disk) => (disk.kind === kind ? [targetOf(disk)] : [])).join("; ") || null;
    const [diskFiles, diskVolumes] = [paths("file"), paths("volume")];
    const domainId = status === "running" ? 1 : null;
    return { domainId, file: `/etc/xen/${name}.cfg`, diskFiles, diskVolumes, type: request.type };
  };
  return {
    ...{ key: `${provider.place}/${id}`, name, id, provider: provider.name, cluster: provider.cluster },
    ...{ host: provider.attachment.host.name, node: null, status, statusDetail: status, facts: facts() },
    ...{ vcpus: request.vcpus, memoryMiB: request.memoryMiB },
  };
}

function linesOf(
  provider: Provider,
  facts: PlaceFacts,
  row: CreateRow | null,
  others: readonly { facts: PlaceFacts }[],
  { also, limitSeconds }: ComparisonWish,
): PhaseLines[] {
  if (row === null) return [];
  const host = provider.target.name;
  const peers = [...others.filter((one) => one.facts.provider === "libvirt").map((one) => one.facts.host), ...also];
  const peer = peers.find(({ name }) => name !== facts.host.name);
  const order = facts.startsAtOnce ? lateStart : phases;
  return order.map((phase): PhaseLines => {
    if (phase === "create")
      return { phase, lines: row.commands, note: facts.startsAtOnce ? "its creation starts it" : null };
    const on = phase === "reboot" || phase === "migrate" || phase === "stop";
    const instance = standIn(row, provider, on ? "running" : "stopped");
    const to = provider.name === "libvirt" ? (peer?.name ?? null) : null;
    const action = actionOf(phase, to);
    const alone = phase === "migrate" && (provider.name === "xen" || (provider.name === "libvirt" && to === null));
    const refusal = alone ? nowhere[provider.name] : provider.refuses(action.do, instance);
    const lines = refusal === null ? provider.preview(action, instance, { limitSeconds }) : [];
    return { phase, lines: lines.map((line) => ({ host, line })), note: refusal };
  });
}

/** The action of a phase. `to`: where a migration goes, null where the provider chooses. */
export function actionOf(phase: Exclude<Phase, "create">, to: string | null) {
  switch (phase) {
    case "start":
      return { do: "start" } as const;
    case "reboot":
      return { do: "reboot", how: "clean" } as const;
    case "migrate":
      return { do: "migrate", to, live: true } as const;
    case "stop":
      return { do: "shutdown" } as const;
    case "remove":
      return { do: "remove", keepDisks: false } as const;
  }
}

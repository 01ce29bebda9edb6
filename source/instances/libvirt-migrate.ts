/** Moves a domain to another host: where it can go, and the way there with its progress. */
import { VirtuError } from "../errors.ts";
import type { HostRef } from "../ssh/types.ts";
import { isPerProcess } from "../tools/virsh.ts";
import { migrateCommand, migrationUri } from "../tools/virsh-actions.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import {
  holdsCommand,
  needsCommand,
  offerCommand,
  parseHeld,
  parseNeeds,
  parseOffer,
  reachCommand,
} from "../tools/virsh-targets.ts";
import { ask } from "./exec.ts";
import { type ActOptions, domainOf, type LibvirtPlace, lookAt, lookLimitMs } from "./libvirt-act.ts";
import { fitOf } from "./libvirt-fits.ts";
import { failure, success } from "./outcomes.ts";
import type { Action, ActionOutcome, Instance, MigrationTarget, ProviderOptions } from "./types.ts";

/** A day: memory and disks go over the network. */
const migrateLimitMs = 24 * 3600 * 1000;

/** The other libvirt hosts that the user named, with what stands against each. Those without libvirt are left out. */
export async function targetsOf(
  place: LibvirtPlace,
  known: readonly HostRef[],
  instance: Instance,
  options: ProviderOptions,
): Promise<MigrationTarget[]> {
  const peers = known.filter(({ name }) => name !== place.host.name);
  if (isPerProcess(place.uri) || peers.length === 0) return [];
  const { pool, host, uri } = place;
  const question = { timeoutMs: lookLimitMs, priority: "user" as const, ...options };
  const needs = ask(pool, host, needsCommand(uri, domainOf(instance)), "reading what the domain needs", question);
  const found = await Promise.all(peers.map((peer) => targetOf(place, peer, instance, needs, question)));
  return found.filter((target) => target !== null);
}

async function targetOf(
  place: LibvirtPlace,
  peer: HostRef,
  instance: Instance,
  needs: Promise<{ stdout: string }>,
  question: ProviderOptions,
): Promise<MigrationTarget | null> {
  const { pool, host, uri } = place;
  let name = peer.name;
  try {
    const wanted = parseNeeds((await needs).stdout);
    const { command, stdin } = offerCommand(uri, wanted);
    const answer = await ask(pool, peer, command, "looking for room", { ...question, stdin });
    const offer = parseOffer(answer.stdout);
    if (!offer) return null;
    name = nameFrom(peer, offer.hostname);
    const { memoryFreeMiB } = offer;
    const { refusal, notes } = fitOf(wanted, offer, instance);
    if (refusal !== null) return { name, memoryFreeMiB, refusal, note: "" };
    const reached = await ask(
      pool,
      host,
      reachCommand(migrationUri(uri, name)),
      "looking whether they reach each other",
      question,
    );
    if (reached.status === 0) {
      return { name, memoryFreeMiB, refusal: null, note: [...notes, `${host.name} reaches it`].join(" · ") };
    }
    const { why, hint } = explainVirsh(reached.stderr);
    return {
      name,
      memoryFreeMiB,
      refusal: `${host.name} can't log in there: ${why}${hint ? `. ${hint}` : ""}`,
      note: "",
    };
  } catch (thrown) {
    if (!(thrown instanceof VirtuError) || thrown.kind === "cancelled") throw thrown;
    return { name, memoryFreeMiB: null, refusal: [thrown.what, thrown.why].filter(Boolean).join(": "), note: "" };
  }
}

/** As its own name is known to the other hosts, with the login name where it is not root's. */
function nameFrom(peer: HostRef, hostname: string): string {
  const user = /^([^@]+)@/.exec(peer.name)?.[1] ?? peer.user;
  return user === undefined || user === "root" ? hostname : `${user}@${hostname}`;
}

type Migration = Extract<Action, { do: "migrate" }>;

/**
 * Migrates. Where the hosts share no storage, libvirt refuses at first; the disks are then copied with the memory, unless
 * the other host has files of those names.
 */
export async function migrate(
  place: LibvirtPlace,
  action: Migration,
  instance: Instance,
  options: ActOptions,
): Promise<ActionOutcome> {
  const { to } = action;
  if (to === null) return failure("libvirt chooses no host: name one, or its connection URI");
  const domain = domainOf(instance);
  const needs = domain.active ? null : await disksThere(place, to, instance, options);
  if (needs?.refusal) return failure(needs.refusal);
  if (needs !== null && needs.missing.length > 0) {
    return failure(
      `${to} has not its disk ${needs.missing[0]}: of a domain that is off libvirt moves the definition alone. Migrate it while it runs, or copy the disk first`,
    );
  }
  const first = await run(place, to, instance, options, { live: action.live, copyStorage: false });
  if (!first || first.status === 0) return ended(place, to, instance, options, first !== null);
  if (!/without shared storage is unsafe/.test(first.text)) return refused(first.text);
  const there = await disksThere(place, to, instance, options);
  if (there.refusal) return failure(there.refusal);
  if (there.held.length > 0) {
    return failure(
      `the hosts share no storage, and ${to} has a file ${there.held[0]} already: copying would overwrite it. Remove or rename it there first`,
      first.text,
    );
  }
  options.onEvent?.({ text: "no shared storage: its disks are copied too" });
  const second = await run(place, to, instance, options, { live: action.live, copyStorage: true });
  if (second && second.status !== 0) return refused(second.text);
  return ended(place, to, instance, options, second !== null, "its disks were copied; the old ones are still here");
}

function refused(text: string): ActionOutcome {
  const { why, hint } = explainVirsh(text);
  return failure(hint ? `${why}. ${hint}` : why, text);
}

/** Null: the answer was lost. */
async function run(
  place: LibvirtPlace,
  to: string,
  instance: Instance,
  options: ActOptions,
  how: { live: boolean; copyStorage: boolean },
): Promise<{ status: number; text: string } | null> {
  let shown = -1;
  const result = await place.pool.exec(place.host, migrateCommand(place.uri, domainOf(instance), to, how), {
    signal: options.signal,
    priority: "user",
    timeoutMs: migrateLimitMs,
    onLine: (_stream, line) => {
      const percent = Number(/^Migration: \[ *(\d+) %\]/.exec(line)?.[1] ?? -1);
      if (percent <= shown) return;
      shown = percent;
      options.onEvent?.({ text: `migrating to ${to}: ${percent} %` });
    },
  });
  const status = /^@@virtu status (\d+)$/m.exec(result.stdout)?.[1];
  if (status === undefined) return null;
  return { status: Number(status), text: result.stdout.replace(/^@@virtu status.*$/m, "") };
}

/** When the answer was lost: gone from here means it is there. */
async function ended(
  place: LibvirtPlace,
  to: string,
  instance: Instance,
  options: ActOptions,
  answered: boolean,
  text: string | null = null,
): Promise<ActionOutcome> {
  if (answered) return success(text ?? `it is on ${to} now`);
  if ((await lookAt(place, instance, options)) === "gone") return success(`it is on ${to} now`);
  throw new VirtuError({
    kind: "connection",
    what: `Nobody knows whether ${instance.name} was migrated`,
    where: place.host.name,
    why: "the answer of virsh was lost; the migration goes on without it",
    hint: `Look at it on ${to} and with virsh domjobinfo before you try again.`,
  });
}

/** Which of its disks the other host's libvirt knows. */
async function disksThere(place: LibvirtPlace, to: string, instance: Instance, options: ActOptions) {
  const { pool, host, uri } = place;
  const question = { timeoutMs: lookLimitMs * 2, priority: "user" as const, signal: options.signal };
  const answer = await ask(
    pool,
    host,
    holdsCommand(uri, migrationUri(uri, to), domainOf(instance)),
    "looking for its disks",
    question,
  );
  const { why, hint } = explainVirsh(answer.stderr);
  const refusal = answer.status === 0 ? null : `${host.name} can't log in on ${to}: ${why}${hint ? `. ${hint}` : ""}`;
  return { ...parseHeld(answer.stdout), refusal };
}

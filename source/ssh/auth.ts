/** Authentication as ssh does it: keys of the agent and of files, then questions. */
import type { AnyAuthMethod, AuthenticationType, Prompt } from "ssh2";
import { VirtuError } from "../errors.ts";
import { count, plain, plainLine } from "../text.ts";
import type { AuthMethodName, HostOptions } from "./host-options.ts";
import { type Identity, identitiesOf, type KeyFiles, Ring } from "./identities.ts";
import type { Asker } from "./types.ts";

/** What outlives one connection: unlocked keys, and passwords that were right. In memory only. */
export interface Secrets {
  keyFiles: KeyFiles;
  passwords: Map<string, string>;
}

export interface AuthOptions {
  /** `user@host`. */
  label: string;
  options: HostOptions;
  secrets: Secrets;
  asker: Asker;
  signal: AbortSignal;
  /** false: the host's key was not trusted, so that nothing secret may be typed to it. */
  mayAsk: () => boolean;
  /** Told before and after a question, so that no time limit runs meanwhile. */
  asking: (open: boolean) => void;
}

type Attempt = { method: AuthMethodName | "none"; password?: string };

export class Authentication {
  private ring: Ring | null = null;
  private identities: Identity[] | null = null;
  private readonly notes: string[] = [];
  private readonly tries = { password: 0, "keyboard-interactive": 0 };
  private offered: readonly string[] = [];
  private last: Attempt | null = null;
  private gaveUp = false;
  private sentKeys = false;
  /** The host has asked something by keyboard-interactive. */
  private prompted = false;
  private storedTried = false;
  /** The password of the last attempt, kept once it turned out right. */
  private typed: string | null = null;

  constructor(private readonly auth: AuthOptions) {}

  /** ssh2's authHandler: gives the next method to try, or false when there is none left. */
  readonly handler = (
    left: AuthenticationType[] | null,
    partial: boolean | null,
    next: (method: AnyAuthMethod | false) => void,
  ): void => {
    this.next(left, partial === true).then(
      (method) => next(method ?? false),
      (thrown: Error) => {
        this.notes.push(thrown.message);
        next(false);
      },
    );
  };

  /** Whether the host has been asked to let us in. */
  get started(): boolean {
    return this.last !== null;
  }

  /** To be called when the host has let us in. */
  succeeded(): void {
    if (this.typed !== null) this.auth.secrets.passwords.set(this.auth.label, this.typed);
  }

  private async next(left: string[] | null, partial: boolean): Promise<AnyAuthMethod | null> {
    const username = this.auth.options.user;
    if (left === null) {
      this.last = { method: "none" };
      return { type: "none", username };
    }
    // After a key of an agent ssh2 does not tell that it was taken and only a second factor is missing, nor what that is.
    const secondFactor = this.last?.method === "publickey" && this.ring?.signed === true;
    const allowed: readonly string[] = secondFactor && !partial ? ["keyboard-interactive", "password"] : left;
    this.offered = allowed;
    this.settle(partial || secondFactor);
    for (const method of this.auth.options.methods) {
      if (this.gaveUp || this.auth.signal.aborted) break;
      if (!allowed.includes(method)) continue;
      const attempt = await this.attempt(method, username);
      if (attempt) {
        this.last = { method };
        return attempt;
      }
    }
    return null;
  }

  /** Notes how the last attempt ended. */
  private settle(partial: boolean): void {
    const method = this.last?.method;
    if (method === undefined || method === "none" || partial) return;
    if (method === "publickey") {
      this.notes.push(...(this.ring?.failures ?? []));
      for (const [name, total] of tally(this.identities ?? [], this.ring?.failures ?? [])) {
        this.notes.push(name === "agent" ? `agent: ${count(total, "key")} refused` : `${name} refused`);
      }
    } else {
      this.typed = null;
      if (method === "password") this.auth.secrets.passwords.delete(this.auth.label);
      if (this.tries[method] >= this.auth.options.passwordPrompts) {
        this.notes.push(`${method} refused ${count(this.tries[method], "time")}`);
      }
    }
  }

  private async attempt(method: AuthMethodName, username: string): Promise<AnyAuthMethod | null> {
    if (method === "publickey") return this.keys(username);
    if (!this.auth.mayAsk()) {
      this.notes.push(`${method} not tried, because the host's key could not be trusted`);
      return null;
    }
    if (this.tries[method] >= this.auth.options.passwordPrompts) return null;
    if (method === "password") return this.password(username);
    // As ssh does: a host that refuses without a question would only use up the tries that a password has.
    if (this.tries[method] > 0 && !this.prompted) return null;
    this.tries[method] += 1;
    return {
      type: "keyboard-interactive",
      username,
      prompt: (name, instructions, _language, prompts, finish) => {
        this.answers(name, instructions, prompts).then(finish, () => finish([]));
      },
    };
  }

  private async keys(username: string): Promise<AnyAuthMethod | null> {
    if (this.sentKeys) return null;
    this.sentKeys = true;
    const found = await identitiesOf(this.auth.options, this.auth.secrets.keyFiles, (file, failures) =>
      this.ask("passphrase", `Passphrase for ${file}`, false, failures, file),
    );
    this.notes.push(...found.notes);
    this.identities = found.list;
    if (found.list.length === 0) return null;
    this.ring = new Ring(found.list);
    return { type: "agent", username, agent: this.ring };
  }

  private async password(username: string): Promise<AnyAuthMethod | null> {
    const stored = this.auth.secrets.passwords.get(this.auth.label);
    if (stored !== undefined && !this.storedTried) {
      this.storedTried = true;
      return { type: "password", username, password: stored };
    }
    const password = await this.ask("password", `Password of ${this.auth.label}`, false, this.tries.password);
    if (password === null) {
      this.giveUp("password");
      return null;
    }
    this.tries.password += 1;
    this.typed = password;
    return { type: "password", username, password };
  }

  private async answers(name: string, instructions: string, prompts: Prompt[]): Promise<string[]> {
    const answers: string[] = [];
    this.prompted ||= prompts.length > 0;
    const intro = [name, instructions].map((text) => plain(text).trim()).filter(Boolean);
    for (const { prompt, echo } of prompts) {
      const text = [...intro, plainLine(prompt).trim()].join("\n");
      const failures = this.tries["keyboard-interactive"] - 1;
      const answer = this.gaveUp ? null : await this.ask("keyboard-interactive", text, echo === true, failures);
      if (answer === null) {
        if (!this.gaveUp) this.giveUp("keyboard-interactive");
        return [];
      }
      answers.push(answer);
    }
    return answers;
  }

  private giveUp(method: string): void {
    this.gaveUp = true;
    this.notes.push(`${method}: no answer was given`);
  }

  private async ask(
    kind: "password" | "passphrase" | "keyboard-interactive",
    prompt: string,
    echo: boolean,
    failures: number,
    file?: string,
  ): Promise<string | null> {
    if (this.auth.options.batchMode || this.auth.signal.aborted) return null;
    this.auth.asking(true);
    try {
      return await this.auth.asker.secret(
        { kind, host: this.auth.label, prompt, echo, failures, file },
        this.auth.signal,
      );
    } finally {
      this.auth.asking(false);
    }
  }

  /** What was tried, for the error. */
  refused(reason?: string): VirtuError {
    const notTried = this.offered.filter((name) => !this.auth.options.methods.includes(name as AuthMethodName));
    const tried = [...this.notes];
    if (this.identities?.length === 0 && this.notes.length === 0) tried.push("there is no key to try");
    if (reason) tried.push(reason);
    if (this.offered.length > 0) tried.push(`the host takes: ${this.offered.join(", ")}`);
    if (notTried.length > 0) tried.push(`switched off or not supported here: ${notTried.join(", ")}`);
    return new VirtuError({
      kind: "authentication",
      what: "The host did not let us in",
      where: this.auth.label,
      why: tried.join("; "),
      hint: this.offered.includes("publickey")
        ? `Load the right key with ssh-add, or set User and IdentityFile for ${this.auth.options.alias} in your ssh configuration; "ssh ${this.auth.options.alias}" must work.`
        : `"ssh ${this.auth.options.alias}" shows what the host wants; check User in your ssh configuration.`,
    });
  }
}

/** How many identities of each name the host refused; those that could not sign are told apart. */
function tally(identities: readonly Identity[], failures: readonly string[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { name } of identities) {
    if (failures.some((text) => text.startsWith(`${name}: `)) && name !== "agent") continue;
    totals.set(name, (totals.get(name) ?? 0) + 1);
  }
  return totals;
}

/**
 * The embedded site: SSH servers on loopback, in this process, with a small simulated testbed, a Ganeti cluster and two
 * libvirt hosts behind them. Nothing of it ever runs a program of this machine.
 */
import type { ScenarioName, SiteOptions } from "./options.ts";

export { isScenario, type ScenarioName, type SiteOptions, scenarios } from "./options.ts";

export interface EmbeddedSite {
  /** For `-F`: every host below by its name, with this run's user key and known hosts. */
  readonly sshConfigFile: string;
  /** For `--config`: an empty directory of this run, for settings and state. */
  readonly configDir: string;
  /** The frontend's name in that ssh configuration: give it as `--site`. */
  readonly frontend: string;
  /** Hosts that carry instances, for `--host`: a Ganeti master and the libvirt hosts. */
  readonly hosts: readonly string[];
  /** Every node that can be reserved. */
  readonly nodes: readonly string[];
  /** Switches a scenario on or off while the site runs. */
  setScenario(name: ScenarioName, on?: boolean): void;
  readonly speed: number;
  /** Takes effect on everything that starts from now on. */
  setSpeed(factor: number): void;
  /** Cuts every SSH session of a host (default: the frontend's), as a lost link does. */
  cutLink(host?: string): void;
  /** Stops the servers and removes the private directory. Safe to call twice. */
  end(): Promise<void>;
}

/** Starts a site of its own. Rejects when no port of loopback can be had or no temporary directory be made. */
export declare function startSite(options?: SiteOptions): Promise<EmbeddedSite>;

/** The domains of the site's libvirt hosts. */
import type { DomainFacts } from "./libvirt-domain.ts";

const gib = 1024 * 1024;

const domain = (
  name: string,
  state: DomainFacts["state"],
  vcpus: number,
  memoryGib: number,
  title = "",
  more: Partial<Pick<DomainFacts, "autostart" | "saved">> = {},
): DomainFacts => ({ name, title, state, vcpus, memory: memoryGib * gib, autostart: false, saved: false, ...more });

export const firstHost: readonly DomainFacts[] = [
  domain("shop", "running", 2, 4, "Front-end of the shop", { autostart: true }),
  domain("shop-db", "running", 4, 8, "", { autostart: true }),
  domain("build", "running", 8, 16, "CI runner, Jürgen's"),
  domain("staging", "paused", 2, 2),
  domain("old-wiki", "shut off", 1, 1),
  domain("win-test", "shut off", 2, 4, "", { saved: true }),
];

export const secondHost: readonly DomainFacts[] = [
  domain("vpn", "running", 1, 0.5, "", { autostart: true }),
  domain("git", "running", 2, 4, "Forge", { autostart: true }),
  domain("sandbox", "shut off", 2, 2),
  domain("metrics", "running", 2, 4),
];

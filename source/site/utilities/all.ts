/** Every ordinary program that a host of the site has. */
import type { Machine } from "../machine/machine.ts";
import { about } from "./about.ts";
import { digests } from "./digests.ts";
import { dumping } from "./dumping.ts";
import { filing } from "./filing.ts";
import { packing } from "./packing.ts";
import { printing } from "./printing.ts";
import { processes } from "./processes.ts";
import { sh } from "./sh.ts";
import { testing } from "./testing.ts";
import { texts } from "./text.ts";

export function installUtilities(machine: Machine): void {
  machine.install({
    ...about,
    ...digests,
    ...dumping,
    ...filing,
    ...packing,
    ...printing,
    ...processes,
    ...testing,
    ...texts,
    sh,
    dash: sh,
    bash: sh,
    true: () => 0,
    false: () => 1,
  });
}

/** The fields of a guest on a pool of XenServer. Pure. */
import type { XenServerOffers } from "../../instances/create-offers.ts";
import { type Choice, choice, choices, either, type StepField, text } from "./create-field-kinds.ts";

/** Names as they are; where one is there twice, with the beginning of its UUID. */
function named(all: readonly { uuid: string; name: string }[]): Choice[] {
  return all.map(({ uuid, name }) => {
    const twice = all.filter((other) => other.name === name).length > 1;
    return { value: uuid, label: twice || name === "" ? `${name} ${uuid.slice(0, 8)}`.trim() : name };
  });
}

export function xenServerFields(offers: XenServerOffers): StepField[] {
  const { templates, repositories, networks, isos } = offers;
  const usual = repositories.find(({ isDefault }) => isDefault);
  const places = [
    ...(usual ? [{ value: "", label: `the pool's own: ${usual.name}` }] : []),
    ...named(repositories.filter((one) => one !== usual)),
  ];
  return [
    choice(0, "template", "Template", named(templates)),
    choice(0, "install", "Installed", [
      { value: "no", label: "by nothing: the template has it all" },
      ...(isos.length > 0 ? [{ value: "iso", label: "from an ISO image" }] : []),
      { value: "location", label: "over the network, from a tree" },
    ]),
    choice(0, "isoName", "  ISO image", choices(isos), { shown: either("install", "iso") }),
    text(0, "location", "  tree", 40, { shown: either("install", "location"), help: "URL" }),
    text(1, "memory", "Memory", 8, { initial: "1G" }),
    text(1, "vcpus", "vCPUs", 5, { initial: "1" }),
    choice(2, "repository", "Storage", places),
    text(2, "further", "More disks", 24, { help: "sizes of disks beside the template's: 5G 20G" }),
    text(3, "name", "Name", 26),
    text(3, "count", "How many", 4, { initial: "1" }),
    choice(3, "vif", "Network", [
      ...named(networks),
      { value: "template", label: "the template's own cards" },
      { value: "none", label: "none" },
    ]),
    text(3, "mac", "  MAC", 17, {
      help: "empty: made by xapi",
      shown: (form) => form["vif"] !== "none" && form["vif"] !== "template",
    }),
    text(3, "note", "Description", 40),
  ];
}

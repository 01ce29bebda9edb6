/** What a plan must know of libvirt. Pure. */
import type { LibvirtOffers } from "../tools/libvirt-offers.ts";
import { checkLibvirt, libvirtFiles } from "./create-check-libvirt.ts";
import type { Planning } from "./create-planning.ts";
import { sharedDisks } from "./create-shared.ts";
import type { CreateProblem, LibvirtRequest, StaticNetwork } from "./create-types.ts";

/** The image that it is made of, if any. */
function imageOf({ media }: Pick<LibvirtRequest, "media">) {
  return media.kind === "import" || media.kind === "cloud" ? media : null;
}

export const libvirtPlanning: Planning = {
  identified: true,
  check: checkLibvirt,
  freeMemory: ({ memoryFreeMiB }: LibvirtOffers) => memoryFreeMiB ?? 0,
  without(offers: LibvirtOffers, request: LibvirtRequest): LibvirtOffers {
    const source = imageOf(request);
    const image = source && offers.files.get(source.image);
    const copy = source?.copy ?? null;
    const copied = copy === null ? 0 : Math.max(copy.sizeMiB ?? 0, (image?.virtualBytes ?? 0) / 1024 ** 2);
    const pools = offers.pools.map((pool) => {
      const made = request.disks.flatMap((disk) =>
        disk.kind === "new" && disk.pool === pool.name ? [disk.sizeMiB] : [],
      );
      const used = made.reduce((sum, size) => sum + size, copy?.pool === pool.name ? Math.ceil(copied) : 0);
      return { ...pool, availableMiB: pool.availableMiB === null ? null : pool.availableMiB - used };
    });
    const memoryFreeMiB = offers.memoryFreeMiB === null ? null : offers.memoryFreeMiB - request.memoryMiB;
    return { ...offers, pools, memoryFreeMiB };
  },
  /** Nobody notes any; by the rule their cards tell them. */
  addresses: () => [],
  settle(request: LibvirtRequest, _offers, network: StaticNetwork | null): LibvirtRequest {
    const { media, name } = request;
    if (media.kind !== "cloud") return request;
    const { cloudInit } = media;
    const own = { hostname: cloudInit.hostname ?? name, network: network ?? cloudInit.network };
    return { ...request, media: { ...media, cloudInit: { ...cloudInit, ...own } } };
  },
  where: () => "",
  shared(template: Omit<LibvirtRequest, "name">): CreateProblem[] {
    const problems = sharedDisks(template.disks.some((disk) => disk.kind !== "new" || disk.volume !== null));
    const image = imageOf(template);
    if (image !== null && (image.copy === null || image.copy.volume !== null)) {
      problems.push({
        field: "media",
        text: "several instances need a copy of the image each, with a name of its own",
      });
    }
    return problems;
  },
  files: (request: LibvirtRequest) => libvirtFiles(request).map(({ path }) => path),
};

import { describe, expect, test } from "vitest";
import { macOf, netmaskOf, rangeOf, siteNetwork, usableAddresses } from "../../source/tools/subnet-addresses.ts";

describe("addresses of a job's subnet", () => {
  test("leave out those that end in .0 and .255, and what is taken", () => {
    const all = usableAddresses("10.132.8.0/22", 2000, new Set());
    expect(all).toHaveLength(1024 - 8);
    expect([all[0], all[253], all[254], all.at(-1)]).toEqual([
      "10.132.8.1",
      "10.132.8.254",
      "10.132.9.1",
      "10.132.11.254",
    ]);
    expect(usableAddresses("10.132.8.0/22", 2, new Set(["10.132.8.1", "10.132.8.3"]))).toEqual([
      "10.132.8.2",
      "10.132.8.4",
    ]);
  });

  test("go by a range, too, and are as few as there are", () => {
    expect(usableAddresses("10.0.0.254-10.0.1.2", 9, new Set())).toEqual(["10.0.0.254", "10.0.1.1", "10.0.1.2"]);
    expect(usableAddresses("10.0.0.7", 3, new Set())).toEqual(["10.0.0.7"]);
    for (const wrong of ["10.0.0.9-10.0.0.1", "10.0.0.0/33", "10.0.0.256", "x", "1.2.3.4-1.2.3.5-1.2.3.6", ""]) {
      expect(rangeOf(wrong)).toBeNull();
    }
  });

  test("have the MAC address that g5k-subnets -im prints", () => {
    expect(["10.132.8.1", "10.132.8.2", "10.147.255.10"].map(macOf)).toEqual([
      "00:16:3e:84:08:01",
      "00:16:3e:84:08:02",
      "00:16:3e:93:ff:0a",
    ]);
  });

  test("have the mask and gateway of their site, not of the subnet", () => {
    const grenoble = { prefixLength: 14, netmask: "255.252.0.0", gateway: "10.135.255.254" };
    expect(siteNetwork("10.132.8.1")).toEqual(grenoble);
    expect(siteNetwork("10.135.0.1")).toEqual(grenoble);
    expect(siteNetwork("10.144.0.0")?.gateway).toBe("10.147.255.254");
    for (const other of ["192.168.122.5", "10.0.0.1", "10.148.0.1", "10.200.0.1", "x"])
      expect(siteNetwork(other)).toBeNull();
    expect(netmaskOf(22)).toBe("255.255.252.0");
  });
});

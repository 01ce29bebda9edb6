import { expect, test } from "vitest";
import { parseSubnets, subnetsCommand } from "../../source/tools/g5k-subnets.ts";
import { addressOfMac, macOf } from "../../source/tools/subnet-addresses.ts";

test("reads the line of a job's subnet: the mask is the site's", () => {
  const line = "10.132.8.0/22\t10.135.255.255\t255.252.0.0\t10.135.255.254\t10.132.0.0\tdns.site\t172.16.31.118\n";
  expect(parseSubnets(line)).toEqual({ prefixLength: 14, gateway: "10.135.255.254", dns: "172.16.31.118" });
  expect(parseSubnets(line.replace("172.16.31.118", "<dns ip>"))?.dns).toBeNull();
  expect(subnetsCommand(1874).line).toContain("g5k-subnets -a -j 1874");
});

test.each(["", "No subnet was found for this job\n", "10.132.8.0/22\n", "10.132.8.0/22\tx\t255.0.255.0\t10.1.1.1\n"])(
  "is not misled by %j",
  (text) => {
    expect(parseSubnets(text)).toBeNull();
  },
);

test("an address and its MAC address lead to each other", () => {
  expect(addressOfMac(macOf("10.132.8.77"))).toBe("10.132.8.77");
  expect(addressOfMac("00:16:3E:84:08:01")).toBe("10.132.8.1");
  expect(addressOfMac("52:54:00:84:08:01")).toBeNull();
});

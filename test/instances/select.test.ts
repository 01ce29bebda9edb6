import { expect, test } from "vitest";
import { select } from "../../source/instances/select.ts";

const row = (host: string, name: string, cluster: string | null = null) => ({
  ...{ key: `${cluster ?? host}/${name}`, name, host, cluster },
});
const rows = [
  row("root@hv1", "web1"),
  row("root@hv1", "db1"),
  row("hv2:2222", "web1"),
  row("hv2:2222", "web"),
  row("node1", "web5.example.org", "cluster1"),
  row("node1", "web5", "cluster1"),
  row("node1", "app.example.org", "cluster1"),
  row("hv2:2222", "app.local"),
];
const found = (...words: string[]) => select(rows, words).found.map(({ key }) => key);

test("takes names, each instance once, in the order asked for", () => {
  expect(found("web", "db1", "web", "root@hv1/db1")).toEqual(["hv2:2222/web", "root@hv1/db1"]);
});

test("takes HOST as given, without user and port, or the cluster's name", () => {
  expect(found("root@hv1/web1")).toEqual(["root@hv1/web1"]);
  expect(found("hv1/web1")).toEqual(["root@hv1/web1"]);
  expect(found("hv2:2222/web1", "hv2/web")).toEqual(["hv2:2222/web1", "hv2:2222/web"]);
  expect(found("cluster1/app")).toEqual(["cluster1/app.example.org"]);
});

test("takes a short name for a Ganeti instance, but an exact one first, and libvirt's names whole", () => {
  expect(found("web5")).toEqual(["cluster1/web5"]);
  expect(found("app")).toEqual(["cluster1/app.example.org"]);
  expect(() => found("hv2/app")).toThrow(/no such instance/);
});

test("refuses a name that several hosts have, with every way to say which", () => {
  expect(() => found("web1")).toThrow(
    expect.objectContaining({
      kind: "usage",
      where: "web1",
      why: "there are root@hv1/web1, hv2:2222/web1",
      hint: expect.stringContaining("HOST/NAME"),
    }),
  );
});

test("refuses an unknown name with the nearest ones", () => {
  const why = (word: string) => {
    try {
      found(word);
      return "found";
    } catch (thrown) {
      return (thrown as { why?: string }).why;
    }
  };
  expect(why("bd1")).toMatch(/nearest are .*db1/);
  expect(why("apps")).toMatch(/app\.example\.org/);
  expect(why("hv1/wbe1")).toMatch(/web1/);
  expect(why("something-else")).toBe("none of the 8 is called so");
  // A pattern is no name.
  expect(() => found("web*")).toThrow(
    expect.objectContaining({ hint: "Those that fit a pattern are chosen by --glob 'web*'." }),
  );
});

test("only holds back a name that a silent host could have", () => {
  expect(select(rows, ["db1", "mail1"], ["hv9"])).toEqual({ found: [rows[1]], unseen: ["mail1"] });
  expect(() => select(rows, ["web1"], ["hv9"])).toThrow(/2 instances/);
});

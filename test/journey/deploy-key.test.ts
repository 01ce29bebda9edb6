import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPublicKey } from "../../source/journey/deploy-key.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "virtu-key-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
}

const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMadeUpForATest alice@here";

describe("the key for the nodes", () => {
  test("public keys are taken, with options and without comments", async () => {
    const text = `# mine\n${line}\r\nfrom="10.0.0.0/8" ${line}\n\n`;
    expect(await readPublicKey(file("two.pub", text))).toBe(`${line}\nfrom="10.0.0.0/8" ${line}\n`);
  });

  test.each(["rsa", "ed25519", "ecdsa"])(
    "a real %s key: the public half is taken, the private refused",
    async (type) => {
      const key = path.join(folder, `id_${type}`);
      execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", key]);
      expect(await readPublicKey(`${key}.pub`)).toBe(readFileSync(`${key}.pub`, "utf8"));
      await expect(readPublicKey(key)).rejects.toMatchObject({
        kind: "usage",
        where: key,
        why: expect.stringMatching(/private key/),
        hint: expect.stringContaining(`${key}.pub`),
      });
    },
  );

  test.each([
    ["PuTTY-User-Key-File-3: ssh-ed25519\n", /private key/],
    ["", /holds no key/],
    [`${line}\nhello\n`, /line 2 is no public key/],
  ])("%j is refused", async (text, why) => {
    await expect(readPublicKey(file("bad", text))).rejects.toMatchObject({
      kind: "usage",
      why: expect.stringMatching(why),
    });
  });

  test("a file that is not there", async () => {
    await expect(readPublicKey(path.join(folder, "absent"))).rejects.toMatchObject({
      why: expect.stringMatching(/can't be read/),
    });
  });
});

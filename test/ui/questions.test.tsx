import { describe, expect, it } from "vitest";
import { fakeWorkspace, keys, openUi } from "./harness.tsx";

const never = new AbortController().signal;

describe("what the pool asks", () => {
  it("takes a password in a hidden field, sends it with ⏎, and is gone", async () => {
    const workspace = fakeWorkspace();
    const ui = openUi({ place: { screen: "sessions" }, workspace });
    const answer = workspace.questions.secret(
      { kind: "password", host: "jdoe@frontend", prompt: "Password:", echo: false, failures: 1 },
      never,
    );
    await ui.waitFor("Password for jdoe@frontend");
    expect(ui.screen().join("\n")).toContain("That was not right (once).");
    await ui.press("s3cret 1q?");
    await ui.waitFor("••••••••••");
    expect(ui.screen().join("\n")).not.toContain("s3cret");
    await ui.press(keys.enter);
    expect(await answer).toBe("s3cret 1q?");
    await ui.waitFor("No session yet");
  });

  it("gives nothing when one leaves it by Esc", async () => {
    const workspace = fakeWorkspace();
    const ui = openUi({ place: { screen: "home" }, workspace });
    const answer = workspace.questions.secret(
      { kind: "passphrase", host: "root@hv1", prompt: "", echo: false, file: "~/.ssh/id_ed25519", failures: 0 },
      never,
    );
    await ui.waitFor("Passphrase of the key ~/.ssh/id_ed25519");
    await ui.press("half", keys.esc);
    expect(await answer).toBeNull();
  });

  it("shows a host's fingerprint; the answer under the cursor is no", async () => {
    const workspace = fakeWorkspace();
    const ui = openUi({ place: { screen: "home" }, workspace });
    const question = {
      host: "[10.0.0.1]:2222",
      alias: "hv1",
      keyType: "ssh-ed25519",
      fingerprint: "SHA256:b1Uabc",
      knownHostsFile: "~/.ssh/known_hosts",
    };
    const first = workspace.questions.hostKey(question, never);
    const lines = (await ui.waitFor("SHA256:b1Uabc")).join("\n");
    expect(lines).toContain("Is this really hv1?");
    expect(lines).toContain("this host, [10.0.0.1]:2222, before");
    await ui.press(keys.enter);
    expect(await first).toBe("no");
    const second = workspace.questions.hostKey({ ...question, fingerprint: "SHA256:second" }, never);
    await ui.waitFor("SHA256:second");
    await ui.press(keys.down);
    await ui.waitFor(/❯ Yes, this time only/);
    await ui.press(keys.enter);
    expect(await second).toBe("once");
  });

  it("goes by itself when who asked has given up, and asks what waits behind it", async () => {
    const workspace = fakeWorkspace();
    const ui = openUi({ place: { screen: "home" }, workspace });
    const abort = new AbortController();
    const question = { kind: "password" as const, prompt: "Password:", echo: false, failures: 0 };
    const first = workspace.questions.secret({ ...question, host: "a@one" }, abort.signal);
    const second = workspace.questions.secret({ ...question, host: "b@two" }, never);
    await ui.waitFor("Password for a@one");
    abort.abort();
    expect(await first).toBeNull();
    await ui.waitFor("Password for b@two");
    await ui.press("x", keys.enter);
    expect(await second).toBe("x");
  });
});

import { connect } from "node:net";
import { duplexPair } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import { openForwarding } from "../../source/console/forwarding.ts";
import { findViewer } from "../../source/console/viewers.ts";
import { VirtuError } from "../../source/errors.ts";
import type { Pool } from "../../source/ssh/types.ts";
import { idlePool } from "../ui/harness.tsx";

const to = { host: { name: "hv1" }, address: "127.0.0.1", port: 5901 };

function poolWith(forward: Pool["forward"]): Pool {
  return Object.assign(idlePool(), { forward });
}

test("joins each connection with one made from the host, and closes all of it", async () => {
  const [near, far] = duplexPair();
  const forward = vi.fn(async () => near);
  const forwarding = await openForwarding(poolWith(forward), to);
  onTestFinished(() => forwarding.close());
  const socket = connect(forwarding.port, "127.0.0.1");
  far.write("RFB 003.008\n");
  expect(await new Promise((resolve) => socket.once("data", (bytes) => resolve(String(bytes))))).toBe("RFB 003.008\n");
  socket.write("hello");
  expect(await new Promise((resolve) => far.once("data", (bytes) => resolve(String(bytes))))).toBe("hello");
  expect(forward).toHaveBeenCalledWith({ name: "hv1" }, { host: "127.0.0.1", port: 5901 }, expect.anything());
  const closed = new Promise((resolve) => socket.once("close", resolve));
  forwarding.close();
  await closed;
  expect(near.destroyed).toBe(true);
});

test("a connection that the host can't make is closed and told", async () => {
  const error = new VirtuError({ kind: "refused", what: "The host forbids forwarding" });
  const onProblem = vi.fn();
  const forwarding = await openForwarding(
    poolWith(() => Promise.reject(error)),
    to,
    onProblem,
  );
  onTestFinished(() => forwarding.close());
  const socket = connect(forwarding.port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("close", resolve));
  expect(onProblem).toHaveBeenCalledWith(error);
});

test("the best viewer that is there, and none without a display", () => {
  const has =
    (...programs: string[]) =>
    (file: string) =>
      programs.some((one) => file === `/usr/bin/${one}`);
  const env = { DISPLAY: ":0", PATH: "/usr/local/bin:/usr/bin" };
  const vnc = { kind: "vnc", port: 40_123 } as const;
  expect(findViewer(vnc, env, has("xdg-open", "vncviewer"))).toEqual({
    program: "vncviewer",
    words: ["127.0.0.1::40123"],
  });
  expect(findViewer(vnc, env, has("xdg-open", "remote-viewer"))).toEqual({
    program: "remote-viewer",
    words: ["vnc://127.0.0.1:40123"],
  });
  expect(findViewer({ ...vnc, kind: "spice" }, env, has("vncviewer"))).toBeNull();
  expect(findViewer(vnc, { PATH: "/usr/bin" }, has("remote-viewer"))).toBeNull();
});

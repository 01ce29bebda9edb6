import { expect, test, vi } from "vitest";
import { KeyDecoder, type KeyEvent } from "../../source/ui/input.ts";
import type { Scope } from "../../source/ui/keys.ts";
import { activate, type Handler, type LayerLevel, layer, Router } from "../../source/ui/router.ts";

const key = (bytes: string) => new KeyDecoder().feed(bytes)[0] as KeyEvent;
const escKey: KeyEvent = { name: "esc", text: null, raw: "\x1b" };

function add(
  router: Router,
  scope: Scope,
  handlers: Record<string, Handler>,
  level: LayerLevel,
  more: { modal?: boolean; typed?: (event: KeyEvent) => boolean } = {},
) {
  return router.add({
    level,
    modal: more.modal ?? false,
    typed: more.typed,
    bindings: () => activate(scope, handlers, level),
  });
}

test("the topmost layer that knows a key takes it, whenever it was added", () => {
  const router = new Router();
  const said: string[] = [];
  const run = (name: string) => ({ run: () => void said.push(name) });
  const drop = add(router, "global", { back: run("dialog") }, layer.dialog);
  add(router, "global", { back: run("everywhere"), quit: run("quit") }, layer.global);
  add(router, "instances", { start: run("start") }, layer.screen);
  router.dispatch(escKey);
  router.dispatch(key("s"));
  router.dispatch(key("q"));
  drop();
  router.dispatch(escKey);
  expect(said).toEqual(["dialog", "start", "quit", "everywhere"]);
  expect(router.dispatch(key("ä"))).toBe(false);
});

test("of two on the same level the later one wins, as a view drawn over another does", () => {
  const router = new Router();
  const first = vi.fn();
  const second = vi.fn();
  add(router, "global", { back: { run: first } }, layer.screen);
  add(router, "filter", { clear: { run: second } }, layer.screen);
  router.dispatch(escKey);
  expect(second).toHaveBeenCalledOnce();
  expect(first).not.toHaveBeenCalled();
});

test("nothing below a modal layer gets a key or is listed", () => {
  const router = new Router();
  const below = vi.fn();
  add(router, "instances", { forceOff: { run: below } }, layer.screen);
  add(router, "global", { back: { run: () => {} } }, layer.dialog, { modal: true });
  expect(router.dispatch(key("x"))).toBe(false);
  expect(below).not.toHaveBeenCalled();
  expect(router.active().map(({ id }) => id)).toEqual(["back"]);
});

test("Ctrl-C leaves a question by its Esc, and the program only when there is none", () => {
  const router = new Router();
  const said: string[] = [];
  add(router, "global", { quit: { run: () => void said.push("quit") } }, layer.global);
  const drop = add(router, "global", { back: { run: () => void said.push("back") } }, layer.dialog, { modal: true });
  router.dispatch(key("\x03"));
  drop();
  router.dispatch(key("\x03"));
  expect(said).toEqual(["back", "quit"]);
});

test("a field takes text before any binding, and lets other keys through", () => {
  const router = new Router();
  const said: string[] = [];
  add(router, "instances", { forceOff: { run: () => void said.push("off") } }, layer.screen);
  add(router, "list", { down: { run: () => void said.push("down") } }, layer.screen);
  add(router, "filter", { keep: { run: () => void said.push("keep") } }, layer.field, {
    typed: ({ text }) => text !== null && said.push(text) > 0,
  });
  for (const bytes of ["x", "j", "\x1b[B", "\r"]) router.dispatch(key(bytes));
  expect(said).toEqual(["x", "j", "down", "keep"]);
  // Only what can still be reached is listed: `j` is text now, the arrow is not.
  expect(router.active().map(({ id }) => id)).toEqual(["keep", "down"]);
});

test("a binding that a layer above has taken is not listed twice", () => {
  const router = new Router();
  add(router, "global", { back: { run: () => {} }, help: { run: () => {} } }, layer.global);
  add(router, "filter", { clear: { run: () => {} } }, layer.screen);
  expect(router.active().map(({ scope, id }) => `${scope}.${id}`)).toEqual(["filter.clear", "global.help"]);
});

test("a disabled key says why instead of doing it, and goes no further down", () => {
  const router = new Router();
  const refused = vi.fn();
  const run = vi.fn();
  router.onRefused = refused;
  add(router, "instances", { start: { run } }, layer.global);
  add(router, "instances", { start: { run, disabled: "it runs already" } }, layer.screen);
  expect(router.dispatch(key("s"))).toBe(true);
  expect(refused).toHaveBeenCalledWith("it runs already");
  expect(run).not.toHaveBeenCalled();
});

test("tells who listens when the set of keys changes", () => {
  const router = new Router();
  const listener = vi.fn();
  const stop = router.subscribe(listener);
  const before = router.snapshot();
  const drop = add(router, "list", {}, layer.screen);
  drop();
  expect(listener).toHaveBeenCalledTimes(2);
  expect(router.snapshot()).not.toBe(before);
  stop();
  router.changed();
  expect(listener).toHaveBeenCalledTimes(2);
});

test("a key that is only shown goes to the field below it, else past all of them to Ink", () => {
  const router = new Router();
  const back = vi.fn();
  const typed = vi.fn((event: KeyEvent) => event.name === "enter");
  add(router, "instances", { describe: { run: back } }, layer.screen);
  add(router, "global", {}, layer.dialog, { modal: true, typed });
  add(router, "dialog", { move: { run: back, native: true }, answer: { run: back, native: true } }, layer.dialog);
  expect(router.dispatch(key("\r"))).toBe(true);
  expect(router.dispatch(key("\x1b[A"))).toBe(false);
  expect(typed).toHaveBeenCalledTimes(2);
  expect(back).not.toHaveBeenCalled();
});

/** Small components on Ink's own testing library: what they draw, in their context. */
import { render } from "ink-testing-library";
import type { ReactElement } from "react";
import { describe, expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { choiceBox, Field, lineText, textBox } from "../../source/ui/components/field.tsx";
import { footerText } from "../../source/ui/components/frame.tsx";
import { Menu } from "../../source/ui/components/menu.tsx";
import { Problem } from "../../source/ui/components/problem.tsx";
import { lineOf } from "../../source/ui/editor.ts";
import { committed } from "../../source/ui/key-queue.ts";
import { activate, layer } from "../../source/ui/router.ts";
import { keys } from "./harness.tsx";

const bare = (text: string | undefined) => (text ?? "").replace(/\u001b\[\d+m/g, "");
const draw = (node: ReactElement) => bare(render(node).lastFrame());

describe("a field", () => {
  it("shows its label, its value and what it means; what is wrong goes first", () => {
    const field = (error: string | null) =>
      draw(<Field label="Nodes" focused value={textBox(lineOf("4"), 6, true)} error={error} help="14 free" />);
    expect(field(null)).toBe("❯Nodes        [ 4     ]  14 free");
    expect(field("a whole number")).toContain("✗ a whole number");
    expect(field("a whole number")).not.toContain("14 free");
  });
  it("scrolls a long line so that the cursor stays to be seen, and hides a secret", () => {
    expect(bare(lineText(lineOf("0123456789"), 5, true))).toBe("6789 ");
    expect(bare(lineText({ text: "0123456789", cursor: 0 }, 5, true))).toBe("0123 ");
    const secret = bare(lineText(lineOf("secret"), 10, true, true));
    expect(secret).not.toContain("s");
    expect(secret).toMatch(/^•{6}/);
  });
  it("marks the choice that has the cursor by more than colour", () => {
    expect(choiceBox("any", true)).toContain("\u001b[7m");
    expect(choiceBox("any", false)).toBe("‹ any ›");
  });
});

describe("a menu", () => {
  it("moves and chooses by keys", async () => {
    const onChoose = vi.fn();
    const menu = render(
      <Menu
        choices={[
          { label: "Keep", value: "keep" },
          { label: "Lose", value: "lose" },
        ]}
        onChoose={onChoose}
      />,
    );
    expect(bare(menu.lastFrame())).toMatch(/^❯ Keep\n {2}Lose/);
    // Ink listens for a key when the effects of what is drawn have run.
    await committed();
    menu.stdin.write(keys.down);
    await vi.waitFor(() => expect(bare(menu.lastFrame())).toMatch(/❯ Lose/));
    await committed();
    menu.stdin.write(keys.enter);
    await vi.waitFor(() => expect(onChoose).toHaveBeenCalledWith("lose"));
  });
  it("keeps its cursor when it is drawn anew with answers that are made anew", async () => {
    const chosen = vi.fn();
    const question = () => (
      <Menu
        choices={[
          { label: "Keep", value: () => chosen("keep") },
          { label: "Lose", value: () => chosen("lose") },
        ]}
        onChoose={(run) => run()}
      />
    );
    const menu = render(question());
    await committed();
    menu.stdin.write(keys.down);
    await vi.waitFor(() => expect(bare(menu.lastFrame())).toMatch(/❯ Lose/));
    menu.rerender(question());
    await committed();
    menu.rerender(question());
    await committed();
    expect(bare(menu.lastFrame())).toMatch(/❯ Lose/);
    menu.stdin.write(keys.enter);
    await vi.waitFor(() => expect(chosen).toHaveBeenCalledWith("lose"));
  });
});

describe("the footer", () => {
  const active = activate(
    "jobs",
    {
      open: { run: () => {} },
      reserve: { run: () => {} },
      deploy: { run: () => {}, disabled: "no" },
      release: { run: () => {} },
    },
    layer.screen,
  ).concat(activate("global", { help: { run: () => {} }, back: { run: () => {} } }, layer.global));

  it("holds the keys that work now, marks the dangerous one, and ends with help", () => {
    expect(footerText(active, 79)).toBe(" ⏎ take over  n reserve  D release⚠  Esc back  ? help");
  });
  it("gives up the least likely keys where there is no room, never help", () => {
    const narrow = footerText(active, 42);
    expect(narrow).toBe(" ⏎ take over  n reserve  Esc  ? help");
  });
});

it("shows an error's four parts, and neither control characters nor endless text of a host", () => {
  const detail = `\u001b[31mred\u001b[0m\n${"line\n".repeat(20)}`;
  const error = new VirtuError({
    kind: "refused",
    what: "No",
    where: "here",
    why: "because",
    hint: "Do that.",
    detail,
  });
  const text = draw(<Problem error={error} lines={3} />);
  expect(text).toMatch(/✗ here: No\n +because\n +Do that\.\n +\| red\n/);
  expect(text).toContain("18 more lines");
});

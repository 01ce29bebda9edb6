import { defineConfig } from "vitest/config";

export default defineConfig({
  define: { VIRTU_VERSION: JSON.stringify("test") },
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    exclude: ["test/lab/**", "node_modules/**"],
    testTimeout: 30_000,
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 30_000,
    // A shared machine now and then stands still for longer than a test waits: what fails twice is broken. The report
    // says what was tried again.
    retry: process.env["CI"] ? 1 : 0,
    env: { TZ: "UTC", LANG: "C.UTF-8", FORCE_COLOR: "3", TERM: "xterm-256color" },
    reporters: ["default", "./test/tried-again.ts"],
    setupFiles: ["test/setup.ts"],
  },
});

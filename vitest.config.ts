import { defineConfig } from "vitest/config";

export default defineConfig({
  define: { VIRTU_VERSION: JSON.stringify("test") },
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    exclude: ["test/lab/**", "node_modules/**"],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    env: { TZ: "UTC", LANG: "C.UTF-8", FORCE_COLOR: "3", TERM: "xterm-256color" },
    setupFiles: ["test/setup.ts"],
  },
});

import { defineConfig } from "vitest/config";

/** Apart from the other tests: it packs and installs, which only a release and the CI want. */
export default defineConfig({
  test: {
    include: ["test/pack/*.check.ts"],
    hookTimeout: 180_000,
    testTimeout: 240_000,
    reporters: ["verbose"],
  },
});

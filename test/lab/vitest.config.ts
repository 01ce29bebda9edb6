import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/lab/**/*.test.ts"],
    globalSetup: ["test/lab/setup.ts"],
    // Each lab wants the machine for itself: real daemons on few cores.
    fileParallelism: false,
    // A fresh machine installs packages and makes root file systems before the first test of a file.
    hookTimeout: 600_000,
    testTimeout: 180_000,
    reporters: ["verbose"],
  },
});

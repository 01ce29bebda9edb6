import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/lab/**/*.test.ts"],
    // Ganeti on an emulated Xen meets time limits of its own on a machine that does anything else, and takes ten minutes.
    exclude: process.env["VIRTU_LAB_SLOW"] ? [] : ["test/lab/xen/ganeti.test.ts"],
    globalSetup: ["test/lab/setup.ts"],
    // Each lab wants the machine for itself: real daemons on few cores.
    fileParallelism: false,
    // A fresh machine installs packages and makes root file systems before the first test of a file.
    hookTimeout: 600_000,
    testTimeout: 180_000,
    // Emulated guests on shared cores now and then miss a limit, and then the whole of it would be run again for nothing: what
    // fails twice is broken. The report says what was tried again.
    retry: process.env["CI"] ? 1 : 0,
    reporters: ["verbose", "./test/tried-again.ts"],
  },
});

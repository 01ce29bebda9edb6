/** Runs and what begins them, sessions and the feed: loaded together. */
export { ConfigureScreen } from "./configure.tsx";
export { InstallScreen } from "./install.tsx";
export { InstallGanetiScreen } from "./install-ganeti.tsx";
export { InstallLibvirtScreen } from "./install-libvirt.tsx";
export { LogScreen } from "./log.tsx";
export { RunPlanScreen } from "./preview.tsx";
export { RunScreen } from "./run.tsx";
export { RunOutputScreen } from "./run-output.tsx";
export { RunsScreen } from "./runs.tsx";
export { SessionScreen, SessionsScreen } from "./sessions.tsx";
export { UpScreen } from "./up.tsx";
export { WayScreen } from "./way.tsx";

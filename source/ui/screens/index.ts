/**
 * Which view draws which place. Those that virtu opens on are there at once. The code of the others comes in a few parts, each
 * loaded when a screen of it is first opened, or when the program has nothing else to do.
 */
import type { ReactNode } from "react";
import type { Place } from "../navigation.ts";
import { HomeScreen } from "./home.tsx";
import { InstancesScreen } from "./instances.tsx";

export type Screen = (props: { place: Place }) => ReactNode;
type ScreenName = Place["screen"];

const testbed = () => import("./part-testbed.ts");
const machines = () => import("./part-instances.ts");
const runs = () => import("./part-runs.ts");

const loads: Readonly<Record<ScreenName, () => Promise<Screen>>> = {
  home: async () => HomeScreen,
  jobs: async () => (await testbed()).JobsScreen,
  reserve: async () => (await testbed()).ReserveScreen,
  waiting: async () => (await testbed()).WaitingScreen,
  extend: async () => (await testbed()).ExtendScreen,
  deploy: async () => (await testbed()).DeployScreen,
  deployment: async () => (await testbed()).DeploymentScreen,
  nodes: async () => (await testbed()).NodesScreen,
  node: async () => (await testbed()).NodeScreen,
  sites: async () => (await testbed()).SitesScreen,
  "add-site": async () => (await testbed()).AddSiteScreen,
  instances: async () => InstancesScreen,
  instance: async () => (await machines()).InstanceScreen,
  create: async () => (await machines()).CreateScreen,
  "create-save": async () => (await machines()).CreateSaveScreen,
  making: async () => (await machines()).MakingScreen,
  comparisons: async () => (await machines()).ComparisonsScreen,
  compare: async () => (await machines()).CompareScreen,
  comparison: async () => (await machines()).ComparisonScreen,
  "comparison-save": async () => (await machines()).ComparisonSaveScreen,
  stores: async () => (await machines()).StoresScreen,
  "store-add": async () => (await machines()).StoreAddScreen,
  chart: async () => (await machines()).ChartScreen,
  "copy-cell": async () => (await machines()).CopyCellScreen,
  columns: async () => (await machines()).ColumnsScreen,
  views: async () => (await machines()).ViewsScreen,
  "keep-view": async () => (await machines()).KeepViewScreen,
  export: async () => (await machines()).ExportScreen,
  bulk: async () => (await machines()).BulkScreen,
  "bulk-save": async () => (await machines()).BulkSaveScreen,
  waves: async () => (await machines()).WavesScreen,
  schedule: async () => (await machines()).ScheduleScreen,
  scheduled: async () => (await machines()).ScheduledScreen,
  actions: async () => (await machines()).ActionsScreen,
  action: async () => (await machines()).ActionScreen,
  "move-to": async () => (await machines()).MoveToScreen,
  snapshots: async () => (await machines()).SnapshotsScreen,
  hardware: async () => (await machines()).HardwareScreen,
  definition: async () => (await machines()).DefinitionScreen,
  change: async () => (await machines()).ChangeScreen,
  "provider-jobs": async () => (await machines()).ProviderJobsScreen,
  "provider-job": async () => (await machines()).ProviderJobScreen,
  hosts: async () => (await machines()).HostsScreen,
  "add-host": async () => (await machines()).AddHostScreen,
  console: async () => (await machines()).ConsoleScreen,
  consoles: async () => (await machines()).ConsolesScreen,
  "guest-screen": async () => (await machines()).GuestScreenScreen,
  configure: async () => (await runs()).ConfigureScreen,
  install: async () => (await runs()).InstallScreen,
  "install-ganeti": async () => (await runs()).InstallGanetiScreen,
  "install-libvirt": async () => (await runs()).InstallLibvirtScreen,
  runs: async () => (await import("./runs.tsx")).RunsScreen,
  run: async () => (await runs()).RunScreen,
  "run-output": async () => (await runs()).RunOutputScreen,
  "run-plan": async () => (await runs()).RunPlanScreen,
  up: async () => (await runs()).UpScreen,
  way: async () => (await runs()).WayScreen,
  sessions: async () => (await runs()).SessionsScreen,
  session: async () => (await runs()).SessionScreen,
  log: async () => (await runs()).LogScreen,
};

const loaded: Partial<Record<ScreenName, Screen>> = { home: HomeScreen, instances: InstancesScreen };

/** The view that draws a place, or null while it is not loaded. */
export function screenOf({ screen }: Place): Screen | null {
  return loaded[screen] ?? null;
}

/** Loads the view of a place. Rejects when its file is gone, which an update of virtu can do to one that runs. */
export async function loadScreen({ screen }: Pick<Place, "screen">): Promise<void> {
  loaded[screen] ??= await loads[screen]();
}

/** Loads what is not there yet, with a pause of so many milliseconds after each screen, in which keys are answered. */
export async function loadScreens(pauseMs = 0): Promise<void> {
  for (const screen of Object.keys(loads) as ScreenName[]) {
    if (loaded[screen]) continue;
    await loadScreen({ screen });
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
  }
}

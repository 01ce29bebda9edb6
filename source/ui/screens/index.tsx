/** Which view draws which place. */
import type { ReactNode } from "react";
import type { Place } from "../navigation.ts";
import { ActionScreen } from "./action.tsx";
import { ActionsScreen } from "./actions.tsx";
import { AddHostScreen } from "./add-host.tsx";
import { BulkScreen } from "./bulk.tsx";
import { BulkSaveScreen } from "./bulk-save.tsx";
import { ChangeScreen } from "./change.tsx";
import { ChartScreen } from "./chart.tsx";
import { ColumnsScreen } from "./columns.tsx";
import { CompareScreen } from "./compare.tsx";
import { ComparisonSaveScreen, ComparisonScreen } from "./comparison.tsx";
import { ComparisonsScreen } from "./comparisons.tsx";
import { ConfigureScreen } from "./configure.tsx";
import { ConsoleScreen } from "./console.tsx";
import { ConsolesScreen } from "./consoles.tsx";
import { CreateScreen } from "./create.tsx";
import { CreateSaveScreen } from "./create-save.tsx";
import { DefinitionScreen } from "./definition.tsx";
import { DeployScreen } from "./deploy.tsx";
import { DeploymentScreen } from "./deployment.tsx";
import { ExportScreen } from "./export.tsx";
import { ExtendScreen } from "./extend.tsx";
import { FirstInstanceScreen } from "./first-instance.tsx";
import { GuestScreenScreen } from "./guest-screen.tsx";
import { HardwareScreen } from "./hardware.tsx";
import { HomeScreen } from "./home.tsx";
import { HostsScreen } from "./hosts.tsx";
import { InstallScreen } from "./install.tsx";
import { InstallGanetiScreen } from "./install-ganeti.tsx";
import { InstallLibvirtScreen } from "./install-libvirt.tsx";
import { InstanceScreen } from "./instance.tsx";
import { InstancesScreen } from "./instances.tsx";
import { JobsScreen } from "./jobs.tsx";
import { LogScreen } from "./log.tsx";
import { MakingScreen } from "./making.tsx";
import { MoveToScreen } from "./move-to.tsx";
import { NodeScreen, NodesScreen } from "./nodes.tsx";
import { RunPlanScreen } from "./preview.tsx";
import { ProviderJobScreen, ProviderJobsScreen } from "./provider-jobs.tsx";
import { ReserveScreen } from "./reserve.tsx";
import { RunScreen } from "./run.tsx";
import { RunOutputScreen } from "./run-output.tsx";
import { RunsScreen } from "./runs.tsx";
import { ScheduleScreen } from "./schedule.tsx";
import { ScheduledScreen } from "./scheduled.tsx";
import { SessionScreen, SessionsScreen } from "./sessions.tsx";
import { AddSiteScreen, SitesScreen } from "./sites.tsx";
import { SnapshotsScreen } from "./snapshots.tsx";
import { StoreAddScreen, StoresScreen } from "./stores.tsx";
import { UpScreen } from "./up.tsx";
import { KeepViewScreen, ViewsScreen } from "./views.tsx";
import { WaitingScreen } from "./waiting.tsx";
import { WavesScreen } from "./waves.tsx";
import { WayScreen } from "./way.tsx";

const screens: Partial<Record<Place["screen"], (props: { place: Place }) => ReactNode>> = {
  home: HomeScreen,
  jobs: JobsScreen,
  reserve: ReserveScreen,
  waiting: WaitingScreen,
  extend: ExtendScreen,
  deploy: DeployScreen,
  deployment: DeploymentScreen,
  nodes: NodesScreen,
  node: NodeScreen,
  sites: SitesScreen,
  "add-site": AddSiteScreen,
  instances: InstancesScreen,
  instance: InstanceScreen,
  create: CreateScreen,
  "create-save": CreateSaveScreen,
  making: MakingScreen,
  comparisons: ComparisonsScreen,
  compare: CompareScreen,
  comparison: ComparisonScreen,
  "comparison-save": ComparisonSaveScreen,
  stores: StoresScreen,
  "store-add": StoreAddScreen,
  chart: ChartScreen,
  columns: ColumnsScreen,
  views: ViewsScreen,
  "keep-view": KeepViewScreen,
  export: ExportScreen,
  bulk: BulkScreen,
  "bulk-save": BulkSaveScreen,
  waves: WavesScreen,
  schedule: ScheduleScreen,
  scheduled: ScheduledScreen,
  actions: ActionsScreen,
  action: ActionScreen,
  "move-to": MoveToScreen,
  snapshots: SnapshotsScreen,
  hardware: HardwareScreen,
  definition: DefinitionScreen,
  change: ChangeScreen,
  "provider-jobs": ProviderJobsScreen,
  "provider-job": ProviderJobScreen,
  hosts: HostsScreen,
  "add-host": AddHostScreen,
  console: ConsoleScreen,
  consoles: ConsolesScreen,
  "guest-screen": GuestScreenScreen,
  configure: ConfigureScreen,
  install: InstallScreen,
  "install-ganeti": InstallGanetiScreen,
  "install-libvirt": InstallLibvirtScreen,
  runs: RunsScreen,
  run: RunScreen,
  "run-output": RunOutputScreen,
  "run-plan": RunPlanScreen,
  up: UpScreen,
  way: WayScreen,
  "first-instance": FirstInstanceScreen,
  sessions: SessionsScreen,
  session: SessionScreen,
  log: LogScreen,
};

export function screenOf(place: Place): (props: { place: Place }) => ReactNode {
  return screens[place.screen] ?? HomeScreen;
}

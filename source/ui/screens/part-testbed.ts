/** Sites, jobs, deployments and nodes: loaded together. */
export { DeployScreen } from "./deploy.tsx";
export { DeploymentScreen } from "./deployment.tsx";
export { ExtendScreen } from "./extend.tsx";
export { JobsScreen } from "./jobs.tsx";
export { NodeScreen, NodesScreen } from "./nodes.tsx";
export { ReserveScreen } from "./reserve.tsx";
export { AddSiteScreen, SitesScreen } from "./sites.tsx";
export { WaitingScreen } from "./waiting.tsx";

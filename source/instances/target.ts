/** What an action is done to: an instance or a node, each by its provider. Everything that is the same for both starts here. */
import type { Found } from "./inventory-types.ts";
import { failure } from "./outcomes.ts";
import type {
  Action,
  ActionEvent,
  ActionLimits,
  ActionName,
  ActionOutcome,
  NodeAction,
  NodeActionName,
  ProviderOptions,
  Refusal,
  Status,
} from "./types.ts";

export type Request = Action | NodeAction;
export type RequestName = ActionName | NodeActionName;

const nodeActions: Readonly<Record<NodeActionName, true>> = {
  evacuate: true,
  drain: true,
  offline: true,
  master: true,
};

export function isNodeAction(name: RequestName): name is NodeActionName {
  return Object.hasOwn(nodeActions, name);
}

function isNodeRequest(request: Request): request is NodeAction {
  return isNodeAction(request.do);
}

export function nameOf(target: Found): string {
  return target.kind === "instance" ? target.instance.name : target.node.name;
}

export function hostOf(target: Found): string {
  return target.kind === "instance" ? target.instance.host : target.node.host;
}

export function statusOf(target: Found | null): Status | null {
  return target?.kind === "instance" ? target.instance.status : null;
}

/** Null, or why that can't be done to it now. */
export function refusalOf(name: RequestName, target: Found): Refusal {
  if (target.kind === "instance") {
    return isNodeAction(name) ? "that is done to nodes" : target.provider.refuses(name, target.instance);
  }
  if (!isNodeAction(name)) return "that is done to instances";
  const { nodes } = target.provider;
  return nodes ? nodes.refuses(name, target.node) : `${target.provider.name} has no actions on nodes`;
}

/** The exact command lines; none for what would be refused. */
export function previewOf(request: Request, target: Found, limits: ActionLimits): string[] {
  if (target.kind === "instance") {
    return isNodeRequest(request) ? [] : target.provider.preview(request, target.instance, limits);
  }
  return isNodeRequest(request) ? (target.provider.nodes?.preview(request, target.node) ?? []) : [];
}

/** Does it. Only for what `refusalOf` allows. */
export async function actOn(
  request: Request,
  target: Found,
  options: ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void },
): Promise<ActionOutcome> {
  const { provider } = target;
  if (target.kind === "instance" && !isNodeRequest(request)) return provider.act(request, target.instance, options);
  if (target.kind === "node" && isNodeRequest(request) && provider.nodes) {
    return provider.nodes.act(request, target.node, options);
  }
  const error = refusalOf(request.do, target) ?? "that can't be done to it";
  return failure(error);
}

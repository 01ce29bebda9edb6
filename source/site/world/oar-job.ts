/** A job as OAR keeps it. */
import type { Wanted } from "./oar-request.ts";
import type { Node, Resource } from "./testbed.ts";

export type State =
  | "Waiting"
  | "Hold"
  | "toLaunch"
  | "toError"
  | "toAckReservation"
  | "Launching"
  | "Running"
  | "Finishing"
  | "Terminated"
  | "Error";

export interface OarEvent {
  id: number;
  type: string;
  description: string;
  date: number;
}

export interface OarJob {
  id: number;
  owner: string;
  name: string | null;
  project: string;
  queue: string;
  types: string[];
  command: string;
  directory: string;
  request: string;
  wanted: Wanted;
  state: State;
  reservation: "None" | "toSchedule" | "Scheduled";
  /** Epoch seconds; 0 or null: not yet. */
  submittedAt: number;
  startedAt: number;
  stoppedAt: number;
  predicted: number | null;
  walltime: number | null;
  granted: number;
  pending: number;
  nodes: Node[];
  subnets: Resource[];
  exitCode: number | null;
  events: OarEvent[];
}

export interface Submission {
  owner: string;
  name: string | null;
  project: string;
  queue: string;
  types: string[];
  command: string;
  directory: string;
  request: string;
  wanted: Wanted;
  hold: boolean;
  /** Epoch seconds of an advance reservation. */
  start: number | null;
}

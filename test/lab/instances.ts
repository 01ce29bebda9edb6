/** The documented JSON of the instance commands, as far as the labs compare it. */
export interface InstanceJson {
  name: string;
  id: string;
  provider: string;
  cluster: string | null;
  host: string;
  node: string | null;
  status: string;
  statusDetail: string;
  vcpus: number | null;
  memoryMiB: number | null;
}

export interface ActionJson {
  name: string;
  host: string;
  ok: boolean;
  statusBefore: string;
  statusAfter: string | null;
  job: string | null;
  error: string | null;
}

/** The table's line of an instance in this status, for `waitFor`. */
export function row(name: string, status: string): RegExp {
  return new RegExp(`\\b${name}\\b.*\\b${status}\\b`);
}

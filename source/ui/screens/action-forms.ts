/** What each action with parameters asks for. Pure: fields, what is wrong with them, and the request that they make. */
import type { ActOptions, InstanceRow, NodeRow } from "../../instances/inventory-types.ts";
import type { Request, RequestName } from "../../instances/target.ts";
import type { InstanceDetails } from "../../instances/types.ts";
import type { FormField, Values } from "../components/form.tsx";
import type { Lines } from "../lines.ts";
import {
  cloneForm,
  noteForm,
  removeForm,
  renameForm,
  shutdownForm,
  snapshotForm,
  tagForm,
} from "./action-forms-basic.ts";
import {
  diskAddForm,
  diskGrowForm,
  diskRemoveForm,
  mediaEjectForm,
  mediaInsertForm,
  memoryForm,
  nicAddForm,
  nicRemoveForm,
  vcpuForm,
} from "./action-forms-hardware.ts";
import { evacuateForm } from "./action-forms-node.ts";

/** What a form knows of what it is for. */
export interface FormContext {
  /** The instances that it is for; empty for a node. */
  rows: readonly InstanceRow[];
  /** The node that it is for, or the one that carries the first instance. */
  node: NodeRow | null;
  /** Every instance that is known. */
  all: readonly InstanceRow[];
  /** By key, as far as they were read. */
  details: ReadonlyMap<string, InstanceDetails>;
  /** The disk or network card that it is about. */
  of: string | null;
  /** Epoch milliseconds. */
  now: number;
}

export type FieldTexts = Readonly<Record<string, string | null | undefined>>;

export interface ActionForm {
  /** A sentence without a full stop: `Rename web1`. */
  title: (context: FormContext) => string;
  /** Whose details are read before: of the first, needed; of each, as far as they can be had. */
  details?: "first" | "each";
  fields: (context: FormContext) => FormField[];
  errors: (values: Values, context: FormContext) => FieldTexts;
  meanings?: (values: Values, context: FormContext) => FieldTexts;
  missing?: (values: Values, context: FormContext) => string | null;
  /** Null as long as something is wrong. */
  request: (values: Values, context: FormContext) => Request | null;
  options?: (values: Values) => ActOptions;
  /** Lines under the fields: what goes, what there is. */
  about?: (values: Values, context: FormContext) => Lines;
  /** `about` holds the name of each instance. */
  namesThem?: boolean;
  dangerous?: boolean;
  /** Asked once more before it is done, with all of `about`. */
  asks?: boolean;
}

const forms: Partial<Record<RequestName, ActionForm>> = {
  shutdown: shutdownForm,
  rename: renameForm,
  remove: removeForm,
  clone: cloneForm,
  tag: tagForm,
  note: noteForm,
  "snapshot-create": snapshotForm,
  "set-memory": memoryForm,
  "set-vcpus": vcpuForm,
  "disk-add": diskAddForm,
  "disk-grow": diskGrowForm,
  "disk-remove": diskRemoveForm,
  "nic-add": nicAddForm,
  "nic-remove": nicRemoveForm,
  "media-insert": mediaInsertForm,
  "media-eject": mediaEjectForm,
  evacuate: evacuateForm,
};

export function formOf(action: RequestName): ActionForm | null {
  return forms[action] ?? null;
}

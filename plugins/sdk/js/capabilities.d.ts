// The capabilities of the contract. Import what wit/world.wit imports; kv, http and facts have to be granted by an admin besides.

declare module "convene:plugin/log@0.1.0" {
  export function write(level: "debug" | "info" | "warn" | "error", message: string): void;
}

declare module "convene:plugin/explain@0.1.0" {
  /** Why the plugin decides as it does; kept with the call. */
  export function because(rule: string, outcome: boolean, detail: string): void;
}

declare module "convene:plugin/kv@0.1.0" {
  export interface Entry {
    value: Uint8Array;
    revision: bigint;
  }
  export function get(key: string): Entry | undefined;
  /** `expect`: only over this revision, 0 for "there is none". Takes effect with the decision. */
  export function put(key: string, value: Uint8Array, expect?: bigint): bigint;
  function remove(key: string): void;
  export { remove as delete };
}

declare module "convene:plugin/facts@0.1.0" {
  /** A JSON object about the case: "visit" or "roster". */
  export function lookUp(subject: string): string | undefined;
}

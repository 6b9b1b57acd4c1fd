// Types of the contract convene:plugin@0.1.0, for TypeScript and for editors.

/** Further fields, by name. A host may add names. */
export type Attributes = [name: string, value: string][];

/** What every call is told: there is no clock and no source of random numbers beside it. */
export interface Context {
  tenant: string;
  /** This call; the journal has it. */
  invocation: string;
  /** Business time in milliseconds since the Unix epoch. */
  nowMs: bigint;
  /** Fresh random bits for this call. */
  seed: bigint;
  /** 1 for the first attempt of the same decision. */
  attempt: number;
  /** Settings of the binding. */
  attributes: Attributes;
}

/** Somebody who takes part. Personal fields are there only when an admin granted them. */
export interface Party {
  id: string;
  kind: string;
  displayName?: string;
  address?: string;
  external: boolean;
  attributes: Attributes;
}

/** A guest has arrived in a lobby. */
export interface Arrival {
  lobby: string;
  visit: string;
  booking: string;
  guest: Party;
  arrivedAtMs: bigint;
  /** When the lobby closes by itself. */
  closesAtMs: bigint;
  /** 1 is next. */
  position: number;
  /** How many wait, this guest included. */
  waiting: number;
  attributes: Attributes;
}

/** What becomes of the guest; made by the functions below. */
export interface Verdict {
  tag: "admit" | "wait" | "deny" | "route" | "require-step";
  val: string;
}

/** Let the guest in. Reasons are codes of at most 64 of A-Z, 0-9 and _. */
export function admit(reason: string): Verdict;
/** Let a host decide. */
export function wait(reason: string): Verdict;
/** Turn the guest away. */
export function deny(reason: string): Verdict;
/** The guest waits in this queue: a name of at most 64 of a-z, 0-9 and -. */
export function route(queue: string): Verdict;
/** The guest waits until this step is done. */
export function requireStep(step: string): Verdict;

/** The settings of the binding, by name. */
export function settings(context: Context): Map<string, string>;
/** A setting that holds a list with commas. */
export function list(context: Context, name: string): string[];

/** "I cannot decide": the failure policy of the binding holds. */
export class Fault extends Error {
  constructor(code: string, message: string, retry?: boolean);
  code: string;
  retry: boolean;
}

/** The export `lobby` of a plugin. */
export function lobby(decide: (context: Context, arrival: Arrival) => Verdict): {
  onLobbyArrival(context: Context, arrival: Arrival): Verdict;
};

// What every plugin in JavaScript or TypeScript needs: verdicts, settings, and faults instead of traps.
//
// A thrown error would stop the plugin without a word; here it becomes a fault with the error's message, and the failure policy of the binding holds.

/** Let the guest in. `reason` is a code of A-Z, 0-9 and _. */
export const admit = (reason) => ({ tag: "admit", val: reason });
/** Let a host decide. */
export const wait = (reason) => ({ tag: "wait", val: reason });
/** Turn the guest away. */
export const deny = (reason) => ({ tag: "deny", val: reason });
/** The guest waits in this queue: a name of a-z, 0-9 and -. */
export const route = (queue) => ({ tag: "route", val: queue });
/** The guest waits until this step is done. */
export const requireStep = (step) => ({ tag: "require-step", val: step });

/** The settings of the binding, by name. */
export const settings = (context) => new Map(context.attributes);

/** A setting that holds a list with commas. */
export const list = (context, name) =>
  (settings(context).get(name) ?? "").split(",").map((item) => item.trim()).filter(Boolean);

/** "I cannot decide": the failure policy of the binding holds. */
export class Fault extends Error {
  constructor(code, message, retry = false) {
    super(message);
    this.code = code;
    this.retry = retry;
  }
}

/** The export `lobby` of a plugin: `decide(context, arrival)` answers a verdict or throws. */
export const lobby = (decide) => ({
  onLobbyArrival(context, arrival) {
    try {
      return decide(context, arrival);
    } catch (error) {
      throw { code: error.code ?? "EXCEPTION", message: String(error.message ?? error), retry: error.retry ?? false };
    }
  },
});

// Who may come in at once, and who waits for a host.
import { because } from "convene:plugin/explain@0.1.0";
import { type Arrival, type Context, type Verdict, admit, list, lobby as hook, wait } from "./convene.js";

function decide(context: Context, { guest }: Arrival): Verdict {
  const expected = list(context, "expected").includes(guest.id);
  because("the guest is expected", expected, guest.id);
  return expected ? admit("EXPECTED") : wait("NOT_EXPECTED");
}

export const lobby = hook(decide);

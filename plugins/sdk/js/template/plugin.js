// Who may come in at once, and who waits for a host.
import { because } from "convene:plugin/explain@0.1.0";
import { admit, list, lobby as hook, wait } from "./convene.js";

export const lobby = hook((context, { guest }) => {
  const expected = list(context, "expected").includes(guest.id);
  because("the guest is expected", expected, guest.id);
  return expected ? admit("EXPECTED") : wait("NOT_EXPECTED");
});

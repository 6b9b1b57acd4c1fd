// Guests whose id is on the list are let in at once; all others wait for a host.
import { because } from "convene:plugin/explain@0.1.0";
import { admit, list, lobby as hook, wait } from "../../../sdk/js/convene.js";

export const lobby = hook((context, { guest }) => {
  const vip = list(context, "vips").includes(guest.id);
  because("guest is on the list of VIPs", vip, guest.id);
  return vip ? admit("VIP") : wait("NOT_ON_THE_LIST");
});

// Within business hours a host decides. Outside, and on holidays, guests are sent to the night desk's queue.
import { because } from "convene:plugin/explain@0.1.0";
import { Fault, list, lobby as hook, route, settings, wait } from "../../../sdk/js/convene.js";

const MINUTE = 60_000;

const minutes = (text) => {
  const [, hour, minute] = /^(\d\d):(\d\d)$/.exec(text) ?? [];
  if (hour === undefined) throw new Fault("BAD_SETTING", `not a time of day: ${text}`);
  return Number(hour) * 60 + Number(minute);
};

export const lobby = hook((context) => {
  const set = settings(context);
  const from = minutes(set.get("from") ?? "08:00");
  const until = minutes(set.get("until") ?? "18:00");
  const offset = Number(set.get("utc-offset-minutes") ?? 0);
  // The context's time is the only clock: the same call gives the same verdict whenever it is made again.
  const local = new Date(Number(context.nowMs) + offset * MINUTE);
  const day = local.toISOString().slice(0, 10);
  const now = local.getUTCHours() * 60 + local.getUTCMinutes();
  const holiday = list(context, "holidays").includes(day);
  const weekend = [0, 6].includes(local.getUTCDay());
  const open = now >= from && now < until;
  because("today is a holiday", holiday, day);
  because("today is a weekend", weekend, day);
  because("it is within business hours", open, local.toISOString().slice(11, 16));
  return open && !holiday && !weekend ? wait("BUSINESS_HOURS") : route(set.get("night-queue") ?? "night-desk");
});

// A guest whose name somebody in the same lobby has already is sent to a queue where identity is looked at; all others wait for a host.
import { because } from "convene:plugin/explain@0.1.0";
import { lookUp } from "convene:plugin/facts@0.1.0";
import { Fault, lobby as hook, route, settings, wait } from "../../../sdk/js/convene.js";

const plain = (name) => (name ?? "").normalize("NFKC").trim().toLowerCase();

export const lobby = hook((context, { visit, guest }) => {
  const name = plain(guest.displayName);
  if (!name) throw new Fault("NO_NAME", "grant the field display-name");
  const roster = JSON.parse(lookUp("roster") ?? '{"visits":[]}');
  const here = roster.visits.filter((other) => ["WAITING", "ADMITTED"].includes(other.state));
  const twice = here.some((other) => other.visit !== visit && plain(other.displayName) === name);
  // No names in the explanation: it is kept.
  because("somebody of the same name is here already", twice, `${here.length} are here`);
  return twice ? route(settings(context).get("queue") ?? "check-identity") : wait("FIRST_OF_THE_NAME");
});

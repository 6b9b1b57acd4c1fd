// Runs all cases, one after the other, in one browser against one node; or the groups that are named.
import { after } from "node:test";
import { end } from "./world.mjs";

const groups = ["client", "waiting", "breaks", "languages", "theme", "devices", "secrets"];
const wanted = process.argv.slice(2);
after(end);
for (const group of wanted.length > 0 ? wanted : groups) await import(`./cases/${group}.mjs`);

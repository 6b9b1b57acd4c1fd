// Runs all cases. With `--broken` every answer is an error, and no case may pass: a case that cannot fail says nothing.
import { breakAll, broken, control } from "./harness.mjs";

const groups = ["token", "users", "events", "odata", "batch", "series", "access", "meetings", "calls", "recordings", "errors", "conventions", "identity", "rooms", "automation"];
let passed = 0;
let failed = 0;

await control("POST", "reset");
for (const group of groups) {
  const { cases } = await import(`./cases/${group}.mjs`);
  for (const [name, run] of cases) {
    await breakAll();
    const problem = await run().then(
      () => undefined,
      (error) => error,
    );
    await control("DELETE", "faults");
    const good = (problem === undefined) !== broken;
    good ? passed++ : failed++;
    if (!good) console.log(`FAIL js ${group}: ${name}\n${broken ? "it passes although every answer is an error" : (problem.stack ?? problem)}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

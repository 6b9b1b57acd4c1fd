// What cases share: a node, the road to it, an organisation with a service and a host, a browser, and people in it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Node } from "./node.mjs";
import { Road } from "./road.mjs";

const { BINARY: binary, BROWSER: executablePath, WORK: work, PAGES: pages } = process.env;
export const { BookingApp, Connection, Guest, ConveneError, follow } = await import(join(pages, "built/client/index.js"));

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const shots = join(work, "shots");
mkdirSync(shots, { recursive: true });

export const node = new Node(binary, join(work, "node"));
await node.start();
export const road = new Road();
await road.open(node.url);

/** Kills the node and starts it again on its data. */
export async function killAndRestart(between = async () => {}) {
  await node.kill();
  await between();
  await node.start();
  road.to = node.url;
}

const ask = { url: road.url };
export const admin = new Connection({ key: node.adminKey }, ask);
const REFUSAL = "refusal { reason message field retryable retryAfterMs }";

/** A service, a host who has time for all cases, and their keys. */
export async function organisation(by = admin) {
  const make = (document, input, field, value) => by.change(document, { input }, field, value);
  const service = await make(
    `mutation($input: CreateServiceInput!) { createService(input: $input) { service { id } ${REFUSAL} } }`,
    { idempotencyKey: randomUUID(), name: "First visit", durationMs: 1_800_000 },
    "createService",
    "service",
  );
  const host = await make(
    `mutation($input: CreateHostInput!) { createHost(input: $input) { host { id } ${REFUSAL} } }`,
    { idempotencyKey: randomUUID(), name: "Dr. Imani Okafor", providerUser: node.simulatorUser, capacity: 100 },
    "createHost",
    "host",
  );
  const key = async (role, more = {}) => {
    const document = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }";
    return (await by.ask(document, { input: { name: role, role, ...more } })).createApiKey.secret;
  };
  const hostKey = await key("HOST", { hostId: host.id });
  const app = new BookingApp(await key("BOOKING_APP"), ask);
  return { service, host, hostKey, app, desk: new Connection({ key: hostKey }, ask) };
}

export const own = await organisation();

/** A booking whose lobby is open, with the addresses of its guests' waiting pages. */
export async function booked(names, { inMs = 5 * 60_000, of = own } = {}) {
  const guests = names.map((name, at) => ({ name, email: `guest${at}@guest.example` }));
  const start = new Date(Date.now() + inMs).toISOString();
  const wish = { idempotencyKey: randomUUID(), serviceId: of.service.id, hostId: of.host.id, start, guests };
  const booking = await of.app.book({ ...wish, waitForMeetingMs: 10_000 });
  assert.equal(booking.meeting.state, "READY");
  await until("the lobby is open", async () => {
    const query = "query($id: ID!) { booking(id: $id) { lobby { state } } }";
    return (await of.app.connection.ask(query, { id: booking.id })).booking.lobby;
  });
  const invited = [];
  for (const guest of booking.guests) invited.push(await invite(booking, guest, of));
  return { ...booking, invited };
}

/** A ticket, which is looked for in all logs in the end. */
export const tickets = [];
export async function invite(booking, guest, of = own) {
  const ticket = await of.app.issueTicket(booking.id, guest.id);
  tickets.push(ticket.ticket);
  return { ...ticket, address: of.app.waitingPage(ticket) };
}

/** `admitVisit` or `denyVisit`. */
export async function decide(mutation, visitId, by = own.desk) {
  const document = `mutation($input: DecideVisitInput!) { ${mutation}(input: $input) { visit { state } ${REFUSAL} } }`;
  return by.change(document, { input: { visitId } }, mutation, "visit");
}

/** A mutation of the host about a booking or a recording. */
export async function hostDoes(mutation, type, input, value, fields) {
  const document = `mutation($input: ${type}!) { ${mutation}(input: $input) { ${value} { ${fields} } ${REFUSAL} } }`;
  return own.desk.change(document, { input }, mutation, value);
}

/** Somebody opens the link: there is no recording of an empty meeting. */
export async function joins(joinWebUrl, kind = "organizer") {
  const answer = await fetch(`${node.simulator}/_simulator/meetings/join`, { method: "POST", body: JSON.stringify({ joinWebUrl, kind, name: kind }) });
  assert(answer.ok, await answer.text());
}

/** Waits for something to come true; the last answer. */
export async function until(what, look, patienceMs = 20_000) {
  const end = Date.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const devices = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"];
/** Names that are no loopback to the browser, so that a page there is not on a safe address. */
const names = ["--host-resolver-rules=MAP plain.test 127.0.0.1"];
export const browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: [...quiet, ...devices, ...names] });

/** Somebody with a browser of their own. Whatever their page complains of fails the test that closes them. */
export async function person(options = {}) {
  const { complains = false, ...context } = options;
  const of = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin", viewport: { width: 1000, height: 900 }, ...context });
  const page = await of.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.stack ?? error}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !complains) complaints.push(`console: ${message.text()}`);
    if (/Content Security Policy|Permissions[- ]Policy|Trusted ?Type/i.test(message.text()) && !complains) complaints.push(`policy: ${message.text()}`);
  });
  page.setDefaultTimeout(20_000);
  return {
    page,
    complaints,
    async close() {
      await of.close();
      assert.deepEqual(complaints, []);
    },
  };
}

/** Waits until an element says this. */
export async function says(page, selector, wanted) {
  const matches = (text) => (wanted instanceof RegExp ? wanted.test(text) : text === wanted);
  let text;
  const read = (element) => (element.closest("[hidden]") ? "(nothing, it is hidden)" : element.textContent);
  await until(`${selector} says ${wanted}`, async () => matches((text = await page.locator(selector).evaluate(read)))).catch((error) => {
    throw new Error(`${error.message}; it says: ${text}`);
  });
}

/** A picture of the page. */
export const picture = (page, name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });

/** Nothing that the accessibility checker finds, in light and dark; keeps a picture of each. */
export async function look(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await picture(page, `${name}-${colorScheme}`);
    // In the dark only colours are different.
    const rules = colorScheme === "dark" ? '{ type: "rule", values: ["color-contrast"] }' : '["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]';
    for (const frame of page.frames()) {
      const violations = await frame.evaluate(`window.axe ?? (() => { ${axe} })(); axe.run(document, { runOnly: ${rules}, resultTypes: ["violations"] })
        .then(({ violations }) => violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html, failureSummary }) => html + failureSummary) })))`);
      assert.deepEqual(violations, [], `${name}, ${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
}

export async function end() {
  await browser.close();
  road.close();
  await node.kill();
}

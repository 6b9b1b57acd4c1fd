// What breaks on the way, and that the guest keeps the place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { booked, decide, invite, killAndRestart, look, person, road, says, until } from "../world.mjs";

async function waits(invited, options) {
  const guest = await person(options);
  await guest.page.goto(invited.address);
  await guest.page.getByRole("button", { name: "Enter the waiting room" }).click();
  await says(guest.page, "#link", "Connected");
  return guest;
}
/** Broken connections stand in the console: they are meant. */
const broken = { complains: true };

test("the node dies and comes back: the guest is told, keeps the place, and gets in", async () => {
  const booking = await booked(["First", "Second"]);
  const [first, second] = [await waits(booking.invited[0], broken), await waits(booking.invited[1], broken)];
  await says(second.page, "#title", "1 person is before you");
  await killAndRestart(async () => {
    await says(second.page, "#link", "Connection lost. Reconnecting … You keep your place.");
    await says(second.page, "#title", "1 person is before you");
    await look(second.page, "wait-10-reconnecting");
  });
  await says(second.page, "#link", "Connected");
  await says(second.page, "#title", "1 person is before you");
  await decide("admitVisit", booking.invited[0].visitId);
  await says(first.page, "#title", "You can come in");
  await says(second.page, "#title", "You are next");
  await Promise.all([first.close(), second.close()]);
});

test("what happens while the network is away is told when it is back", async () => {
  const [invited] = (await booked(["Away"])).invited;
  const { page, close } = await waits(invited, broken);
  road.cut("down");
  await says(page, "#link", /^Connection lost/);
  road.state = "open";
  // Over another road, so that the browser is not the one who brings it.
  road.cut("down");
  await until("decided beside the broken road", async () => {
    road.state = "open";
    const decided = decide("admitVisit", invited.visitId);
    return decided.catch(() => undefined);
  });
  await says(page, "#title", "You can come in");
  await close();
});

test("a connection that says nothing any more is given up", async () => {
  const [invited] = (await booked(["Silent"])).invited;
  const { page, close } = await person(broken);
  await page.clock.install();
  road.state = "silent";
  await page.goto(invited.address);
  await page.getByRole("button", { name: "Enter the waiting room" }).click();
  await says(page, "#title", "You are next");
  road.state = "open";
  await decide("admitVisit", invited.visitId);
  assert.equal(await page.locator("#title").textContent(), "You are next", "nobody told the page");
  await page.clock.fastForward(41_000);
  await page.clock.fastForward(2_000);
  await says(page, "#title", "You can come in");
  await close();
});

test("where no stream comes through the page asks again and again", async () => {
  const [invited] = (await booked(["Proxied"])).invited;
  road.state = "no-streams";
  const { page, close } = await person(broken);
  await page.goto(invited.address);
  await page.getByRole("button", { name: "Enter the waiting room" }).click();
  await says(page, "#link", "Connected, looking every few seconds");
  await decide("admitVisit", invited.visitId);
  await says(page, "#title", "You can come in");
  road.state = "open";
  await close();
});

test("a page that is opened while nothing answers opens by itself later", async () => {
  const [invited] = (await booked(["Patient"])).invited;
  const { page, close } = await person(broken);
  await page.route("**/graphql", (route) => route.abort());
  await page.goto(invited.address);
  await says(page, "#title", "No connection");
  await look(page, "wait-11-unreachable");
  await page.unroute("**/graphql");
  await says(page, "#title", "Hello Patient");
  await close();
});

test("links that open nothing say so", async () => {
  const booking = await booked(["Links"]);
  const [invited] = booking.invited;
  const { page, close } = await person(broken);
  await page.goto(`${road.url}/wait`);
  await says(page, "#title", "The link is not complete");
  await look(page, "wait-12-missing");
  await page.goto(`${road.url}/wait#${"x".repeat(43)}`);
  await says(page, "#title", "The link is not valid");
  // Another organisation's page does not take this ticket; the plain one does, and a link opened in the same tab is taken.
  await page.goto(`${road.url}/wait/00000000-0000-7000-8000-000000000000#${invited.ticket}`);
  await says(page, "#title", "The link is not valid");
  await page.goto(`${road.url}/wait#${invited.ticket}`);
  await says(page, "#title", "Hello Links");
  const newer = await invite(booking, booking.guests[0]);
  await page.getByRole("button", { name: "Enter the waiting room" }).click();
  await says(page, "#title", "There is a newer link");
  await page.evaluate((ticket) => { location.hash = ticket }, newer.ticket);
  await says(page, "#title", "Hello Links");
  await close();
});

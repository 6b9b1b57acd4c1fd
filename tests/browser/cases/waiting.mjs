// From the invitation to a told end: two guests and a host.
import assert from "node:assert/strict";
import { test } from "node:test";
import { booked, decide, hostDoes, joins, look, own, person, says, until } from "../world.mjs";

test("two guests wait; one is admitted and joins, one is denied", async () => {
  const booking = await booked(["Ada Byron", "Grace Murray"]);
  const [ada, grace] = [await person(), await person({ locale: "en-US", timezoneId: "America/New_York" })];
  const [first, second] = booking.invited;

  await ada.page.goto(first.address);
  await says(ada.page, "#title", "Hello Ada Byron");
  assert.equal(new URL(ada.page.url()).hash, "", "the ticket has left the address");
  await says(ada.page, "#what", "First visit");
  await says(ada.page, "#with", "Dr. Imani Okafor");
  await says(ada.page, "#zone", /^Central European .*Time\. It begins in \d minutes\.$/);
  const when = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short", timeZone: "Europe/Berlin" });
  await says(ada.page, "#when", when.formatRange(new Date(booking.start), new Date(booking.end)));
  await look(ada.page, "wait-1-expected");

  await ada.page.getByRole("button", { name: "Enter the waiting room" }).click();
  await says(ada.page, "#title", "You are next");
  await says(ada.page, "#link", "Connected");
  assert.equal(await ada.page.evaluate(() => document.activeElement.id), "title", "the focus is not lost with the button");
  await grace.page.goto(second.address);
  await says(grace.page, "#zone", /^Eastern .*Time\./);
  await grace.page.getByRole("button", { name: "Enter the waiting room" }).click();
  await says(grace.page, "#title", "1 person is before you");
  await says(grace.page, "#mark-place", "2");
  await look(grace.page, "wait-2-waiting");

  // A reload keeps the place; nothing but this tab knows the ticket.
  await ada.page.reload();
  await says(ada.page, "#title", "You are next");

  await decide("admitVisit", first.visitId);
  await says(ada.page, "#title", "You can come in");
  await says(ada.page, "#called", "Your host has let you in. You can join now.");
  assert.match(await ada.page.title(), /^You can come in/);
  await says(grace.page, "#title", "You are next");
  await says(grace.page, "#said", "You are next");
  await look(ada.page, "wait-3-admitted");
  assert.equal(await ada.page.locator("#join-open").getAttribute("href"), null, "nothing is fetched before it is asked for");
  await ada.page.getByRole("button", { name: "Show how to join" }).click();
  const open = ada.page.getByRole("link", { name: "Open the meeting" });
  await open.waitFor();
  const link = await open.getAttribute("href");
  assert.match(link, /^https?:\/\//);
  assert.equal(await open.getAttribute("rel"), "noopener noreferrer");
  assert.equal(await ada.page.evaluate(() => document.activeElement.id), "join-open");
  await look(ada.page, "wait-4-join");
  const kept = await ada.page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]));
  assert(!kept.includes(link), "join details are shown and not kept");

  await decide("denyVisit", second.visitId);
  await says(grace.page, "#title", "You were not let in");
  await says(grace.page, "#link", "");
  await look(grace.page, "wait-5-denied");
  await grace.page.reload();
  await says(grace.page, "#title", "You were not let in");
  await Promise.all([ada.close(), grace.close()]);
});

test("a guest leaves, after a question", async () => {
  const [{ address, visitId }] = (await booked(["Leaving"])).invited;
  const { page, close } = await person();
  await page.goto(address);
  await page.getByRole("button", { name: "Enter the waiting room" }).click();
  await page.getByRole("button", { name: "Leave the waiting room" }).click();
  await page.getByRole("dialog").waitFor();
  await look(page, "wait-6-leaving");
  await page.getByRole("button", { name: "Stay" }).click();
  await says(page, "#title", "You are next");
  assert.equal(await page.evaluate(() => document.activeElement.id), "leave");
  // By keyboard alone.
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await says(page, "#title", "You have left");
  await look(page, "wait-7-left");
  await assert.rejects(decide("admitVisit", visitId), (error) => error.reason === "VISIT_ENDED");
  await close();
});

test("who waits when the lobby closes is told, and who never came", async () => {
  const booking = await booked(["Waiting", "Absent"]);
  const [waiting, absent] = [await person(), await person()];
  await waiting.page.goto(booking.invited[0].address);
  await waiting.page.getByRole("button", { name: "Enter the waiting room" }).click();
  await says(waiting.page, "#title", "You are next");
  await hostDoes("endMeeting", "EndMeetingInput", { bookingId: booking.id }, "booking", "state");
  await says(waiting.page, "#title", "The waiting room has closed");
  await look(waiting.page, "wait-8-closed");
  await absent.page.goto(booking.invited[1].address);
  await says(absent.page, "#title", "This appointment is over");
  await Promise.all([waiting.close(), absent.close()]);
});

test("while it is recorded the way in is by consent, which can be taken back", async () => {
  const booking = await booked(["Early", "Late"]);
  const [early, late] = [await person(), await person({ locale: "en-GB" })];
  const come = async ({ page }, { address, visitId }) => {
    await page.goto(address);
    await page.getByRole("button", { name: "Enter the waiting room" }).click();
    await says(page, "#link", "Connected");
    await decide("admitVisit", visitId);
    await page.getByRole("button", { name: "Show how to join" }).click();
  };
  const details = await hostDoes("hostJoinDetails", "HostJoinDetailsInput", { bookingId: booking.id }, "joinDetails", "joinUrl");
  await joins(details.joinUrl);
  await hostDoes("startRecording", "StartRecordingInput", { bookingId: booking.id }, "recording", "id state");
  const states = "query($id: ID!) { booking(id: $id) { recordings { state } } }";
  const recordingIs = async (state) => (await own.desk.ask(states, { id: booking.id })).booking.recordings[0]?.state === state;
  await until("it records", () => recordingIs("RECORDING"));
  await come(late, booking.invited[1]);
  await says(late.page, "#consent-now", /^This meeting is being recorded now/);
  await late.page.getByRole("heading", { name: "May this meeting be recorded?" }).waitFor();
  await look(late.page, "wait-9-consent");
  await late.page.getByRole("button", { name: "I do not agree" }).click();
  await says(late.page, "#consented-text", "You did not agree to being recorded.");
  assert.equal(await late.page.locator("#join").isVisible(), false, "not in without consent");
  await late.page.getByRole("button", { name: "Show how to join" }).click();
  await late.page.getByRole("button", { name: "I agree" }).click();
  await late.page.getByRole("link", { name: "Open the meeting" }).waitFor();
  await says(late.page, "#consented-text", "You agreed to being recorded.");
  const trail = "query($id: ID!) { auditTrail(bookingId: $id) { events { type actor data } } }";
  const { auditTrail } = await own.desk.ask(trail, { id: booking.id });
  const given = auditTrail.events.find(({ type, actor }) => type === "ConsentGiven" && actor.startsWith("visit:"));
  assert.match(given.data, /"convene-1"/);
  assert.match(given.data, /"en"/);
  await late.page.getByRole("button", { name: "Take it back" }).click();
  await says(late.page, "#consented-text", "You did not agree to being recorded.");
  await until("the recording is paused", () => recordingIs("PAUSED"));
  // Paused, it needs nobody's consent.
  await come(early, booking.invited[0]);
  await early.page.getByRole("link", { name: "Open the meeting" }).waitFor();
  await Promise.all([early.close(), late.close()]);
});

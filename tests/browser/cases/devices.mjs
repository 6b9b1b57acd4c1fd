// Camera, microphone and speaker: a check that stays in the browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { booked, look, person, road, says, until } from "../world.mjs";

test("camera, microphone and speaker can be chosen, seen and heard", async () => {
  const [{ address }] = (await booked(["Devices"])).invited;
  const { page, close } = await person();
  await page.goto(address);
  await says(page, "#link", "Connected");
  const before = road.seen.length;
  await page.getByRole("button", { name: "Start the check" }).click();
  await until("the picture runs", () => page.evaluate(() => document.getElementById("preview").videoWidth > 0));
  assert.equal(await page.evaluate(() => document.activeElement.id), "devices-stop");
  // The fake microphone beeps.
  await until("the level moves", () => page.evaluate(() => document.getElementById("level").value > 0.3));
  const choices = (label) => page.getByLabel(label, { exact: true }).locator("option").allTextContents();
  await until("cameras can be chosen", async () => (await choices("Camera")).some((name) => /fake/i.test(name)));
  const microphones = page.getByLabel("Microphone", { exact: true });
  assert((await choices("Microphone")).length >= 2);
  await microphones.selectOption({ index: 1 });
  const chosen = await microphones.inputValue();
  await until("the other microphone is in use", () =>
    page.evaluate((id) => document.getElementById("preview").srcObject?.getAudioTracks()[0]?.getSettings().deviceId === id, chosen),
  );
  await page.getByRole("button", { name: "Play a test tone" }).click();
  await page.locator("#tone[aria-pressed=true]").waitFor();
  await page.locator("#tone[aria-pressed=false]").waitFor();
  await look(page, "wait-devices");
  const track = await page.evaluateHandle(() => document.getElementById("preview").srcObject.getVideoTracks()[0]);
  await page.getByRole("button", { name: "Stop the check" }).click();
  assert.equal(await track.evaluate((track) => track.readyState), "ended", "the camera is given back");
  assert.deepEqual(road.seen.slice(before), [], "nothing of it is sent");
  await close();
});

test("refusals of the browser are said in words", async () => {
  const [{ address }] = (await booked(["Refused"])).invited;
  const { page, close } = await person();
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException("no", window.refuseWith);
    };
  });
  await page.goto(address);
  for (const [name, text] of [
    ["NotAllowedError", /^The browser may not use camera and microphone here/],
    ["NotFoundError", /^No camera or microphone was found/],
    ["NotReadableError", /in use by another program/],
    ["OddError", /did not work: OddError$/],
  ]) {
    await page.evaluate((name) => { window.refuseWith = name }, name);
    await page.getByRole("button", { name: "Start the check" }).click();
    await says(page, "#devices-trouble", text);
  }
  await look(page, "wait-devices-refused");
  await close();
});

test("a page that is not on a safe address says so and lets the guest wait", async () => {
  const [{ address }] = (await booked(["Unsafe"])).invited;
  // The browser itself complains that the address is not safe.
  const { page, close } = await person({ complains: true });
  await page.goto(address.replace("127.0.0.1", "plain.test"));
  await page.getByText("This page is not on https").waitFor();
  await page.getByRole("button", { name: "Start the check" }).click();
  await says(page, "#devices-trouble", /pages on https only/);
  await look(page, "wait-unsafe");
  await page.getByRole("button", { name: "Enter the waiting room" }).click();
  await says(page, "#title", "You are next");
  await close();
});

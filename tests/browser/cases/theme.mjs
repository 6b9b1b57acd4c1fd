// A tenant's own look, texts and rules about who shows the page in a frame.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { admin, booked, look, own, person, picture, road, says, until } from "../world.mjs";

const REFUSAL = "refusal { reason field message retryable retryAfterMs }";
const set = (input) =>
  admin.change(`mutation($input: SetWaitingPageInput!) { setWaitingPage(input: $input) { waitingPage { version } ${REFUSAL} } }`, { input }, "setWaitingPage", "waitingPage");
const logo = `data:image/svg+xml;base64,${Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="32"><rect width="120" height="32" rx="6" fill="#0b6e4f"/><circle cx="16" cy="16" r="8" fill="#fff"/><path d="M34 16h74" stroke="#fff" stroke-width="6" stroke-linecap="round"/></svg>',
).toString("base64")}`;

/** Another site, which shows the waiting page in a frame. */
const site = http.createServer((request, response) => {
  const { searchParams } = new URL(request.url, "http://localhost");
  response.setHeader("content-type", "text/html");
  // Its own address holds the guest's, for the test's sake: it is told to nobody.
  response.setHeader("referrer-policy", "no-referrer");
  response.end(`<!doctype html><html lang="en"><title>Booking app</title><main><h1>Your visit</h1>
    <iframe title="Waiting room" width="900" height="800" src="${searchParams.get("src")}" allow="${searchParams.get("allow") ?? ""}"></iframe></main>`);
});
let origin;
before(async () => {
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  origin = `http://localhost:${site.address().port}`;
});
after(() => site.close());

const framed = (address, allow = "") => `${origin}/?src=${encodeURIComponent(address)}&allow=${encodeURIComponent(allow)}`;

test("the tenant's name, colour, picture, help and texts are on its page", async () => {
  await set({
    name: "Hill Clinic",
    accentColour: "#f2c14e",
    logo,
    supportLine: "+44 20 7946 0000",
    defaultLocale: "fr",
    asksConsent: true,
    consentTextVersion: "2026-02",
    consentTexts: [
      { locale: "fr", text: "La consultation est enregistrée\npour votre dossier." },
      { locale: "en-GB", text: "The visit is recorded\nfor your file." },
    ],
  });
  const booking = await booked(["Ada", "Bia"]);
  const { page, close } = await person();
  await page.goto(booking.invited[0].address);
  await says(page, "#name", "Hill Clinic");
  await says(page, "#support", "Need help? +44 20 7946 0000");
  await says(page, "#consent-text", "The visit is recorded\nfor your file.");
  const styled = (name) => page.evaluate((name) => getComputedStyle(document.getElementById("agree"))[name], name);
  assert.equal(await styled("backgroundColor"), "rgb(242, 193, 78)");
  assert.equal(await styled("color"), "rgb(0, 0, 0)", "dark on a light accent");
  assert(await page.locator("#logo").evaluate((image) => image.complete && image.naturalWidth > 0));
  await look(page, "theme-1-consent");
  assert.equal(await page.locator("#enter").isVisible(), false, "first the question");
  await page.getByRole("button", { name: "I agree" }).click();
  await says(page, "#consented-text", "You agreed to being recorded.");
  await page.getByRole("button", { name: "Enter the waiting room" }).click();
  await says(page, "#title", "You are next");
  await look(page, "theme-2-waiting");
  const query = "query($id: ID!) { auditTrail(bookingId: $id) { events { type data } } }";
  const { auditTrail } = await own.desk.ask(query, { id: booking.id });
  const given = JSON.parse(auditTrail.events.find(({ type }) => type === "ConsentGiven").data);
  assert.deepEqual([given.text_version, given.locale], ["2026-02", "en-GB"], "what was read stands in the ledger");
  await close();

  // A browser that wishes none of the languages gets the tenant's.
  const other = await person({ locale: "pt-BR" });
  await other.page.goto(booking.invited[1].address);
  await says(other.page, "#title", "Bonjour Bia");
  await says(other.page, "#consent-text", "La consultation est enregistrée\npour votre dossier.");
  await other.page.getByRole("button", { name: "Je n’accepte pas" }).click();
  await says(other.page, "#consented-text", "Vous n’avez pas accepté d’être enregistré.");
  await other.close();
});

test("ink on every accent reads well", async () => {
  const { page, close } = await person();
  await page.goto(`${road.url}/wait`);
  const worst = await page.evaluate(async () => {
    const { inkOn } = await import("/pages/shared/theme.js");
    const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    let worst = 21;
    for (let red = 0; red < 256; red += 15)
      for (let green = 0; green < 256; green += 15)
        for (let blue = 0; blue < 256; blue += 15) {
          const hex = `#${[red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
          const light = 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue) + 0.05;
          worst = Math.min(worst, inkOn(hex) === "#fff" ? 1.05 / light : light / 0.05);
        }
    return worst;
  });
  assert(worst >= 4.5, `contrast ${worst}`);
  await close();
});

test("a site that the tenant names may show the page in a frame, with camera and microphone", async () => {
  await set({ name: "Hill Clinic", embeddingOrigins: [origin] });
  const booking = await booked(["Framed", "Deaf"]);
  const { page, close } = await person();
  await page.goto(framed(booking.invited[0].address, "camera *; microphone *; speaker-selection *"));
  const frame = page.frameLocator("iframe");
  await frame.getByRole("button", { name: "Enter the waiting room" }).click();
  await frame.getByRole("heading", { name: "You are next" }).waitFor();
  await frame.getByRole("button", { name: "Start the check" }).click();
  const inner = page.frames()[1];
  await until("the picture runs", () => inner.evaluate(() => document.getElementById("preview").videoWidth > 0));
  await look(page, "theme-3-framed");
  await close();
  // A site that does not pass the devices on; the browser says so too.
  const deaf = await person({ complains: true });
  await deaf.page.goto(framed(booking.invited[1].address));
  const closed = deaf.page.frameLocator("iframe");
  await closed.getByRole("button", { name: "Start the check" }).click();
  await closed.getByText("The page around this one does not let it use camera and microphone").waitFor();
  await deaf.close();
});

test("no other site may, and no page but the tenant's own", async () => {
  const [invited] = (await booked(["Clickjacked"])).invited;
  const refused = async (address) => {
    const { page, close } = await person({ complains: true });
    const said = [];
    page.on("console", (message) => said.push(message.text()));
    await page.goto(framed(address));
    await until("the browser refuses", () => said.some((text) => text.includes("frame-ancestors")));
    assert.equal(await page.frames()[1].evaluate(() => document.getElementById("title")), null);
    await picture(page, "theme-4-refused");
    await close();
  };
  await set({ name: "Hill Clinic", embeddingOrigins: ["https://other.example"] });
  await refused(invited.address);
  await set({ name: "Hill Clinic", embeddingOrigins: [origin] });
  await refused(`${road.url}/wait#${invited.ticket}`);
  await refused(`${road.url}/wait/00000000-0000-7000-8000-000000000000#${invited.ticket}`);
  // Other cases meet the page as it is without a theme.
  await set({ name: "Hill Clinic" });
});

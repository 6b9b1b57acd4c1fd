// Languages, directions, zones, and browsers that run nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { booked, look, person, picture, road, says } from "../world.mjs";

test("the page speaks the browser's language, the address's, or the chosen one", async () => {
  const booking = await booked(["Ada", "Grace", "Maryam", "Hedy"]);
  const [german, french, other, chosen] = booking.invited;
  const titles = [
    [german, { locale: "de-AT" }, "", "Guten Tag, Ada", "de", "ltr"],
    [french, { locale: "pt-BR" }, "?locale=fr", "Bonjour Grace", "fr", "ltr"],
    [other, { locale: "ar-EG", timezoneId: "Africa/Cairo" }, "", "مرحبًا Maryam", "ar", "rtl"],
  ];
  for (const [{ address }, options, query, title, lang, dir] of titles) {
    const { page, close } = await person(options);
    await page.goto(address.replace("#", `${query}#`));
    await says(page, "#title", title);
    assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), [lang, dir]);
    await look(page, `wait-language-${lang}`);
    const spill = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(spill <= 0, "nothing spills over");
    await close();
  }
  const { page, close } = await person({ locale: "pt-BR" });
  await page.goto(chosen.address);
  await says(page, "#title", "Hello Hedy");
  await page.getByLabel("Language").selectOption("es");
  await says(page, "#title", "Hola, Hedy");
  await page.reload();
  await says(page, "#title", "Hola, Hedy");
  await close();
});

test("a small screen at twice the text size shows all", async () => {
  const [{ address }] = (await booked(["Small Screen"])).invited;
  const { page, close } = await person({ viewport: { width: 320, height: 640 }, locale: "de-DE" });
  await page.goto(address);
  await page.getByRole("button", { name: "Warteraum betreten" }).click();
  await says(page, "#title", "Sie sind als Nächstes an der Reihe");
  assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await look(page, "wait-small");
  await close();
});

test("a browser that runs nothing says what is needed", async () => {
  const { page, close } = await person({ javaScriptEnabled: false });
  await page.goto(`${road.url}/wait`);
  await page.locator("noscript .notice").waitFor();
  assert.match(await page.locator("noscript .notice").innerText(), /This page needs JavaScript/);
  assert.equal(await page.locator("main").isVisible(), false);
  await picture(page, "wait-no-script");
  await close();
});

/** A tenant's look. */
import type { WaitingPage } from "../client/index.js";
import { say, show, the } from "./dom.js";

/** Puts the tenant's name, colour, picture and help on the page. */
export function dress(page: WaitingPage, room: string, help: (line: string) => string): void {
  say(the("name"), page.name ?? room);
  const logo = the<HTMLImageElement>("logo");
  // A picture that stands in the answer: nobody else is asked for it.
  if (page.logo?.startsWith("data:image/")) logo.src = page.logo;
  show(logo, Boolean(page.logo));
  show(the("support"), page.supportLine ? help(page.supportLine) : undefined);
  const style = document.documentElement.style;
  if (!page.accentColour) return;
  style.setProperty("--accent", page.accentColour);
  style.setProperty("--accent-ink", inkOn(page.accentColour));
}

/** Black or white, whichever reads better on a colour (`#rrggbb`): one of them always has a contrast of 4.5 or more (WCAG 2.2, 1.4.3). */
export function inkOn(colour: string): "#000" | "#fff" {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#fff" : "#000";
}

/** The languages that the pages speak, each in its own name. One file each in locales/. */
export const LOCALES: Readonly<Record<string, string>> = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
  es: "Español",
  ar: "العربية",
};

/** Languages that are written from right to left. */
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(["ar"]);

/** A text, or its forms by grammatical number. */
type Text = string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;

/** What stands in for `{name}` in a text; `count` also chooses the form. */
export type Parts = Readonly<Record<string, string | number>>;

/** The first wished language (BCP 47 tags, best first) that the pages speak. */
export function choose(wished: readonly (string | null | undefined)[]): string {
  for (const tag of wished) {
    const language = tag?.toLowerCase().split("-")[0];
    if (language !== undefined && Object.hasOwn(LOCALES, language)) return language;
  }
  return "en";
}

/** Of texts in several languages the one that fits the first wished language best; else the first. */
export function closest<T extends { locale: string }>(texts: readonly T[], wished: readonly (string | null | undefined)[]): T | undefined {
  const language = (tag: string) => tag.toLowerCase().split("-")[0];
  for (const tag of wished) {
    if (!tag) continue;
    const exact = texts.find((text) => text.locale.toLowerCase() === tag.toLowerCase());
    const found = exact ?? texts.find((text) => language(text.locale) === language(tag));
    if (found) return found;
  }
  return texts[0];
}

/** Texts, moments and numbers in one language. */
export class Words {
  /** BCP 47, as the page says in `lang`. */
  readonly locale: string;
  readonly #texts: Readonly<Record<string, Text>>;
  /** For numbers and moments: the browser's own variant of the language, which knows a region. */
  readonly #region: string;

  constructor(locale: string, texts: Readonly<Record<string, Text>>, tags: readonly string[] = navigator.languages) {
    this.locale = locale;
    this.#texts = texts;
    this.#region = tags.find((tag) => tag.toLowerCase().split("-")[0] === locale) ?? locale;
  }

  /** Reads the texts of a language. */
  static async load(locale: string): Promise<Words> {
    const response = await fetch(`/pages/locales/${locale}.json`);
    if (!response.ok) throw new Error(`texts in ${locale}: ${response.status}`);
    return new Words(locale, (await response.json()) as Record<string, Text>);
  }

  get direction(): "ltr" | "rtl" {
    return RIGHT_TO_LEFT.has(this.locale) ? "rtl" : "ltr";
  }

  /** The text of a key. A key without text shows itself: a test finds it. */
  say(key: string, parts: Parts = {}): string {
    let text = this.#texts[key] ?? key;
    if (typeof text !== "string") {
      const form = new Intl.PluralRules(this.locale).select(Number(parts["count"]));
      text = text[form] ?? text.other ?? key;
    }
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const part = parts[name];
      return typeof part === "number" ? new Intl.NumberFormat(this.#region).format(part) : (part ?? whole);
    });
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#texts, key);
  }

  number(value: number): string {
    return new Intl.NumberFormat(this.#region).format(value);
  }

  /** Day and time of an appointment, in the guest's own zone. */
  span(start: Date, end: Date | undefined): string {
    const format = new Intl.DateTimeFormat(this.#region, { dateStyle: "full", timeStyle: "short" });
    return end ? format.formatRange(start, end) : format.format(start);
  }

  time(moment: Date): string {
    return new Intl.DateTimeFormat(this.#region, { timeStyle: "short" }).format(moment);
  }

  /** The name of the zone that times are shown in. */
  zone(moment: Date): string {
    const parts = new Intl.DateTimeFormat(this.#region, { timeZoneName: "long" }).formatToParts(moment);
    return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  }

  /** How far a moment is from now: "in 5 minutes", "2 days ago". */
  distance(ms: number): string {
    const format = new Intl.RelativeTimeFormat(this.#region, { numeric: "auto" });
    const minutes = Math.round(ms / 60_000);
    if (Math.abs(minutes) < 90) return format.format(minutes, "minute");
    const hours = Math.round(ms / 3_600_000);
    return Math.abs(hours) < 36 ? format.format(hours, "hour") : format.format(Math.round(ms / 86_400_000), "day");
  }

  /** Writes the texts of all elements that name one in `data-t`, and the page's language and direction. */
  translate(root: ParentNode = document): void {
    document.documentElement.lang = this.locale;
    document.documentElement.dir = this.direction;
    for (const element of root.querySelectorAll<HTMLElement>("[data-t]")) {
      const text = this.say(element.dataset["t"] ?? "");
      if (element.textContent !== text) element.textContent = text;
    }
  }
}

/** Fills a choice of languages and calls back with the one that is taken. */
export function offer(select: HTMLSelectElement, current: string, taken: (locale: string) => void): void {
  select.replaceChildren(
    ...Object.entries(LOCALES).map(([locale, name]) => {
      const option = new Option(name, locale, false, locale === current);
      option.lang = locale;
      return option;
    }),
  );
  select.onchange = () => taken(select.value);
}

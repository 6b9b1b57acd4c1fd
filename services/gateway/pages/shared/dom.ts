/** The element of an id that the page is known to have. */
export function the<E extends Element = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as unknown as E;
}

/** Shows an element or not; with a text, shows it when there is one. */
export function show(element: HTMLElement, shown: boolean | string | undefined): void {
  element.hidden = !shown;
  if (typeof shown === "string") say(element, shown);
}

/** Sets a text, and touches nothing when it is the same: what is the same is not announced again. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Keeps something for this tab: nowhere else, and not at all where the browser keeps nothing. */
export const tab = {
  get(name: string): string | undefined {
    try {
      return sessionStorage.getItem(name) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set(name: string, value: string | undefined): void {
    try {
      if (value === undefined) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, value);
    } catch {
      // A browser that keeps nothing asks for the link again after a reload.
    }
  },
};

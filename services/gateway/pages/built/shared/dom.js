/** The element of an id that the page is known to have. */
export function the(id) {
    const found = document.getElementById(id);
    if (!found)
        throw new Error(`the page has no #${id}`);
    return found;
}
/** Shows an element or not; with a text, shows it when there is one. */
export function show(element, shown) {
    element.hidden = !shown;
    if (typeof shown === "string")
        say(element, shown);
}
/** Sets a text, and touches nothing when it is the same: what is the same is not announced again. */
export function say(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}
/** Keeps something for this tab: nowhere else, and not at all where the browser keeps nothing. */
export const tab = {
    get(name) {
        try {
            return sessionStorage.getItem(name) ?? undefined;
        }
        catch {
            return undefined;
        }
    },
    set(name, value) {
        try {
            if (value === undefined)
                sessionStorage.removeItem(name);
            else
                sessionStorage.setItem(name, value);
        }
        catch {
            // A browser that keeps nothing asks for the link again after a reload.
        }
    },
};

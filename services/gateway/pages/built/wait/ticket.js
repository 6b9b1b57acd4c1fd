/**
 * Takes the ticket out of the address before anything else runs: it is kept for this tab only, and stands in no history, no copy of the
 * address, and no request (a fragment is never sent). A module of its own, so that it runs even when the rest of the page does not load.
 */
import { tab } from "../shared/dom.js";
const NAME = "convene.ticket";
/** What tickets are made of. */
const TICKET = /^#([A-Za-z0-9_-]{20,128})$/;
let inMemory;
function take() {
    const found = TICKET.exec(location.hash)?.[1];
    if (location.hash !== "")
        history.replaceState(history.state, "", location.pathname + location.search);
    if (found === undefined)
        return false;
    inMemory = found;
    tab.set(NAME, found);
    return true;
}
take();
/** The ticket of this tab. */
export function ticket() {
    return inMemory ?? tab.get(NAME);
}
/** Forgets a ticket that opens nothing any more. */
export function forget() {
    inMemory = undefined;
    tab.set(NAME, undefined);
}
/** Calls back when another link is opened in this tab. */
export function onAnother(called) {
    addEventListener("hashchange", () => {
        if (take())
            called();
    });
}

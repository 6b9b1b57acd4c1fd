/** The waiting page: from the invitation's link to the way in, or to a told end. */
import { ConveneError, Guest } from "../client/index.js";
import { say, show, tab, the } from "../shared/dom.js";
import { Words, choose, closest, offer } from "../shared/locale.js";
import { dress } from "../shared/theme.js";
import { DeviceCheck } from "./devices.js";
import { announce, render, renderAppointment, renderJoin } from "./render.js";
import { forget, onAnother, ticket } from "./ticket.js";
import { isOver, viewOf } from "./view.js";
/** The text about recording that the page has of its own; its version stands in the ledger of consents. */
const OWN_TEXT_VERSION = "convene-1";
/** A short break is not worth a word, in milliseconds. */
const UNTOLD_BREAK_MS = 1_500;
/** How often distances in time are written anew, in milliseconds. */
const MINUTE_MS = 60_000;
/** Longest pause before a request is repeated, in milliseconds. */
const PAUSE_MAX_MS = 10_000;
const state = {
    visit: undefined,
    problem: undefined,
    link: "connecting",
    asking: false,
    consented: { yes: true, no: false }[tab.get("convene.consented") ?? ""],
    joining: false,
    preparing: false,
};
let words;
let devices;
let guest;
let arrival;
/** What the guest reads before deciding about being recorded, and what stands in the ledger of it. */
let consentText = { version: OWN_TEXT_VERSION, locale: "", text: "" };
/** From this clock to business time, in milliseconds. */
let ahead = 0;
let shown;
function draw() {
    const view = viewOf(state, words);
    if (!view)
        return;
    render(view, state, words);
    announce(view, shown, words);
    shown = view;
}
const BARE = {
    name: null,
    accentColour: null,
    logo: null,
    defaultLocale: null,
    supportLine: null,
    asksConsent: false,
    consentTextVersion: null,
    consentTexts: [],
};
function drawTheme() {
    const page = arrival?.waitingPage ?? BARE;
    dress(page, words.say("room"), (line) => words.say("support", { line }));
    const version = page.consentTextVersion;
    const own = version === null ? undefined : closest(page.consentTexts, [words.locale, page.defaultLocale]);
    consentText =
        version !== null && own
            ? { version, locale: own.locale, text: own.text }
            : { version: OWN_TEXT_VERSION, locale: words.locale, text: words.say("consent.text") };
    const text = the("consent-text");
    text.lang = consentText.locale;
    text.dir = "auto";
    say(text, consentText.text);
}
function drawAppointment() {
    if (arrival)
        renderAppointment(arrival.appointment, Date.now() + ahead, words);
}
async function speak(locale) {
    words = await Words.load(locale);
    words.translate();
    offer(the("locale"), locale, (taken) => {
        const address = new URL(location.href);
        address.searchParams.set("locale", taken);
        history.replaceState(history.state, "", address);
        void speak(taken);
    });
    devices ??= new DeviceCheck(words);
    devices.speak(words);
    drawTheme();
    drawAppointment();
    // Said in another language is nothing new.
    shown = undefined;
    draw();
    drawLink();
}
const problemOf = {
    TICKET_UNKNOWN: "unknown",
    CREDENTIALS_MISSING: "unknown",
    TICKET_REPLACED: "replaced",
    TICKET_EXPIRED: "expired",
};
/** Shows why it does not go on. */
function fail(error) {
    const known = error instanceof ConveneError ? error : undefined;
    const reason = known?.reason ?? String(error);
    const kind = problemOf[reason] ?? (known?.kind === "unreachable" ? "unreachable" : "failed");
    if (known?.code === "UNAUTHENTICATED")
        forget();
    if (isOver(state.visit))
        return;
    state.problem = { kind, reason };
    draw();
}
/** Does what a button says: once at a time, with the failure beside it. */
function onPress(id, act) {
    const button = the(id);
    button.onclick = async () => {
        if (button.getAttribute("aria-disabled") === "true")
            return;
        // Not `disabled`: that would take the focus away.
        button.setAttribute("aria-disabled", "true");
        show(the("trouble"), false);
        try {
            await act();
        }
        catch (error) {
            if (error instanceof ConveneError && error.code === "UNAUTHENTICATED")
                fail(error);
            else
                trouble(error);
        }
        finally {
            button.removeAttribute("aria-disabled");
            draw();
        }
    };
}
function trouble(error) {
    const reason = error instanceof ConveneError ? error.reason : String(error);
    const unreachable = error instanceof ConveneError && error.kind === "unreachable";
    const text = words.say(unreachable ? "problem.unreachable.message" : "problem.failed.message", { reason });
    show(the("trouble"), text);
    say(the("said"), text);
}
function decided(consented) {
    state.consented = consented;
    state.asking = false;
    tab.set("convene.consented", consented ? "yes" : "no");
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Asks for the way in, until it is there or needs the guest. */
async function showJoin() {
    for (let tries = 0;; tries += 1) {
        try {
            renderJoin(await guest.joinDetails());
            state.preparing = false;
            state.joining = true;
            devices.stop();
            draw();
            the("join-open").focus();
            return;
        }
        catch (error) {
            const known = error instanceof ConveneError ? error : undefined;
            if (known?.reason === "CONSENT_REQUIRED") {
                // Given a moment ago, the consent may still be on its way to the meeting.
                if (state.consented && tries < 20) {
                    await pause(500);
                    continue;
                }
                state.preparing = false;
                state.asking = "recording";
                draw();
                the("consent-title").scrollIntoView({ block: "nearest" });
                return;
            }
            if (known?.reason !== "MEETING_NOT_READY")
                throw error;
            state.preparing = true;
            draw();
            await pause(known.retryAfterMs ?? Math.min(500 * 2 ** tries, PAUSE_MAX_MS));
        }
    }
}
onPress("enter", async () => {
    state.visit = await guest.enter();
});
onPress("show-join", showJoin);
onPress("agree", async () => {
    await guest.giveConsent(consentText.version, consentText.locale);
    const wayIn = state.asking === "recording";
    decided(true);
    if (wayIn)
        await showJoin();
});
onPress("disagree", async () => decided(false));
onPress("withdraw", async () => {
    await guest.withdrawConsent();
    decided(false);
});
onPress("again", async () => location.reload());
onPress("leave", async () => {
    const dialog = the("leaving");
    dialog.returnValue = "stay";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "leave")
        return;
    state.visit = await guest.leave();
    devices.stop();
});
let tellBreak;
function onLink(link) {
    clearTimeout(tellBreak);
    state.link = link;
    if (link === "reconnecting")
        tellBreak = setTimeout(drawLink, UNTOLD_BREAK_MS);
    else
        drawLink();
}
function drawLink() {
    const link = the("link");
    const over = isOver(state.visit) || (state.problem && state.problem.kind !== "unreachable");
    link.dataset["link"] = over ? "over" : state.link;
    say(link, over || (state.link === "connecting" && !arrival) ? "" : words.say(`link.${state.link}`));
}
/** The visit and its appointment, as soon as Convene answers. */
async function arrive() {
    for (let tries = 0;; tries += 1) {
        try {
            return await guest.arrival();
        }
        catch (error) {
            if (!(error instanceof ConveneError && error.retryable))
                throw error;
            fail(error);
            await pause(Math.min(1_000 * 2 ** tries, PAUSE_MAX_MS) * (0.5 + Math.random() / 2));
        }
    }
}
/** The tenant whose page this is; none in the plain address. */
function tenantOfAddress() {
    return /^\/wait\/([^/]+)$/.exec(location.pathname)?.[1];
}
async function wait(secret) {
    guest = new Guest(secret);
    arrival = await arrive();
    const tenant = tenantOfAddress();
    if (tenant !== undefined && tenant !== arrival.viewer.tenantId) {
        // Another organisation's page, with its name and its rules about who may embed it.
        throw new ConveneError("fault", "the ticket is of another tenant", { reason: "TICKET_UNKNOWN" });
    }
    const wished = choose([asked(), ...navigator.languages, arrival.waitingPage.defaultLocale]);
    if (wished !== words.locale)
        await speak(wished);
    else
        drawTheme();
    ahead = new Date(arrival.now).getTime() - Date.now();
    state.problem = undefined;
    state.visit = arrival.visit;
    const early = arrival.visit.state === "EXPECTED" || arrival.visit.state === "WAITING";
    if (arrival.waitingPage.asksConsent && early && state.consented === undefined)
        state.asking = "before";
    drawAppointment();
    draw();
    setInterval(drawAppointment, MINUTE_MS);
    const stop = new AbortController();
    if (isOver(state.visit))
        return drawLink();
    for await (const visit of guest.watch({ onLink, signal: stop.signal })) {
        state.visit = visit;
        if (visit.state !== "ADMITTED")
            state.joining = false;
        draw();
        if (!isOver(visit))
            continue;
        devices.stop();
        stop.abort();
        drawLink();
    }
}
/** The language that the address asks for. */
const asked = () => new URLSearchParams(location.search).get("locale");
async function begin() {
    await speak(choose([asked(), ...navigator.languages]));
    show(the("insecure"), !isSecureContext);
    onAnother(() => location.reload());
    const secret = ticket();
    if (secret === undefined) {
        state.problem = { kind: "missing", reason: "TICKET_MISSING" };
        draw();
        return;
    }
    try {
        await wait(secret);
    }
    catch (error) {
        fail(error);
        drawLink();
    }
}
void begin();

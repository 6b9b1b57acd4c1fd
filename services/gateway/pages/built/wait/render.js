import { say, show, the } from "../shared/dom.js";
/** Shows a view. What was pressed may be gone now: then the focus goes to the title, which says where the guest is. */
export function render(view, state, words) {
    const focused = document.activeElement;
    the("main").hidden = false;
    the("main").removeAttribute("aria-busy");
    const mark = the("mark");
    mark.dataset["tone"] = view.tone;
    the("mark-icon").firstElementChild?.setAttribute("href", `#icon-${view.icon}`);
    the("mark-icon").toggleAttribute("hidden", view.place !== undefined);
    show(the("mark-place"), view.place === undefined ? undefined : words.number(view.place));
    say(the("title"), view.title);
    say(the("message"), view.message);
    show(the("since"), view.since);
    show(the("enter"), view.enter);
    show(the("leave"), view.leave);
    show(the("show-join"), view.showJoin);
    show(the("again"), view.again);
    show(the("appointment"), view.appointment && the("when").textContent !== "");
    show(the("join"), state.joining);
    show(the("consent"), state.asking !== false);
    show(the("consent-now"), state.asking === "recording");
    show(the("consented"), view.consented !== undefined);
    say(the("consented-text"), view.consented ?? "");
    show(the("withdraw"), view.withdraw);
    show(the("devices"), view.devices);
    document.title = `${view.title} · ${the("name").textContent || words.say("room")}`;
    if (focused instanceof HTMLElement && focused !== document.body && !focused.checkVisibility())
        the("title").focus();
}
/** Tells a change: the way in loudly, everything else when there is time. */
export function announce(view, before, words) {
    if (before === undefined || (view.title === before.title && view.message === before.message))
        return;
    if (view.tone === "good" && before.tone !== "good")
        say(the("called"), words.say("admitted.called"));
    else
        say(the("said"), view.tone === "waiting" && before.tone === "waiting" ? view.title : `${view.title}. ${view.message}`);
}
/** What, with whom and when, in the guest's language and zone; `now` is business time. */
export function renderAppointment(appointment, now, words) {
    say(the("what"), appointment.service);
    say(the("with"), appointment.host);
    const start = appointment.start ? new Date(appointment.start) : undefined;
    if (!start)
        return;
    const end = appointment.end ? new Date(appointment.end) : undefined;
    const away = start.getTime() - now;
    const near = words.say(away > 0 ? "appointment.soon" : "appointment.began", { when: words.distance(away) });
    say(the("when"), words.span(start, end));
    say(the("zone"), `${words.zone(start)}. ${near}`);
}
/** Shows join details. They are on the page and nowhere else. */
export function renderJoin(details) {
    const target = new URL(details.joinUrl);
    // A link that a provider made: it opens a page, it never runs anything in this one.
    if (target.protocol !== "https:" && target.protocol !== "http:")
        throw new Error("the join link is no web address");
    the("join-open").href = target.href;
    const fact = (id, value) => {
        show(the(id), Boolean(value));
        const text = the(id).querySelector("dd");
        if (text)
            say(text, value ?? "");
    };
    fact("join-id", details.joinMeetingId);
    fact("join-passcode", details.passcode);
    fact("join-phone", details.dialInNumbers.join(", "));
    fact("join-conference", details.conferenceId);
}

const NOTHING = {
    place: undefined,
    since: undefined,
    enter: false,
    leave: false,
    showJoin: false,
    again: false,
    appointment: false,
    devices: false,
    consented: undefined,
    withdraw: false,
};
/** The view of a state; undefined while nothing is known yet. */
export function viewOf(state, words) {
    const { problem, visit } = state;
    if (problem) {
        const name = `problem.${problem.kind}`;
        return {
            ...NOTHING,
            tone: "bad",
            icon: "problem",
            title: words.say(`${name}.title`),
            message: words.say(`${name}.message`, { reason: problem.reason }),
            again: problem.kind === "failed" || problem.kind === "unreachable",
        };
    }
    return visit && viewOfVisit(visit, state, words);
}
function viewOfVisit(visit, state, words) {
    const open = { ...NOTHING, appointment: true, ...consent(state, words) };
    switch (visit.state) {
        case "EXPECTED":
            return {
                ...open,
                tone: "calm",
                icon: "hello",
                title: words.say("expected.title", { name: visit.displayName }),
                message: words.say("expected.message"),
                enter: !state.asking,
                devices: true,
            };
        case "WAITING":
            return {
                ...open,
                tone: "waiting",
                icon: "hello",
                place: visit.position,
                title: visit.position <= 1 ? words.say("waiting.next") : words.say("waiting.place", { count: visit.position - 1 }),
                message: words.say("waiting.message"),
                since: visit.arrivedAt ? words.say("waiting.since", { time: words.time(new Date(visit.arrivedAt)) }) : undefined,
                leave: true,
                devices: true,
            };
        case "ADMITTED":
            return {
                ...open,
                tone: "good",
                icon: "yes",
                title: words.say("admitted.title"),
                message: words.say(state.preparing ? "join.preparing" : state.joining ? "admitted.joining" : "admitted.message"),
                showJoin: !state.joining && !state.asking && !state.preparing,
                devices: !state.joining,
            };
        case "DENIED":
            return { ...NOTHING, tone: "over", icon: "no", title: words.say("denied.title"), message: words.say("denied.message") };
        case "TIMED_OUT": {
            const end = visit.reason === "NOT_ARRIVED" ? "missed" : "closed";
            return { ...NOTHING, tone: "over", icon: "over", title: words.say(`${end}.title`), message: words.say(`${end}.message`) };
        }
        case "LEFT":
            return { ...NOTHING, tone: "over", icon: "over", title: words.say("left.title"), message: words.say("left.message") };
    }
}
function consent({ asking, consented }, words) {
    if (asking || consented === undefined)
        return { consented: undefined, withdraw: false };
    return { consented: words.say(consented ? "consent.given" : "consent.refused"), withdraw: consented };
}
/** Whether the visit is over and nothing changes any more. */
export function isOver(visit) {
    return visit !== undefined && (visit.state === "DENIED" || visit.state === "TIMED_OUT" || visit.state === "LEFT");
}

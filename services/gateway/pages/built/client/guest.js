import { Connection } from "./connection.js";
import { follow } from "./follow.js";
const VISIT = "id state position reason displayName arrivedAt endedAt";
const REFUSAL = "refusal { reason message field retryable retryAfterMs }";
const CONSENT = "consent { given textVersion locale decidedAt }";
/** The operations of a guest. */
export const GUEST_OPERATIONS = {
    visit: `query Visit { visit { ${VISIT} } }`,
    appointment: `query Appointment { viewer { principal role tenantId } clock { businessTime }
    waitingPage { name accentColour logo defaultLocale supportLine asksConsent consentTextVersion consentTexts { locale text } }
    visit { ${VISIT} booking { id start end service { name } host { name } } } }`,
    enter: `mutation Enter { enterLobby { visit { ${VISIT} } ${REFUSAL} } }`,
    leave: `mutation Leave { leaveLobby { visit { ${VISIT} } ${REFUSAL} } }`,
    joinDetails: `mutation JoinDetails { joinDetails {
    joinDetails { joinUrl joinMeetingId passcode dialInNumbers conferenceId } ${REFUSAL} } }`,
    giveConsent: `mutation GiveConsent($input: GiveConsentInput!) { giveConsent(input: $input) { ${CONSENT} ${REFUSAL} } }`,
    withdrawConsent: `mutation WithdrawConsent { withdrawConsent { ${CONSENT} ${REFUSAL} } }`,
    watch: `subscription Watch($after: String) { visit(after: $after) { cursor visit { ${VISIT} } } }`,
};
/** One guest, by its ticket: the one visit that it opens. All methods throw {@link ConveneError}. */
export class Guest {
    #connection;
    constructor(ticket, options = {}) {
        this.#connection = new Connection({ ticket }, options);
    }
    /** The visit as it is now. */
    async visit(signal) {
        return (await this.#connection.ask(GUEST_OPERATIONS.visit, {}, signal)).visit;
    }
    /** The visit, its appointment, and who asks. */
    async arrival(signal) {
        const { viewer, clock, waitingPage, visit } = await this.#connection.ask(GUEST_OPERATIONS.appointment, {}, signal);
        const { booking, ...own } = visit;
        const { id: bookingId, start, end, service, host } = booking;
        return {
            viewer,
            visit: own,
            appointment: { bookingId, start, end, service: service.name, host: host.name },
            waitingPage,
            now: clock.businessTime,
        };
    }
    /** Arrives; a repeat keeps the place. */
    enter() {
        return this.#connection.change(GUEST_OPERATIONS.enter, {}, "enterLobby", "visit");
    }
    /** Goes away for good. */
    leave() {
        return this.#connection.change(GUEST_OPERATIONS.leave, {}, "leaveLobby", "visit");
    }
    /**
     * How to join, once admitted; each release is on record. Refused with CONSENT_REQUIRED while the meeting is recorded and this guest has
     * not consented, with MEETING_NOT_READY (retryable) while it is still being made.
     */
    joinDetails() {
        return this.#connection.change(GUEST_OPERATIONS.joinDetails, {}, "joinDetails", "joinDetails");
    }
    /** Consents to being recorded, having read this version of the text in this language. */
    giveConsent(textVersion, locale) {
        return this.#connection.change(GUEST_OPERATIONS.giveConsent, { input: { textVersion, locale } }, "giveConsent", "consent");
    }
    /** Takes consent back: a running recording is paused at once. */
    withdrawConsent() {
        return this.#connection.change(GUEST_OPERATIONS.withdrawConsent, {}, "withdrawConsent", "consent");
    }
    /** The visit as it is now and whenever it changes, over breaking connections; see {@link follow}. */
    watch(options = {}) {
        const connection = this.#connection;
        return follow({
            async *open(after, opened, signal) {
                for await (const { visit } of connection.stream(GUEST_OPERATIONS.watch, { after }, opened, signal)) {
                    yield { cursor: visit.cursor, value: visit.visit };
                }
            },
            poll: (signal) => this.visit(signal),
        }, options);
    }
}

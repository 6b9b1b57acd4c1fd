import { Connection } from "./connection.js";
import { refused } from "./errors.js";
import { follow } from "./follow.js";
const REFUSAL = "refusal { reason message field retryable retryAfterMs }";
/** The operations of a booking app. */
export const APP_OPERATIONS = {
    viewer: "query Viewer { viewer { principal role tenantId } }",
    book: `mutation Book($input: BookMeetingInput!) { bookMeeting(input: $input) {
    booking { id state start end guests { id name } meeting { state } } ${REFUSAL} } }`,
    cancel: `mutation Cancel($input: CancelBookingInput!) { cancelBooking(input: $input) { booking { id state } ${REFUSAL} } }`,
    issueTicket: `mutation IssueTicket($input: IssueTicketInput!) { issueTicket(input: $input) { ticket visitId waitingPagePath expiresAt ${REFUSAL} } }`,
    events: `subscription Events($bookingId: ID!, $after: String) { bookingEvents(bookingId: $bookingId, after: $after) {
    cursor source type objectKind objectId seq actor occurredAt data } }`,
};
/** A booking app, by its API key: on a server, never in a guest's browser. All methods throw {@link ConveneError}. */
export class BookingApp {
    connection;
    #url;
    constructor(key, options = {}) {
        this.connection = new Connection({ key }, options);
        this.#url = (options.url ?? "").replace(/\/+$/, "");
    }
    /** Who asks. */
    async viewer() {
        return (await this.connection.ask(APP_OPERATIONS.viewer)).viewer;
    }
    /** Books; a repeat with the same key answers the same booking. */
    book(input) {
        return this.connection.change(APP_OPERATIONS.book, { input }, "bookMeeting", "booking");
    }
    /** Calls a booking off; `reason` is kept in the audit trail, so without personal data. */
    cancel(input) {
        return this.connection.change(APP_OPERATIONS.cancel, { input }, "cancelBooking", "booking");
    }
    /** A new ticket of a guest; an older one opens nothing any more. */
    async issueTicket(bookingId, guestId) {
        const issued = await this.connection.ask(APP_OPERATIONS.issueTicket, { input: { bookingId, guestId } });
        const { refusal, ...ticket } = issued.issueTicket;
        if (refusal)
            throw refused(refusal);
        return ticket;
    }
    /** The address of the guest's own waiting page. A secret: it opens the visit. */
    waitingPage(ticket) {
        return this.#url + ticket.waitingPagePath;
    }
    /** The facts of a booking, each once and in each service's order, over breaking connections; see {@link follow}. */
    events(bookingId, options = {}) {
        const connection = this.connection;
        return follow({
            async *open(after, opened, signal) {
                for await (const { bookingEvents } of connection.stream(APP_OPERATIONS.events, { bookingId, after }, opened, signal)) {
                    yield { cursor: bookingEvents.cursor, value: bookingEvents };
                }
            },
        }, options);
    }
}

import { Connection, type Options } from "./connection.js";
import { type FollowOptions } from "./follow.js";
import type { BookingEvent, BookingState, MeetingState, Moment, Ticket, Viewer } from "./types.js";
/** The operations of a booking app. */
export declare const APP_OPERATIONS: {
    readonly viewer: "query Viewer { viewer { principal role tenantId } }";
    readonly book: "mutation Book($input: BookMeetingInput!) { bookMeeting(input: $input) {\n    booking { id state start end guests { id name } meeting { state } } refusal { reason message field retryable retryAfterMs } } }";
    readonly cancel: "mutation Cancel($input: CancelBookingInput!) { cancelBooking(input: $input) { booking { id state } refusal { reason message field retryable retryAfterMs } } }";
    readonly issueTicket: "mutation IssueTicket($input: IssueTicketInput!) { issueTicket(input: $input) { ticket visitId waitingPagePath expiresAt refusal { reason message field retryable retryAfterMs } } }";
    readonly events: `subscription Events($bookingId: ID!, $after: String) { bookingEvents(bookingId: $bookingId, after: $after) {
    cursor source type objectKind objectId seq actor occurredAt data } }`;
};
/** A wish for a slot. */
export interface Wish {
    /** A fresh UUID for each intent; the same for its repeats. */
    idempotencyKey: string;
    serviceId: string;
    hostId: string;
    start: Moment;
    /** Start plus the service's duration when left out. */
    end?: Moment;
    guests: {
        name: string;
        email: string;
    }[];
    /** Waits so long for the meeting to be there, in milliseconds; at most 10000. */
    waitForMeetingMs?: number;
}
/** What was booked. */
export interface Booked {
    id: string;
    state: BookingState;
    start: Moment | null;
    end: Moment | null;
    guests: {
        id: string;
        name: string;
    }[];
    meeting: {
        state: MeetingState;
    };
}
/** A booking app, by its API key: on a server, never in a guest's browser. All methods throw {@link ConveneError}. */
export declare class BookingApp {
    #private;
    readonly connection: Connection;
    constructor(key: string, options?: Options);
    /** Who asks. */
    viewer(): Promise<Viewer>;
    /** Books; a repeat with the same key answers the same booking. */
    book(input: Wish): Promise<Booked>;
    /** Calls a booking off; `reason` is kept in the audit trail, so without personal data. */
    cancel(input: {
        idempotencyKey: string;
        bookingId: string;
        reason: string;
    }): Promise<{
        id: string;
        state: BookingState;
    }>;
    /** A new ticket of a guest; an older one opens nothing any more. */
    issueTicket(bookingId: string, guestId: string): Promise<Ticket>;
    /** The address of the guest's own waiting page. A secret: it opens the visit. */
    waitingPage(ticket: Ticket): string;
    /** The facts of a booking, each once and in each service's order, over breaking connections; see {@link follow}. */
    events(bookingId: string, options?: FollowOptions): AsyncGenerator<BookingEvent, void>;
}

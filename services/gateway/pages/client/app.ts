import { Connection, type Options } from "./connection.js";
import { type ConveneError, type Refusal, refused } from "./errors.js";
import { type FollowOptions, type Update, follow } from "./follow.js";
import type { BookingEvent, BookingState, MeetingState, Moment, Ticket, Viewer } from "./types.js";

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
} as const;

/** A wish for a slot. */
export interface Wish {
  /** A fresh UUID for each intent; the same for its repeats. */
  idempotencyKey: string;
  serviceId: string;
  hostId: string;
  start: Moment;
  /** Start plus the service's duration when left out. */
  end?: Moment;
  guests: { name: string; email: string }[];
  /** Waits so long for the meeting to be there, in milliseconds; at most 10000. */
  waitForMeetingMs?: number;
}

/** What was booked. */
export interface Booked {
  id: string;
  state: BookingState;
  start: Moment | null;
  end: Moment | null;
  guests: { id: string; name: string }[];
  meeting: { state: MeetingState };
}

/** A booking app, by its API key: on a server, never in a guest's browser. All methods throw {@link ConveneError}. */
export class BookingApp {
  readonly connection: Connection;
  readonly #url: string;

  constructor(key: string, options: Options = {}) {
    this.connection = new Connection({ key }, options);
    this.#url = (options.url ?? "").replace(/\/+$/, "");
  }

  /** Who asks. */
  async viewer(): Promise<Viewer> {
    return (await this.connection.ask<{ viewer: Viewer }>(APP_OPERATIONS.viewer)).viewer;
  }

  /** Books; a repeat with the same key answers the same booking. */
  book(input: Wish): Promise<Booked> {
    return this.connection.change(APP_OPERATIONS.book, { input }, "bookMeeting", "booking");
  }

  /** Calls a booking off; `reason` is kept in the audit trail, so without personal data. */
  cancel(input: { idempotencyKey: string; bookingId: string; reason: string }): Promise<{ id: string; state: BookingState }> {
    return this.connection.change(APP_OPERATIONS.cancel, { input }, "cancelBooking", "booking");
  }

  /** A new ticket of a guest; an older one opens nothing any more. */
  async issueTicket(bookingId: string, guestId: string): Promise<Ticket> {
    type Issued = { issueTicket: Ticket & { refusal: Refusal | null } };
    const issued = await this.connection.ask<Issued>(APP_OPERATIONS.issueTicket, { input: { bookingId, guestId } });
    const { refusal, ...ticket } = issued.issueTicket;
    if (refusal) throw refused(refusal);
    return ticket;
  }

  /** The address of the guest's own waiting page. A secret: it opens the visit. */
  waitingPage(ticket: Ticket): string {
    return this.#url + ticket.waitingPagePath;
  }

  /** The facts of a booking, each once and in each service's order, over breaking connections; see {@link follow}. */
  events(bookingId: string, options: FollowOptions = {}): AsyncGenerator<BookingEvent, void> {
    const connection = this.connection;
    return follow<BookingEvent>(
      {
        async *open(after, opened, signal): AsyncGenerator<Update<BookingEvent>> {
          type Data = { bookingEvents: BookingEvent };
          for await (const { bookingEvents } of connection.stream<Data>(APP_OPERATIONS.events, { bookingId, after }, opened, signal)) {
            yield { cursor: bookingEvents.cursor, value: bookingEvents };
          }
        },
      },
      options,
    );
  }
}


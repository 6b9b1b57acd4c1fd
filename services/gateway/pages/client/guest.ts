import { Connection, type Options } from "./connection.js";
import { type FollowOptions, type Update, follow } from "./follow.js";
import type { Appointment, Consent, JoinDetails, Viewer, Visit, WaitingPage } from "./types.js";

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
} as const;

/** What a guest's page begins with. */
export interface Arrival {
  viewer: Viewer;
  visit: Visit;
  appointment: Appointment;
  waitingPage: WaitingPage;
  /** Business time now: what the appointment is judged by. Development may move it. */
  now: string;
}

/** One guest, by its ticket: the one visit that it opens. All methods throw {@link ConveneError}. */
export class Guest {
  readonly #connection: Connection;

  constructor(ticket: string, options: Options = {}) {
    this.#connection = new Connection({ ticket }, options);
  }

  /** The visit as it is now. */
  async visit(signal?: AbortSignal): Promise<Visit> {
    return (await this.#connection.ask<{ visit: Visit }>(GUEST_OPERATIONS.visit, {}, signal)).visit;
  }

  /** The visit, its appointment, and who asks. */
  async arrival(signal?: AbortSignal): Promise<Arrival> {
    type Booked = { booking: { id: string; start: string | null; end: string | null; service: { name: string }; host: { name: string } } };
    type Data = { viewer: Viewer; clock: { businessTime: string }; waitingPage: WaitingPage; visit: Visit & Booked };
    const { viewer, clock, waitingPage, visit } = await this.#connection.ask<Data>(GUEST_OPERATIONS.appointment, {}, signal);
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
  enter(): Promise<Visit> {
    return this.#connection.change(GUEST_OPERATIONS.enter, {}, "enterLobby", "visit");
  }

  /** Goes away for good. */
  leave(): Promise<Visit> {
    return this.#connection.change(GUEST_OPERATIONS.leave, {}, "leaveLobby", "visit");
  }

  /**
   * How to join, once admitted; each release is on record. Refused with CONSENT_REQUIRED while the meeting is recorded and this guest has
   * not consented, with MEETING_NOT_READY (retryable) while it is still being made.
   */
  joinDetails(): Promise<JoinDetails> {
    return this.#connection.change(GUEST_OPERATIONS.joinDetails, {}, "joinDetails", "joinDetails");
  }

  /** Consents to being recorded, having read this version of the text in this language. */
  giveConsent(textVersion: string, locale: string): Promise<Consent> {
    return this.#connection.change(GUEST_OPERATIONS.giveConsent, { input: { textVersion, locale } }, "giveConsent", "consent");
  }

  /** Takes consent back: a running recording is paused at once. */
  withdrawConsent(): Promise<Consent> {
    return this.#connection.change(GUEST_OPERATIONS.withdrawConsent, {}, "withdrawConsent", "consent");
  }

  /** The visit as it is now and whenever it changes, over breaking connections; see {@link follow}. */
  watch(options: FollowOptions = {}): AsyncGenerator<Visit, void> {
    const connection = this.#connection;
    return follow<Visit>(
      {
        async *open(after, opened, signal): AsyncGenerator<Update<Visit>> {
          type Data = { visit: { cursor: string; visit: Visit } };
          for await (const { visit } of connection.stream<Data>(GUEST_OPERATIONS.watch, { after }, opened, signal)) {
            yield { cursor: visit.cursor, value: visit.visit };
          }
        },
        poll: (signal) => this.visit(signal),
      },
      options,
    );
  }
}

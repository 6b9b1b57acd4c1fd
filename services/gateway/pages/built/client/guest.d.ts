import { type Options } from "./connection.js";
import { type FollowOptions } from "./follow.js";
import type { Appointment, Consent, JoinDetails, Viewer, Visit, WaitingPage } from "./types.js";
/** The operations of a guest. */
export declare const GUEST_OPERATIONS: {
    readonly visit: "query Visit { visit { id state position reason displayName arrivedAt endedAt } }";
    readonly appointment: "query Appointment { viewer { principal role tenantId } clock { businessTime }\n    waitingPage { name accentColour logo defaultLocale supportLine asksConsent consentTextVersion consentTexts { locale text } }\n    visit { id state position reason displayName arrivedAt endedAt booking { id start end service { name } host { name } } } }";
    readonly enter: "mutation Enter { enterLobby { visit { id state position reason displayName arrivedAt endedAt } refusal { reason message field retryable retryAfterMs } } }";
    readonly leave: "mutation Leave { leaveLobby { visit { id state position reason displayName arrivedAt endedAt } refusal { reason message field retryable retryAfterMs } } }";
    readonly joinDetails: "mutation JoinDetails { joinDetails {\n    joinDetails { joinUrl joinMeetingId passcode dialInNumbers conferenceId } refusal { reason message field retryable retryAfterMs } } }";
    readonly giveConsent: "mutation GiveConsent($input: GiveConsentInput!) { giveConsent(input: $input) { consent { given textVersion locale decidedAt } refusal { reason message field retryable retryAfterMs } } }";
    readonly withdrawConsent: "mutation WithdrawConsent { withdrawConsent { consent { given textVersion locale decidedAt } refusal { reason message field retryable retryAfterMs } } }";
    readonly watch: "subscription Watch($after: String) { visit(after: $after) { cursor visit { id state position reason displayName arrivedAt endedAt } } }";
};
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
export declare class Guest {
    #private;
    constructor(ticket: string, options?: Options);
    /** The visit as it is now. */
    visit(signal?: AbortSignal): Promise<Visit>;
    /** The visit, its appointment, and who asks. */
    arrival(signal?: AbortSignal): Promise<Arrival>;
    /** Arrives; a repeat keeps the place. */
    enter(): Promise<Visit>;
    /** Goes away for good. */
    leave(): Promise<Visit>;
    /**
     * How to join, once admitted; each release is on record. Refused with CONSENT_REQUIRED while the meeting is recorded and this guest has
     * not consented, with MEETING_NOT_READY (retryable) while it is still being made.
     */
    joinDetails(): Promise<JoinDetails>;
    /** Consents to being recorded, having read this version of the text in this language. */
    giveConsent(textVersion: string, locale: string): Promise<Consent>;
    /** Takes consent back: a running recording is paused at once. */
    withdrawConsent(): Promise<Consent>;
    /** The visit as it is now and whenever it changes, over breaking connections; see {@link follow}. */
    watch(options?: FollowOptions): AsyncGenerator<Visit, void>;
}

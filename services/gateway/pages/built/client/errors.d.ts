/** Codes of faults: `errors[].extensions.code`. */
export type Code = "INVALID_ARGUMENT" | "UNAUTHENTICATED" | "FORBIDDEN" | "NOT_FOUND" | "ALREADY_EXISTS" | "REFUSED" | "TOO_MANY" | "UNAVAILABLE" | "TIMEOUT" | "INTERNAL";
/** Reasons that a guest, a host desk or a booking app meets often. schema/error-codes.md lists all; another one is a string. */
export type Reason = "TICKET_UNKNOWN" | "TICKET_REPLACED" | "TICKET_EXPIRED" | "KEY_UNKNOWN" | "CONSENT_REQUIRED" | "CONSENT_MISSING" | "MEETING_NOT_READY" | "NOT_ADMITTED" | "VISIT_ENDED" | "VISIT_OVER" | "LOBBY_CLOSED" | "MALFORMED_CURSOR" | Own | (string & {});
/** Reasons that the client itself gives. */
export type Own = 
/** No answer: no network, no server, or a connection that broke. */
"UNREACHABLE"
/** No answer in time. */
 | "SILENT"
/** Something between here and Convene answered, not Convene. */
 | "NOT_CONVENE";
/**
 * What went wrong:
 * - `refusal`: Convene said no and says what to do; `field` names the input that is wrong;
 * - `fault`: the request could not be served; `code` says how;
 * - `unreachable`: Convene did not answer.
 */
export type Kind = "refusal" | "fault" | "unreachable";
/** What a failure carries besides its message. */
export interface Details {
    reason: Reason;
    code?: Code | undefined;
    field?: string | undefined;
    retryable?: boolean;
    retryAfterMs?: number | undefined;
}
/** Every failure of this client. `message` is English, for developers; programs go by `kind`, `code` and `reason`. */
export declare class ConveneError extends Error {
    readonly name = "ConveneError";
    readonly kind: Kind;
    readonly reason: Reason;
    /** Of faults only. */
    readonly code: Code | undefined;
    /** The input field that is wrong. */
    readonly field: string | undefined;
    /** Whether the same request may succeed later. */
    readonly retryable: boolean;
    /** When it may, in milliseconds. */
    readonly retryAfterMs: number | undefined;
    constructor(kind: Kind, message: string, details: Details);
}
/** A refusal as payloads hold it. */
export interface Refusal {
    reason: string;
    message: string;
    field: string | null;
    retryable: boolean;
    retryAfterMs: number | null;
}
export declare function refused(refusal: Refusal): ConveneError;
export declare function unreachable(reason: Own, message: string): ConveneError;
/** The first of a response's `errors`; undefined when there is none. */
export declare function faultOf(response: unknown): ConveneError | undefined;

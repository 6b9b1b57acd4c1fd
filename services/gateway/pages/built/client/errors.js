/** Every failure of this client. `message` is English, for developers; programs go by `kind`, `code` and `reason`. */
export class ConveneError extends Error {
    name = "ConveneError";
    kind;
    reason;
    /** Of faults only. */
    code;
    /** The input field that is wrong. */
    field;
    /** Whether the same request may succeed later. */
    retryable;
    /** When it may, in milliseconds. */
    retryAfterMs;
    constructor(kind, message, details) {
        super(message);
        this.kind = kind;
        this.reason = details.reason;
        this.code = details.code;
        this.field = details.field;
        this.retryable = details.retryable ?? false;
        this.retryAfterMs = details.retryAfterMs;
    }
}
export function refused(refusal) {
    return new ConveneError("refusal", refusal.message, {
        reason: refusal.reason,
        field: refusal.field ?? undefined,
        retryable: refusal.retryable,
        retryAfterMs: refusal.retryAfterMs ?? undefined,
    });
}
export function unreachable(reason, message) {
    return new ConveneError("unreachable", message, { reason, retryable: true });
}
const PASSING = new Set(["UNAVAILABLE", "TIMEOUT", "INTERNAL"]);
/** The first of a response's `errors`; undefined when there is none. */
export function faultOf(response) {
    const errors = field(response, "errors");
    const first = Array.isArray(errors) ? errors[0] : undefined;
    if (first === undefined)
        return undefined;
    const extensions = field(first, "extensions");
    const code = field(extensions, "code");
    const text = (value) => (typeof value === "string" ? value : undefined);
    return new ConveneError("fault", text(field(first, "message")) ?? "the request failed", {
        reason: text(field(extensions, "reason")) ?? "UNKNOWN",
        code: text(code),
        field: text(field(extensions, "field")),
        retryable: PASSING.has(String(code)),
    });
}
function field(value, name) {
    return typeof value === "object" && value !== null ? value[name] : undefined;
}

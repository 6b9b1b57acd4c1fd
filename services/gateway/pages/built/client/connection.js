import { ConveneError, faultOf, refused, unreachable } from "./errors.js";
import { EventParser } from "./sse.js";
/** One caller's way to the gateway: asks, and follows subscriptions while their connection lasts. */
export class Connection {
    #base;
    #authorization;
    #fetch;
    #timeoutMs;
    #silenceMs;
    constructor(credential, options = {}) {
        this.#base = (options.url ?? "").replace(/\/+$/, "");
        this.#authorization = "ticket" in credential ? `Ticket ${credential.ticket}` : `Bearer ${credential.key}`;
        // Called without this object as `this`: browsers insist.
        const given = options.fetch ?? globalThis.fetch;
        this.#fetch = (input, init) => given(input, init);
        this.#timeoutMs = options.timeoutMs ?? 15_000;
        this.#silenceMs = options.silenceMs ?? 40_000;
    }
    /** The data of a query or mutation. Throws a {@link ConveneError}; a caller's own abort comes through as it is. */
    async ask(document, variables = {}, signal) {
        const patience = new Patience(signal, this.#timeoutMs);
        try {
            const response = await this.#post("/graphql", document, variables, patience.signal);
            return dataOf(await jsonOf(response));
        }
        catch (error) {
            throw patience.meaning(error);
        }
        finally {
            patience.end();
        }
    }
    /** The object of a mutation's payload, or its refusal, thrown. */
    async change(document, variables, field, value, signal) {
        const data = await this.ask(document, variables, signal);
        const payload = data[field];
        if (payload?.refusal)
            throw refused(payload.refusal);
        return payload?.[value];
    }
    /**
     * What one connection of a subscription says, until it ends. `opened` is called once the gateway has taken the subscription.
     * Throws when the connection breaks, falls silent, or the gateway says an error; returns when the gateway ends it.
     */
    async *stream(document, variables, opened, signal) {
        const patience = new Patience(signal, this.#timeoutMs);
        try {
            const response = await this.#post("/graphql/stream", document, variables, patience.signal);
            if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
                dataOf(await jsonOf(response));
                throw unreachable("NOT_CONVENE", "the answer to a subscription is no event stream; is a proxy in between?");
            }
            opened();
            const parser = new EventParser();
            const decoder = new TextDecoder();
            const reader = response.body.getReader();
            for (;;) {
                patience.renew(this.#silenceMs);
                const { value, done } = await reader.read();
                if (done)
                    return;
                for (const { event, data } of parser.push(decoder.decode(value, { stream: true }))) {
                    if (event === "complete")
                        return;
                    if (event === "next")
                        yield dataOf(JSON.parse(data));
                }
            }
        }
        catch (error) {
            throw patience.meaning(error);
        }
        finally {
            patience.end();
        }
    }
    #post(path, query, variables, signal) {
        return this.#fetch(this.#base + path, {
            method: "POST",
            headers: { authorization: this.#authorization, "content-type": "application/json" },
            body: JSON.stringify({ query, variables }),
            // Nothing but the header says who asks, and nobody in between keeps the answer.
            credentials: "omit",
            cache: "no-store",
            referrerPolicy: "no-referrer",
            signal,
        });
    }
}
/** Ends a request that takes too long, or that its caller gave up; tells one from the other afterwards. */
class Patience {
    #own = new AbortController();
    #callers;
    #abort = () => this.#own.abort();
    #timer;
    #over = false;
    constructor(callers, ms) {
        this.#callers = callers;
        if (callers?.aborted)
            this.#abort();
        callers?.addEventListener("abort", this.#abort);
        this.renew(ms);
    }
    get signal() {
        return this.#own.signal;
    }
    renew(ms) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
            this.#over = true;
            this.#abort();
        }, ms);
    }
    /** What a failure under this patience means. */
    meaning(error) {
        if (this.#callers?.aborted)
            return this.#callers.reason;
        if (this.#over)
            return unreachable("SILENT", "no answer in time");
        if (error instanceof ConveneError)
            return error;
        return unreachable("UNREACHABLE", `no answer: ${error instanceof Error ? error.message : String(error)}`);
    }
    /** Also closes the connection when something is still to come. */
    end() {
        clearTimeout(this.#timer);
        this.#callers?.removeEventListener("abort", this.#abort);
        this.#abort();
    }
}
async function jsonOf(response) {
    const text = await response.text();
    try {
        return JSON.parse(text);
    }
    catch {
        throw unreachable("NOT_CONVENE", `the answer is not JSON (status ${response.status}); is a proxy in between?`);
    }
}
function dataOf(response) {
    const fault = faultOf(response);
    if (fault)
        throw fault;
    const data = response?.data;
    if (data === undefined || data === null)
        throw unreachable("NOT_CONVENE", "the answer has no data; is a proxy in between?");
    return data;
}

import { ConveneError } from "./errors.js";
/** Tries in a row without a stream after which the state is asked for. */
const TRIES_BEFORE_POLL = 3;
/** A connection that lasted so long was one, in milliseconds. */
const LASTED_MS = 10_000;
/** Polls between two tries to get a stream again. */
const POLLS_BEFORE_TRY = 6;
/**
 * Follows a source over breaking connections: reconnects with growing pauses and goes on behind the last cursor, so that nothing is
 * lost and nothing comes twice. Returns when stopped; throws what cannot pass by waiting, such as a ticket that was replaced.
 */
export async function* follow(source, options = {}) {
    const { signal, pauseMs = 500, pauseMaxMs = 15_000, pollMs = 5_000 } = options;
    let link;
    const tell = (next) => {
        if (link !== next)
            options.onLink?.((link = next));
    };
    let cursor = options.after;
    let tries = 0;
    let last = "";
    tell("connecting");
    while (!signal?.aborted) {
        const began = Date.now();
        let wanted;
        try {
            for await (const update of source.open(cursor, () => tell("live"), signal)) {
                tries = 0;
                if (update.cursor === cursor)
                    continue;
                cursor = update.cursor;
                last = JSON.stringify(update.value);
                options.onCursor?.(cursor);
                yield update.value;
            }
        }
        catch (error) {
            if (signal?.aborted)
                return;
            if (!(error instanceof ConveneError))
                throw error;
            if (error.reason === "MALFORMED_CURSOR" && source.poll && cursor !== undefined) {
                // Of another time of the server. A state needs no history: from the beginning.
                cursor = undefined;
            }
            else if (!error.retryable) {
                throw error;
            }
            wanted = error.retryAfterMs;
        }
        // A connection that is taken and dropped at once is no success.
        tries = Date.now() - began > LASTED_MS ? 1 : tries + 1;
        if (link !== "polling")
            tell("reconnecting");
        for (let polls = 0; source.poll && tries >= TRIES_BEFORE_POLL && polls < POLLS_BEFORE_TRY; polls += 1) {
            const now = await attempt(source.poll(signal), signal);
            if (signal?.aborted)
                return;
            if (!now) {
                tell("reconnecting");
                break;
            }
            tell("polling");
            const text = JSON.stringify(now.value);
            if (text !== last) {
                last = text;
                yield now.value;
            }
            await pause(pollMs, signal);
        }
        // Many clients lose a server at the same moment and must not all come back at the same one.
        const longest = Math.min(pauseMs * 2 ** (tries - 1), pauseMaxMs);
        if (link !== "polling")
            await pause(Math.max(wanted ?? 0, longest * (0.5 + Math.random() / 2)), signal);
    }
}
/** The value, or nothing when it could not be had but may be later. */
async function attempt(asked, signal) {
    try {
        return { value: await asked };
    }
    catch (error) {
        if (signal?.aborted || (error instanceof ConveneError && error.retryable))
            return undefined;
        throw error;
    }
}
/** Waits; shorter when stopped, or when the browser says that the network is back. */
function pause(ms, signal) {
    return new Promise((resolve) => {
        const end = () => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", end);
            globalThis.removeEventListener?.("online", end);
            resolve();
        };
        const timer = setTimeout(end, ms);
        signal?.addEventListener("abort", end);
        globalThis.addEventListener?.("online", end);
        if (signal?.aborted)
            end();
    });
}

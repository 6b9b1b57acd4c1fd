/**
 * How a subscription stands:
 * - `connecting`: for the first time;
 * - `live`: what happens is told at once;
 * - `reconnecting`: the connection broke, nothing is lost, the next one goes on where this one ended;
 * - `polling`: something in between lets no stream through, so the state is asked for again and again.
 */
export type Link = "connecting" | "live" | "reconnecting" | "polling";
/** A value, and where to go on behind it. */
export interface Update<Value> {
    cursor: string;
    value: Value;
}
/** What is followed. */
export interface Source<Value> {
    /** One connection, from behind a cursor or from the beginning; calls `opened` once it stands. */
    open(after: string | undefined, opened: () => void, signal: AbortSignal | undefined): AsyncIterable<Update<Value>>;
    /** The value as it is now, for sources that tell states: asked for while streams do not come through. */
    poll?(signal: AbortSignal | undefined): Promise<Value>;
}
/** How it is followed. */
export interface FollowOptions {
    /** Stops it; then the generator returns. */
    signal?: AbortSignal;
    /** Told whenever the connection changes. */
    onLink?: (link: Link) => void;
    /** Goes on behind this cursor of an earlier run. */
    after?: string;
    /** Told before each value: where to go on after it. */
    onCursor?: (cursor: string) => void;
    /** The first pause before a new try, in milliseconds; each further one is twice as long. 500. */
    pauseMs?: number;
    /** The longest pause, in milliseconds; 15000. */
    pauseMaxMs?: number;
    /** How often the state is asked for while streams do not come through, in milliseconds; 5000. */
    pollMs?: number;
}
/**
 * Follows a source over breaking connections: reconnects with growing pauses and goes on behind the last cursor, so that nothing is
 * lost and nothing comes twice. Returns when stopped; throws what cannot pass by waiting, such as a ticket that was replaced.
 */
export declare function follow<Value>(source: Source<Value>, options?: FollowOptions): AsyncGenerator<Value, void>;

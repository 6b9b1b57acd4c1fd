/** An event of a server-sent stream. */
export interface ServerEvent {
    event: string;
    data: string;
}
/**
 * Takes a stream apart as its text comes, in pieces of any size. Comments, which keep a connection alive, are passed over;
 * an event that the connection cut off is not given.
 */
export declare class EventParser {
    #private;
    /** The events that are complete with this piece. */
    push(piece: string): Generator<ServerEvent>;
}

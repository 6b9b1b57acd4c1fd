/** Who asks: a guest with a ticket, everybody else with an API key. API keys never belong into a guest's browser. */
export type Credential = {
    ticket: string;
} | {
    key: string;
};
/** How Convene is reached. */
export interface Options {
    /** Address of the gateway, for example `https://meet.example.org`; in a page that the gateway serves, left out. */
    url?: string;
    /** Another `fetch`. */
    fetch?: typeof fetch;
    /** How long an answer may take, in milliseconds; 15000 unless told otherwise. */
    timeoutMs?: number;
    /** How long a subscription's connection may say nothing at all, in milliseconds; the gateway sends a sign of life every 15 s. 40000. */
    silenceMs?: number;
}
/** One caller's way to the gateway: asks, and follows subscriptions while their connection lasts. */
export declare class Connection {
    #private;
    constructor(credential: Credential, options?: Options);
    /** The data of a query or mutation. Throws a {@link ConveneError}; a caller's own abort comes through as it is. */
    ask<Data>(document: string, variables?: object, signal?: AbortSignal): Promise<Data>;
    /** The object of a mutation's payload, or its refusal, thrown. */
    change<Value>(document: string, variables: object, field: string, value: string, signal?: AbortSignal): Promise<Value>;
    /**
     * What one connection of a subscription says, until it ends. `opened` is called once the gateway has taken the subscription.
     * Throws when the connection breaks, falls silent, or the gateway says an error; returns when the gateway ends it.
     */
    stream<Data>(document: string, variables: object, opened: () => void, signal?: AbortSignal): AsyncGenerator<Data, void>;
}

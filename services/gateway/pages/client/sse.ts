/** An event of a server-sent stream. */
export interface ServerEvent {
  event: string;
  data: string;
}

/** Longest event that is taken, in characters. */
const EVENT_MAX = 1_048_576;

/**
 * Takes a stream apart as its text comes, in pieces of any size. Comments, which keep a connection alive, are passed over;
 * an event that the connection cut off is not given.
 */
export class EventParser {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #size = 0;

  /** The events that are complete with this piece. */
  *push(piece: string): Generator<ServerEvent> {
    this.#rest += piece;
    for (;;) {
      const end = this.#rest.search(/\r\n|\n|\r(?!$)/);
      if (end < 0) break;
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + (this.#rest.startsWith("\r\n", end) ? 2 : 1));
      const event = this.#line(line);
      if (event) yield event;
    }
    if (this.#size + this.#rest.length > EVENT_MAX) throw new RangeError(`an event has at most ${EVENT_MAX} characters`);
  }

  #line(line: string): ServerEvent | undefined {
    if (line === "") {
      const event = { event: this.#event || "message", data: this.#data.join("\n") };
      const complete = this.#event !== "" || this.#data.length > 0;
      this.#event = "";
      this.#data = [];
      this.#size = 0;
      return complete ? event : undefined;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    this.#size += value.length;
    if (name === "event") this.#event = value;
    if (name === "data") this.#data.push(value);
    return undefined;
  }
}

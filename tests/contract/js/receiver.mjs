// Where callbacks and Event Grid events of the simulator come, and what waits for them. Nothing sleeps: a wait ends when the event is there.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { parseCallAutomationEvent } from "@azure/communication-call-automation";
import { claims } from "./acs.mjs";

const WAIT_MS = 20_000;

/** A server on loopback that hands bodies to a function and answers what it gives. */
const listen = async (port, take) => {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { status = 200, body = "", type = "application/json" } = (await take(request, Buffer.concat(chunks))) ?? {};
    response.writeHead(status, { "content-type": type }).end(body);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
};

/** Things that come, and waits for the first that fits. */
class Inbox {
  all = [];
  #waiting = new Set();
  put(one) {
    this.all.push(one);
    for (const wait of [...this.#waiting]) wait();
  }
  /** The first that fits, there already or still to come. */
  async first(fits, what) {
    return new Promise((resolve, reject) => {
      const seen = () => this.all.map((one) => one.kind ?? one.eventType).join(", ");
      const timer = setTimeout(() => (this.#waiting.delete(look), reject(new Error(`${what} did not come; there was ${seen()}`))), WAIT_MS);
      const look = () => {
        const found = this.all.find(fits);
        if (!found) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Callbacks of one application. `answers` are statuses for the first attempts. */
export async function receiver(...answers) {
  const inbox = new Inbox();
  const attempts = [];
  const url = await listen(0, (request, bytes) => {
    const list = JSON.parse(bytes);
    attempts.push(list[0].id);
    const status = answers.shift() ?? 200;
    if (status === 200) inbox.put({ list, kind: list[0].type.split(".").pop(), token: request.headers.authorization?.replace("Bearer ", ""), path: request.url, parsed: parseCallAutomationEvent(list) });
    return { status };
  });
  return {
    url,
    attempts,
    all: inbox.all,
    kinds: () => inbox.all.map(({ kind }) => kind),
    /** The parsed event of a kind, of one leg when that is given. */
    async next(kind, leg, more = () => true) {
      const fits = (one) => one.kind === kind && (!leg || one.parsed.callConnectionId === leg) && more(one.parsed);
      return (await inbox.first(fits, kind)).parsed;
    },
    claims: (one) => claims(one.token),
  };
}

let grid;
/** The one sink of Event Grid events of this process. */
export async function eventGrid() {
  if (grid) return grid;
  const inbox = new Inbox();
  grid = inbox;
  inbox.handshakes = 0;
  await listen(Number(process.env.ACS_EVENTGRID_PORT), (request, bytes) => {
    const [event] = JSON.parse(bytes);
    if (request.headers["aeg-event-type"] === "SubscriptionValidation") {
      inbox.handshakes++;
      return { body: JSON.stringify({ validationResponse: event.data.validationCode }) };
    }
    inbox.put(event);
  });
  return inbox;
}

/** The incoming call of somebody. */
export async function incoming(rawId) {
  const sink = await eventGrid();
  const { data } = await sink.first((event) => event.eventType === "Microsoft.Communication.IncomingCall" && event.data.to.rawId === rawId, `IncomingCall of ${rawId}`);
  return data;
}

/** A WAV file of so many milliseconds, served; any other path is not there. */
export async function files() {
  const wav = (ms, rate = 16000) => {
    const data = Math.floor((rate * 2 * ms) / 1000);
    const head = Buffer.alloc(44);
    head.write("RIFF", 0), head.writeUInt32LE(36 + data, 4), head.write("WAVEfmt ", 8), head.writeUInt32LE(16, 16);
    head.writeUInt16LE(1, 20), head.writeUInt16LE(1, 22), head.writeUInt32LE(rate, 24), head.writeUInt32LE(rate * 2, 28), head.writeUInt16LE(2, 32), head.writeUInt16LE(16, 34);
    head.write("data", 36), head.writeUInt32LE(data, 40);
    return Buffer.concat([head, Buffer.alloc(data)]);
  };
  return listen(0, (request) => {
    const [, name, number] = request.url.match(/^\/([a-z]+)-?([0-9]*)/) ?? [];
    if (name === "wav") return { body: wav(Number(number)), type: "audio/wav" };
    if (name === "slow") return { body: wav(Number(number), 8000), type: "audio/wav" };
    if (name === "text") return { body: "no audio at all", type: "text/plain" };
    return { status: 404 };
  });
}

export const equalKinds = (got, wanted) => assert.deepEqual(got, wanted, `got ${got.join(", ")}`);

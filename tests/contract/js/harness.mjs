// The official client in both ways of reaching the simulator, and what cases need.
import assert from "node:assert/strict";
import { ClientSecretCredential } from "@azure/identity";
import { Client, HTTPMessageHandler, RetryHandler, RetryHandlerOptions, TelemetryHandler } from "@microsoft/microsoft-graph-client";
import azure from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

export const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("GRAPH_")));

/** The stock chain over HTTPS: token by MSAL, sent because the host is a custom host. */
export const credential = (changes = {}) => {
  const { tenant = env.GRAPH_TENANT, id = env.GRAPH_CLIENT_ID, secret = env.GRAPH_CLIENT_SECRET } = changes;
  return new ClientSecretCredential(tenant, id, secret, { authorityHost: env.GRAPH_AUTHORITY, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } });
};
const scopes = ["https://graph.microsoft.com/.default"];
export const freshClient = () =>
  Client.initWithMiddleware({
    authProvider: new azure.TokenCredentialAuthenticationProvider(credential(), { scopes }),
    baseUrl: new URL(env.GRAPH_BASE).origin,
    customHosts: new Set([new URL(env.GRAPH_BASE).hostname]),
  });
export const graph = freshClient();

/** Over plain HTTP the stock authentication handler sends no token: an own first middleware does, the rest is stock. */
class Bearer {
  setNext(next) {
    this.next = next;
  }
  async execute(context) {
    const { token } = await credential().getToken(scopes);
    const headers = new Headers(context.options?.headers);
    headers.set("Authorization", `Bearer ${token}`);
    context.options = { ...context.options, headers: Object.fromEntries(headers) };
    return this.next.execute(context);
  }
}
const chain = [new Bearer(), new RetryHandler(new RetryHandlerOptions()), new TelemetryHandler(), new HTTPMessageHandler()];
chain.reduce((one, next) => (one.setNext(next), next));
export const plain = Client.initWithMiddleware({ middleware: chain[0], baseUrl: new URL(env.GRAPH_CONTROL).origin });

export const host = `/users/${env.GRAPH_USER}`;

/** The simulator's own API. */
export async function control(method, path, body) {
  const answer = await fetch(`${env.GRAPH_CONTROL}/${path}`, { method, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** Whether every answer of Graph has to be an error, of a status that no case expects. */
export const broken = process.argv.includes("--broken");
export const breakAll = async () => broken && control("POST", "faults", { pathContains: "", action: { errorBefore: { status: 507 } } });

/** An empty world. */
export async function reset() {
  await control("POST", "reset");
  await breakAll();
}

export async function advance(ms) {
  const { offsetMs } = await control("GET", "clock");
  await control("PUT", "clock", { offsetMs: offsetMs + ms });
}

/** The client's own error, with this status and code. */
export async function refused(promise, status, code) {
  const error = await promise.then(
    (value) => assert.fail(`expected ${status} ${code}, got ${JSON.stringify(value)}`),
    (error) => error,
  );
  assert.equal(error.statusCode, status, `${error.code}: ${error.message}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.requestId ?? "", /^[0-9a-f-]{36}$/);
  return error;
}

export const at = (hour, day = 6) => ({ dateTime: `2031-01-${String(day).padStart(2, "0")}T${String(hour).padStart(2, "0")}:00:00`, timeZone: "UTC" });

export const event = (changes = {}) => ({
  subject: "Visit",
  start: at(10),
  end: at(11),
  isOnlineMeeting: true,
  onlineMeetingProvider: "teamsForBusiness",
  ...changes,
});

export const makeEvent = (changes) => graph.api(`${host}/events`).post(event(changes));
export const makeMeeting = (body = {}) => graph.api(`${host}/onlineMeetings`).post(body);

/** The calendar-backed meeting of a new event, found as the documentation says: the link is encoded, because the client does not do it. */
export async function backedMeeting() {
  const made = await makeEvent();
  const found = await graph.api(`${host}/onlineMeetings`).filter(`JoinWebUrl eq '${encodeURIComponent(made.onlineMeeting.joinUrl)}'`).get();
  return found.value[0];
}

export const join = (meeting) => ({
  "@odata.type": "#microsoft.graph.call",
  callbackUri: "https://bot.example/callback",
  requestedModalities: ["audio"],
  mediaConfig: { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig" },
  chatInfo: { "@odata.type": "#microsoft.graph.chatInfo", threadId: meeting.chatInfo.threadId, messageId: "0" },
  meetingInfo: {
    "@odata.type": "#microsoft.graph.organizerMeetingInfo",
    organizer: { "@odata.type": "#microsoft.graph.identitySet", user: { id: env.GRAPH_USER, tenantId: env.GRAPH_TENANT } },
  },
});

/** An established call into a meeting. */
export async function callInto(meeting) {
  const call = await graph.api("/communications/calls").post(join(meeting));
  await advance(60);
  return call;
}

export const comes = (meeting, kind, name) => control("POST", "meetings/join", { joinWebUrl: meeting.joinWebUrl, kind, name });

// What the tenant's administrator has not granted.
import assert from "node:assert/strict";
import { RetryHandlerOptions } from "@microsoft/microsoft-graph-client";
import { control, event, freshClient, env, graph, host, refused } from "../harness.mjs";

const needs = [
  ["users", (client) => client.api("/users").get(), "User.Read.All", "Authorization_RequestDenied"],
  ["events read", (client) => client.api(`${host}/events`).get(), "Calendars.Read", "ErrorAccessDenied"],
  ["events written", (client) => client.api(`${host}/events`).post(event()), "Calendars.ReadWrite", "ErrorAccessDenied"],
  ["meetings", (client) => client.api(`${host}/onlineMeetings`).post({}), "OnlineMeetings.ReadWrite.All", "Forbidden"],
  ["calls", (client) => client.api("/communications/calls/none").get(), "Calls.AccessMedia.All", "7504"],
];

/** Runs with these permissions alone, by a client whose token is new. */
async function granted(permissions, run) {
  await control("PUT", "permissions", { granted: permissions });
  try {
    await run(freshClient());
  } finally {
    await control("PUT", "permissions", { granted: null });
  }
}

export const cases = [
  ...needs.map(([name, ask, , code]) => [
    `${name} without the permission`,
    () => granted(["VirtualAppointment.Read.All"], (client) => refused(ask(client), 403, code)),
  ]),
  ...needs.map(([name, ask, permission]) => [
    `${name} with ${permission} alone`,
    () =>
      granted([permission], async (client) => {
        const error = await ask(client).then(
          () => undefined,
          (error) => error,
        );
        assert.ok(error === undefined || error.statusCode === 404, String(error));
      }),
  ]),
  [
    "a user is given the access policy",
    async () => {
      const create = () => graph.api(`/users/${env.GRAPH_DENIED_USER}/onlineMeetings`).post({});
      await refused(create(), 403, "Forbidden");
      await control("PUT", "policies", { [env.GRAPH_DENIED_USER]: true });
      try {
        assert.ok((await create()).joinWebUrl);
      } finally {
        await control("PUT", "policies", { [env.GRAPH_DENIED_USER]: false });
      }
    },
  ],
  [
    "a limit that is enforced turns away, and nothing is lost",
    async () => {
      await control("PUT", "throttling", { enforced: true, scale: 0.0005 });
      try {
        for (let number = 0; number < 5; number++) await graph.api(`${host}/events`).get();
        // It would wait for minutes; told not to try again, it hands the answer on.
        const patient = new RetryHandlerOptions(undefined, 0);
        const { status, headers } = await graph.api(`${host}/events`).middlewareOptions([patient]).responseType("raw").get();
        assert.equal(status, 429);
        assert.ok(Number(headers.get("retry-after")) > 0);
      } finally {
        await control("PUT", "throttling", { enforced: false });
      }
    },
  ],
];

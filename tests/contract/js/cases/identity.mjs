// @azure/communication-identity against the simulator.
import assert from "node:assert/strict";
import { AzureCommunicationTokenCredential } from "@azure/communication-common";
import { acs, claims, identities, identitiesWith, key, newUser, plainIdentities, refused, signed } from "../acs.mjs";
import { advance, control, credential, env, reset } from "../harness.mjs";

const minute = 60_000;
const stranger = () => ({ communicationUserId: `8:acs:${acs.ACS_RESOURCE_ID}_00000000-0000-4000-8000-000000000000` });
const jwt = (body) => ["{}", JSON.stringify(body), "x"].map((part) => Buffer.from(part).toString("base64url")).join(".");
const later = () => Math.floor(Date.now() / 1000) + 3600;
const exchange = (teamsUserAadToken, clientId = "app", userObjectId = "user") => identities.getTokenForTeamsUser({ teamsUserAadToken, clientId, userObjectId });
const create = (more) => signed("POST", "/identities", more);
const denied = ({ status, body, headers }) => {
  assert.equal(status, 401, JSON.stringify(body));
  assert.equal(body.error.code, "Denied");
  assert.equal(headers.get("x-ms-error-code"), "Denied");
  assert.ok(body.error.message.length > 10);
};

const badRequests = [
  ["an unknown scope", { createTokenWithScopes: ["voice"] }, "createTokenWithScopes"],
  ["scopes that are no list", { createTokenWithScopes: "voip" }, "createTokenWithScopes"],
  ["59 minutes", { createTokenWithScopes: ["voip"], expiresInMinutes: 59 }, "expiresInMinutes"],
  ["1441 minutes", { createTokenWithScopes: ["voip"], expiresInMinutes: 1441 }, "expiresInMinutes"],
  ["half a minute", { createTokenWithScopes: ["voip"], expiresInMinutes: 60.5 }, "expiresInMinutes"],
  ["minutes as text", { createTokenWithScopes: ["voip"], expiresInMinutes: "60" }, "expiresInMinutes"],
  ["a list for a body", [], "body"],
];

const unsigned = [
  ["no authorization", { changed: { authorization: "" } }],
  ["another scheme", { changed: { authorization: "Basic eDp5" } }],
  ["a signature that is none", { changed: { authorization: "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=!" } }],
  ["the signature of nothing", { changed: { authorization: "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" } }],
  ["headers that are not all signed", { changed: { authorization: "HMAC-SHA256 SignedHeaders=host&Signature=AAAA" } }],
  ["another key", { with: Buffer.from("another key").toString("base64") }],
  ["another body than was signed", { body: "{}", changed: { "x-ms-content-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" } }],
  ["another date than was signed", { changed: { "x-ms-date": new Date(Date.now() + minute).toUTCString() } }],
  ["a date that is none", { changed: { "x-ms-date": new Date().toISOString() } }],
  ["a clock 16 minutes slow", { date: new Date(Date.now() - 16 * minute) }],
  ["a clock 16 minutes fast", { date: new Date(Date.now() + 16 * minute) }],
  ["a bearer token that is none", { changed: { authorization: "Bearer nonsense" } }],
];

export const cases = [
  [
    "a user is made over HTTPS and over plain HTTP",
    async () => {
      for (const client of [identities, plainIdentities]) {
        const { communicationUserId } = await client.createUser();
        assert.match(communicationUserId, new RegExp(`^8:acs:${acs.ACS_RESOURCE_ID}_[0-9a-f-]{36}$`));
      }
    },
  ],
  [
    "two users are two",
    async () => assert.notDeepEqual(await newUser(), await newUser()),
  ],
  [
    "a user with a token, whose claims say who and for what",
    async () => {
      const { user, token, expiresOn } = await identities.createUserAndToken(["voip", "chat"]);
      const said = await claims(token);
      assert.equal(`8:${said.skypeid}`, user.communicationUserId);
      assert.equal(said.resourceId, acs.ACS_RESOURCE_ID);
      assert.equal(said.acsScope, "voip,chat");
      assert.equal(said.exp * 1000, expiresOn.getTime());
      assert.ok(Math.abs(expiresOn - Date.now() - 1440 * minute) < minute, "a day");
    },
  ],
  ...["voip", "voip.join", "chat", "chat.join", "chat.join.limited"].map((scope) => [
    `a token for ${scope}`,
    async () => {
      const { token } = await identities.getToken(await newUser(), [scope]);
      assert.equal((await claims(token)).acsScope, scope);
    },
  ]),
  ...[60, 1440].map((minutes) => [
    `a token for ${minutes} minutes`,
    async () => {
      const { expiresOn } = await identities.getToken(await newUser(), ["voip"], { tokenExpiresInMinutes: minutes });
      assert.ok(Math.abs(expiresOn - Date.now() - minutes * minute) < minute);
    },
  ]),
  [
    "the client's own credential reads the token",
    async () => {
      const { token, expiresOn } = await identities.createUserAndToken(["voip"]);
      const read = await new AzureCommunicationTokenCredential(token).getToken();
      assert.equal(read.expiresOnTimestamp, expiresOn.getTime());
    },
  ],
  [
    "tokens are revoked as often as one likes",
    async () => {
      const user = await newUser();
      await identities.getToken(user, ["voip"]);
      await identities.revokeTokens(user);
      await identities.revokeTokens(user);
      assert.ok((await identities.getToken(user, ["voip"])).token);
    },
  ],
  [
    "a deleted user is gone",
    async () => {
      const user = await newUser();
      await identities.deleteUser(user);
      await refused(identities.getToken(user, ["voip"]), 404, "IdentityNotFound");
      await refused(identities.deleteUser(user), 404, "IdentityNotFound");
    },
  ],
  ...[
    ["issue", () => identities.getToken(stranger(), ["voip"])],
    ["revoke", () => identities.revokeTokens(stranger())],
    ["delete", () => identities.deleteUser(stranger())],
  ].map(([name, ask]) => [`${name} for an unknown user is 404`, () => refused(ask(), 404, "IdentityNotFound")]),
  [
    "a user of another resource is 403",
    () => refused(identities.deleteUser({ communicationUserId: "8:acs:00000000-0000-4000-8000-000000000000_x" }), 403, "Forbidden"),
  ],
  [
    "an id that is none is 404",
    () => refused(identities.deleteUser({ communicationUserId: "8:orgid:some/body else?" }), 404, "IdentityNotFound"),
  ],
  [
    "an empty body makes a user, and so does null for everything",
    async () => {
      for (const body of ["", "{}", '{"createTokenWithScopes":null,"expiresInMinutes":null}', '{"createTokenWithScopes":[]}']) {
        const made = await create({ body });
        assert.equal(made.status, 201, JSON.stringify(made.body));
        assert.equal(made.body.accessToken, undefined);
      }
    },
  ],
  ...badRequests.map(([name, body, target]) => [
    `${name} is 400 and names ${target}`,
    async () => {
      const answer = await create({ body: JSON.stringify(body) });
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      assert.equal(answer.body.error.target, target);
    },
  ]),
  [
    "issuing wants scopes",
    async () => {
      const { communicationUserId } = await newUser();
      for (const body of ["", "{}", '{"scopes":[]}', '{"scopes":null}']) {
        const answer = await signed("POST", `/identities/${encodeURIComponent(communicationUserId)}/:issueAccessToken`, { body });
        assert.equal(answer.status, 400, body);
        assert.equal(answer.body.error.target, "scopes");
      }
    },
  ],
  [
    "ids are read with and without percent encoding",
    async () => {
      const { communicationUserId: id } = await newUser();
      for (const written of [id, encodeURIComponent(id), id.replaceAll(":", "%3a")]) {
        const answer = await signed("POST", `/identities/${written}/:revokeAccessTokens`);
        assert.equal(answer.status, 204, written);
      }
    },
  ],
  ...unsigned.map(([name, changes]) => [`${name} is 401`, async () => denied(await create(changes))]),
  ...[-14, 14].map((minutes) => [
    `a clock ${minutes} minutes off is good enough`,
    async () => assert.equal((await create({ date: new Date(Date.now() + minutes * minute) })).status, 201),
  ]),
  [
    "a client with another key is refused",
    () => refused(identitiesWith({ key: Buffer.from("no").toString("base64") }).createUser(), 401, "Denied"),
  ],
  [
    "signatures are good when the simulator's clock was moved, and tokens are dated by it",
    async () => {
      const day = 24 * 60 * minute;
      await advance(3 * day);
      const { expiresOn } = await identities.createUserAndToken(["voip"]);
      await reset();
      assert.ok(Math.abs(expiresOn - Date.now() - 4 * day) < minute);
    },
  ],
  [
    "an Entra application may ask, with the scope of communication services only",
    async () => {
      assert.ok(await identitiesWith(credential()).createUser());
      const { token } = await credential().getToken("https://graph.microsoft.com/.default");
      denied(await create({ changed: { authorization: `Bearer ${token}` } }));
    },
  ],
  [
    "a Teams user's token is exchanged and ends when that one ends",
    async () => {
      const exp = later();
      const { token, expiresOn } = await exchange(jwt({ appid: "app", oid: "user", exp }));
      assert.equal(expiresOn.getTime(), exp * 1000);
      assert.equal((await claims(token)).skypeid, "orgid:user");
    },
  ],
  ["an exchange for another application is 400", () => refused(exchange(jwt({ appid: "other", oid: "user", exp: later() })), 400, "BadRequest")],
  ["an exchange for another user is 400", () => refused(exchange(jwt({ appid: "app", oid: "other", exp: later() })), 400, "BadRequest")],
  ["an exchange of an expired token is 401", () => refused(exchange(jwt({ appid: "app", oid: "user", exp: 1 })), 401, "Unauthorized")],
  ["an exchange of nonsense is 401", () => refused(exchange("nonsense"), 401, "Unauthorized")],
  [
    "an exchange of a forged token of this Entra is 401",
    () => refused(exchange(jwt({ iss: `${env.GRAPH_AUTHORITY}/${env.GRAPH_TENANT}/v2.0`, appid: "app", oid: "user", exp: later() })), 401, "Unauthorized"),
  ],
  ...[
    ["", "MissingApiVersionParameter"],
    ["api-version=2019-01-01", "UnsupportedApiVersion"],
    ["api-version=2035-01-01", "UnsupportedApiVersion"],
  ].map(([version, code]) => [
    `${version || "no version"} is ${code}`,
    async () => {
      const answer = await create({ version });
      assert.deepEqual([answer.status, answer.body.error.code], [400, code]);
    },
  ]),
  [
    "another method is 405 and says which are there",
    async () => {
      const answer = await signed("GET", "/identities");
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.get("allow"), "POST");
    },
  ],
  [
    "keys are published to anybody",
    async () => {
      const openid = await (await fetch(`${acs.ACS_ENDPOINT}/calling/.well-known/acsopenidconfiguration`)).json();
      assert.equal(openid.issuer, "https://acscallautomation.communication.azure.com");
      assert.equal(openid.jwks_uri, `${acs.ACS_ENDPOINT}/calling/keys`);
    },
  ],
  [
    "the connection string holds the key that signs, and the log no token",
    async () => {
      assert.equal(Buffer.from(key, "base64").length, 64);
      const { token } = await identities.createUserAndToken(["voip"]);
      assert.ok(!JSON.stringify(await control("GET", "requests")).includes(token.slice(0, 40)));
    },
  ],
];

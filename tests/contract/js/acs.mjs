// The official communication clients in both ways of reaching the simulator, and requests signed by hand for what no client sends.
import assert from "node:assert/strict";
import { createHash, createHmac, createPublicKey, verify } from "node:crypto";
import { CommunicationIdentityClient } from "@azure/communication-identity";
import { RoomsClient } from "@azure/communication-rooms";

export const acs = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("ACS_")));
export const key = acs.ACS_CONNECTION_STRING.split("accesskey=")[1];

// Nothing is tried again, so that a refusal is told at once.
const options = { retryOptions: { maxRetries: 0 } };
const insecure = { ...options, allowInsecureConnection: true };

export const identities = new CommunicationIdentityClient(acs.ACS_CONNECTION_STRING, options);
export const plainIdentities = new CommunicationIdentityClient(acs.ACS_ENDPOINT_HTTP, { key }, insecure);
export const rooms = new RoomsClient(acs.ACS_CONNECTION_STRING, options);
export const plainRooms = new RoomsClient(acs.ACS_ENDPOINT_HTTP, { key }, insecure);
export const identitiesWith = (credential) => new CommunicationIdentityClient(acs.ACS_ENDPOINT, credential, options);
export const roomsWith = (more) => new RoomsClient(acs.ACS_CONNECTION_STRING, { ...options, ...more });

export const newUser = () => identities.createUser();

/** The client's own error, with this status and code. */
export async function refused(promise, status, code) {
  const error = await promise.then(
    (value) => assert.fail(`expected ${status} ${code}, got ${JSON.stringify(value)}`),
    (error) => error,
  );
  assert.equal(error.statusCode, status, `${error.code}: ${error.message}`);
  assert.equal(error.code, code, error.message);
  return error;
}

/** All items of a paged list, and the sizes of its pages. */
export async function pages(list) {
  const all = [];
  for await (const page of list.byPage()) all.push(page);
  return { items: all.flat(), sizes: all.map((page) => page.length) };
}

/** A request signed by hand; each part can be made wrong. */
export async function signed(method, path, { body = "", date = new Date(), changed = {}, with: other = key, version = "api-version=2023-10-01" } = {}) {
  const url = new URL(`${acs.ACS_ENDPOINT}${path}${version ? `?${version}` : ""}`);
  const when = date.toUTCString();
  const hash = createHash("sha256").update(body).digest("base64");
  const text = `${method}\n${url.pathname}${url.search}\n${when};${url.host};${hash}`;
  const signature = createHmac("sha256", Buffer.from(other, "base64")).update(text).digest("base64");
  const headers = {
    "x-ms-date": when,
    "x-ms-content-sha256": hash,
    authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
    "content-type": "application/json",
    ...changed,
  };
  const answer = await fetch(url, { method, headers, body: body || undefined });
  const said = await answer.text();
  return { status: answer.status, headers: answer.headers, body: said ? JSON.parse(said) : undefined };
}

/** Claims of a token, after its signature was verified with the published key. */
export async function claims(token) {
  const openid = await (await fetch(`${acs.ACS_ENDPOINT}/calling/.well-known/acsopenidconfiguration`)).json();
  const { keys } = await (await fetch(openid.jwks_uri)).json();
  const [head, body, signature] = token.split(".");
  const { kid, alg } = JSON.parse(Buffer.from(head, "base64url"));
  assert.equal(alg, "RS256");
  const jwk = keys.find((one) => one.kid === kid);
  const good = verify("RSA-SHA256", Buffer.from(`${head}.${body}`), createPublicKey({ key: jwk, format: "jwk" }), Buffer.from(signature, "base64url"));
  assert.ok(good, "the published key verifies the token");
  return JSON.parse(Buffer.from(body, "base64url"));
}

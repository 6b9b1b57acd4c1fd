// @azure/identity against the simulated Entra.
import assert from "node:assert/strict";
import { credential, env } from "../harness.mjs";

const scope = "https://graph.microsoft.com/.default";

const wrong = [
  ["a wrong secret", { secret: "wrong" }, 7000215],
  ["an unknown application", { id: "9b2f0b5e-0000-4000-8000-000000000000" }, 700016],
];

export const cases = [
  [
    "a token comes and names tenant, application and permissions",
    async () => {
      const { token, expiresOnTimestamp } = await credential().getToken(scope);
      const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
      assert.equal(claims.tid, env.GRAPH_TENANT);
      assert.equal(claims.appid, env.GRAPH_CLIENT_ID);
      assert.ok(claims.roles.includes("OnlineMeetings.ReadWrite.All"));
      assert.ok(expiresOnTimestamp > Date.now());
    },
  ],
  [
    "the same credential answers from its cache",
    async () => {
      const one = credential();
      assert.equal((await one.getToken(scope)).token, (await one.getToken(scope)).token);
    },
  ],
  ...wrong.map(([name, changes, number]) => [
    `${name} is AADSTS${number}`,
    async () => {
      const error = await credential(changes).getToken(scope).then(
        () => assert.fail("a token came"),
        (error) => error,
      );
      assert.match(String(error), new RegExp(`AADSTS${number}: `));
    },
  ]),
  [
    "a scope without /.default is refused",
    async () => {
      const error = await credential().getToken("User.Read").then(
        () => assert.fail("a token came"),
        (error) => error,
      );
      assert.match(String(error), /AADSTS1002012: /);
    },
  ],
];

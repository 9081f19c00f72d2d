// P2.7: keys that are fetched, keys that are too short, whose tokens are taken and for whom.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { SignJWT } from "jose";
import { assertUndisturbed, besides } from "../support/bystanders.ts";
import { assertRefused, call } from "../support/http.ts";
import { type Server, startServer } from "../support/server.ts";
import { claims, rawToken, SIGNING_KEY } from "../support/token.ts";

const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const SET = JSON.stringify({
  keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: "es", alg: "ES256" }],
});

const servers: Server[] = [];
after(async () => {
  for (const server of servers) await server.stop();
});
const start = async (vars: Record<string, string | undefined>): Promise<Server> => {
  const server = await startServer({ vars });
  servers.push(server);
  return server;
};
const sign = (kid = "es"): Promise<string> =>
  new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid }).sign(pair.privateKey);

/** A place where keys are fetched, slowly; `answer` says what the nth request gets. */
async function keysAt(
  answer: (count: number) => string | undefined,
  use: (url: string, fetched: () => number) => Promise<void>,
): Promise<void> {
  let fetched = 0;
  const web = createServer((_, response) => {
    fetched += 1;
    const body = answer(fetched);
    // One that says nothing never answers.
    if (body !== undefined) setTimeout(() => response.end(body), 300);
  });
  await new Promise<void>((done) => web.listen(0, "127.0.0.1", done));
  try {
    await use(`http://127.0.0.1:${(web.address() as AddressInfo).port}/keys`, () => fetched);
  } finally {
    web.closeAllConnections();
    web.close();
  }
}

describe("keys", () => {
  test("P2.7 requests that come while keys are fetched wait for the one fetch", async () => {
    await keysAt(
      () => SET,
      async (url, fetched) => {
        const server = await start({ SESSILE_SIGNING_KEY: undefined, SESSILE_JWKS_URL: url });
        const token = await sign();
        const ask = () => call(server, "s", "GET", "/messages", { token });
        const answers = await Promise.all(Array.from({ length: 50 }, ask));
        assert.deepEqual(
          answers.map((answer) => answer.status),
          Array(50).fill(200),
        );
        assert.equal(fetched(), 1, "one request fetches for all of them");
        // A name that is not there is asked for once, and makes nobody else wait.
        const unknown = await sign("no");
        const strange = () => call(server, "s", "GET", "/messages", { token: unknown });
        for (const answer of await Promise.all(Array.from({ length: 20 }, strange))) {
          assertRefused(answer, 401, "unauthorized");
        }
        assert.equal(fetched(), 1, "the set was fetched just now");
      },
    );
  });

  test("P2.7 a fetch that hangs holds up nobody for long", async () => {
    await keysAt(
      (count) => (count === 1 ? undefined : SET),
      async (url) => {
        const server = await start({ SESSILE_SIGNING_KEY: undefined, SESSILE_JWKS_URL: url });
        const token = await sign();
        const first = call(server, "s", "GET", "/messages", { token });
        const rest = Array.from({ length: 10 }, () =>
          call(server, "s", "GET", "/messages", { token }),
        );
        for (const answer of await Promise.all(rest)) assert.equal(answer.status, 200);
        await first;
      },
    );
  });

  test("P2.7 a secret in a public set is taken from nobody", async () => {
    const secret = "a secret that everybody can read, longer than thirty-two bytes";
    const oct = {
      kty: "oct",
      kid: "oct",
      alg: "HS256",
      k: Buffer.from(secret).toString("base64url"),
    };
    const set = JSON.stringify({ keys: [...JSON.parse(SET).keys, oct] });
    await keysAt(
      () => set,
      async (url) => {
        const server = await start({ SESSILE_SIGNING_KEY: undefined, SESSILE_JWKS_URL: url });
        const token = rawToken({ alg: "HS256", kid: "oct" }, claims(), secret);
        const forged = await call(server, "s", "GET", "/messages", { token });
        assertRefused(forged, 401, "unauthorized");
        const good = await call(server, "s", "GET", "/messages", { token: await sign() });
        assert.equal(good.status, 200, "the others of the set are");
      },
    );
  });

  test("P2.7 tokens of keys that there are not cost others nothing, and few fetches", async () => {
    await keysAt(
      () => SET,
      async (url, fetched) => {
        const server = await start({ SESSILE_JWKS_URL: url });
        let asked = 0;
        const cost = await besides(server, "attacked", "other", async () => {
          const end = performance.now() + 2000;
          const loop = async (): Promise<void> => {
            for (; performance.now() < end; asked += 1) {
              const token = await sign(`no-${asked}`);
              const answer = await call(server, "attacked", "GET", "/messages", { token });
              assertRefused(answer, 401, "unauthorized");
            }
          };
          await Promise.all(Array.from({ length: 8 }, loop));
        });
        assert.ok(asked > 50, `${asked} were asked`);
        assert.ok(fetched() <= 3, `${fetched()} fetches`);
        assertUndisturbed(cost);
      },
    );
  });

  test("P2.7 a signing key that can be guessed is not-configured, by name", async () => {
    const key = "k".repeat(31);
    const server = await start({ SESSILE_SIGNING_KEY: key });
    const token = rawToken({ alg: "HS256" }, claims(), key);
    const error = assertRefused(
      await call(server, "s", "GET", "/messages", { token }),
      503,
      "not-configured",
    );
    assert.match(error.message, /SESSILE_SIGNING_KEY has 31 bytes/);
    assert.ok(!error.message.includes(key));
  });

  test("P2.7 issuer and audience are checked where they are set", async () => {
    const server = await start({ SESSILE_ISSUER: "https://us", SESSILE_AUDIENCE: "sessile" });
    const status = async (more: Record<string, unknown>): Promise<number> => {
      const token = rawToken({ alg: "HS256" }, { ...claims(), ...more }, SIGNING_KEY);
      return (await call(server, "s", "GET", "/messages", { token })).status;
    };
    const iss = "https://us";
    assert.equal(await status({ iss, aud: "sessile" }), 200);
    assert.equal(await status({ iss, aud: ["other", "sessile"] }), 200);
    assert.equal(await status({}), 401);
    assert.equal(await status({ iss }), 401);
    assert.equal(await status({ aud: "sessile" }), 401);
    assert.equal(await status({ iss: "https://them", aud: "sessile" }), 401);
    assert.equal(await status({ iss, aud: "other" }), 401);
  });

  test("P2.4 no answer is taken for another type than it says", async () => {
    const server = await start({});
    const paths = ["/v1/sessions/s/messages", "/v1/sessions/s/nothing", "/v1/", "/else"];
    for (const path of paths) {
      const answer = await fetch(`${server.url}${path}`);
      await answer.body?.cancel();
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff", path);
    }
  });
});

// P2.1, P2.7: whose token it is. The tokens are signed by Node's own cryptography.

import assert from "node:assert/strict";
import {
  constants,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
} from "node:crypto";
import { after, before, describe, test } from "node:test";
import { assertRefused, call } from "../support/http.ts";
import { type Server, startServer } from "../support/server.ts";
import { claims, SIGNING_KEY } from "../support/token.ts";

const SECRET = "a second shared key, longer than thirty-two bytes";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
const p521 = generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey;
const ed = generateKeyPairSync("ed25519").privateKey;

/** The signing key of each algorithm: a private key, or a shared secret. */
const KEYS: Record<string, KeyObject | string> = {
  HS256: SECRET,
  HS384: SECRET,
  HS512: SECRET,
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: p256,
  ES384: p384,
  ES512: p521,
  EdDSA: ed,
  Ed25519: ed,
};

function encode(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return Buffer.from(text).toString("base64url");
}

function signature(alg: string, key: KeyObject | string, text: string): Buffer {
  const hash = `sha${alg.slice(2)}`;
  if (typeof key === "string") return createHmac(hash, key).update(text).digest();
  const data = Buffer.from(text);
  if (alg.startsWith("Ed")) return sign(null, data, key);
  if (alg.startsWith("ES")) return sign(hash, data, { key, dsaEncoding: "ieee-p1363" });
  if (alg.startsWith("RS")) return sign(hash, data, key);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign(hash, data, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

interface Parts {
  header: Record<string, unknown>;
  payload?: unknown;
  key?: KeyObject | string;
}

/** A token whose header and payload are as they are given, signed as the header says. */
function token({ header, payload = claims(), key }: Parts): string {
  const text = `${encode(header)}.${encode(payload)}`;
  const alg = String(header.alg);
  return `${text}.${signature(alg, key ?? KEYS[alg] ?? SECRET, text).toString("base64url")}`;
}

function jwk(alg: string, kid = alg): JsonWebKey & { kid: string } {
  const key = KEYS[alg];
  const form =
    typeof key === "string" || key === undefined
      ? { kty: "oct", k: encode(SECRET) }
      : createPublicKey(key).export({ format: "jwk" });
  return { ...form, alg, kid };
}

const servers: Server[] = [];
const start = async (keys: unknown[]): Promise<Server> => {
  const server = await startServer({ vars: { SESSILE_KEYS: JSON.stringify({ keys }) } });
  servers.push(server);
  return server;
};
after(async () => {
  for (const server of servers) await server.stop();
});

describe("tokens", () => {
  let server: Server;
  before(async () => {
    server = await start(Object.keys(KEYS).map((alg) => jwk(alg)));
  });
  const ask = (bearer: string) => call(server, "s", "GET", "/messages", { token: bearer });
  const refused = async (bearer: string, wrong: string): Promise<void> => {
    const error = assertRefused(await ask(bearer), 401, "unauthorized");
    assert.ok(error.message.includes(wrong), `${error.message}, not: ${wrong}`);
  };

  for (const alg of Object.keys(KEYS)) {
    test(`P2.1 ${alg}: what the key signed is taken, and nothing else`, async () => {
      const header = { alg, kid: alg };
      const good = token({ header });
      assert.equal((await ask(good)).status, 200);

      const stranger = `the token's signature is not by the key "${alg}"`;
      const [head, body, signed] = good.split(".");
      const bytes = Buffer.from(signed ?? "", "base64url");
      bytes[7] = (bytes[7] ?? 0) ^ 1;
      await refused(`${head}.${body}.${bytes.toString("base64url")}`, stranger);
      await refused(`${head}.${encode(claims({ sub: "mallory" }))}.${signed}`, stranger);
      for (const broken of ["", "AA", "A".repeat(86), "A".repeat(342)]) {
        await refused(`${head}.${body}.${broken}`, stranger);
      }
      // The same key under the name of another algorithm.
      const other = alg.startsWith("HS") ? "RS256" : "HS256";
      const confused = token({ header: { alg: other, kid: alg } });
      await refused(confused, `the token's alg is "${other}", but the key "${alg}" is for ${alg}`);
    });
  }

  test("P2.1 a public key is not a secret, and none is no algorithm", async () => {
    const pem = createPublicKey(rsa).export({ type: "spki", format: "pem" }).toString();
    for (const key of [pem, JSON.stringify(jwk("RS256")), String(jwk("RS256").n)]) {
      await refused(token({ header: { alg: "HS256", kid: "RS256" }, key }), "is for RS256");
    }
    for (const alg of ["none", "None", "nOnE", ""]) {
      const text = `${encode({ alg, kid: "HS256" })}.${encode(claims())}`;
      for (const signed of ["", "AA"]) await refused(`${text}.${signed}`, "is for HS256");
    }
    await refused(token({ header: { alg: "HS256", kid: "HS384" } }), "is for HS384");
  });

  test("P2.1 two names of one algorithm", async () => {
    assert.equal((await ask(token({ header: { alg: "Ed25519", kid: "EdDSA" } }))).status, 200);
    assert.equal((await ask(token({ header: { alg: "EdDSA", kid: "Ed25519" } }))).status, 200);
  });

  test("P2.1 what is no JWT is refused", async () => {
    const good = token({ header: { alg: "HS256", kid: "HS256" } });
    const malformed = "the token is not a JWT";
    for (const text of ["nonsense", "a.b", "a.b.c.d.e", `${good}.x`, `x.${good}`, "!.e30.AA"]) {
      await refused(text, malformed);
    }
    const header = encode({ alg: "HS256", kid: "HS256" });
    const binary = Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url");
    const signed = signature("HS256", SECRET, `${header}.${binary}`).toString("base64url");
    await refused(`${header}.${binary}.${signed}`, malformed);
    await refused(
      token({ header: { alg: "HS256", kid: "HS256", crit: ["b64"], b64: false } }),
      "has crit, which is not supported",
    );
    await refused(token({ header: { alg: "HS256", kid: "HS256" }, payload: "[]" }), "claims");
  });

  test("P2.7 the signing key goes on beside them", async () => {
    assert.equal((await ask(token({ header: { alg: "HS256" }, key: SIGNING_KEY }))).status, 200);
    await refused(token({ header: { alg: "HS256" } }), "is not by the signing key");
  });
});

describe("keys", () => {
  const wrong: [string, Record<string, unknown>][] = [
    ["a point that is not on the curve", { ...jwk("ES256", "bad"), y: "A".repeat(43) }],
    ["a coordinate that is too short", { ...jwk("ES256", "bad"), x: "AQ" }],
    ["an Ed25519 key of two bytes", { ...jwk("EdDSA", "bad"), x: "AQ" }],
    ["an RSA key of 1024 bits", { ...jwk("RS256", "bad"), n: String(jwk("RS256").n).slice(171) }],
  ];
  for (const [what, key] of wrong) {
    test(`P2.7 ${what} is refused by name, and with it everything`, async () => {
      const server = await start([key]);
      const answer = await call(server, "s", "GET", "/messages");
      const { message } = assertRefused(answer, 503, "not-configured");
      assert.match(message, /the key "?bad"? cannot be used/);
    });
  }

  test("P2.7 padding and a private part do no harm", async () => {
    const key = jwk("RS256");
    const server = await start([{ ...key, n: `${key.n}==`, d: "AQAB" }]);
    const bearer = token({ header: { alg: "RS256", kid: "RS256" } });
    assert.equal((await call(server, "s", "GET", "/messages", { token: bearer })).status, 200);
  });
});

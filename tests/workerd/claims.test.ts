// P2.9: capabilities from the claims of an identity provider's plain tokens.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useServer } from "../support/fixture.ts";
import { assertRefused, call } from "../support/http.ts";
import { startServer } from "../support/server.ts";
import { makeToken } from "../support/token.ts";

interface Claims {
  map(rules: string, claims: string, keepsName: boolean): string;
  sample(rules: string, index: number): string | undefined;
}

const module = new URL("../../src/cloudflare/platform/claims.js", import.meta.url).href;
const { map, sample }: Claims = await import(module);

const RULES = [
  { claim: "role", equals: "admin", caps: { "*": ["admin"] } },
  { claim: "groups", has: "support", caps: { "support-*": ["supervisor"] } },
  { claim: ["realm_access", "roles"], has: "watcher", caps: { "*": ["read"] } },
  { claim: "scope", has: "chat:write", caps: { public: ["user"] } },
  { claim: "email_verified", equals: true, caps: { verified: ["viewer"] } },
  { caps: { "user:{sub}:*": ["user"], "team-{team}-{sub}": ["viewer"] } },
];

const mapped = (claims: object, keepsName = true, rules: unknown = RULES) =>
  JSON.parse(map(JSON.stringify(rules), JSON.stringify({ sub: "ada", ...claims }), keepsName));
const caps = (claims: object) => mapped(claims).caps as Record<string, string[]>;

describe("claims of identity providers", () => {
  test("P2.9 a token without caps has those of every rule that it meets", () => {
    assert.deepEqual(caps({}), { "user:ada:*": ["user"] });
    const some = {
      role: "authenticated",
      groups: ["sales", "support"],
      team: 7,
      realm_access: { roles: ["watcher"] },
      scope: "openid chat:write",
      email_verified: true,
    };
    assert.deepEqual(caps(some), {
      "support-*": ["supervisor"],
      "*": ["read"],
      public: ["user"],
      verified: ["viewer"],
      "user:ada:*": ["user"],
      "team-7-ada": ["viewer"],
    });
    assert.deepEqual(caps({ role: "admin" })["*"], ["admin"]);
    const both = { role: "admin", realm_access: { roles: ["watcher"] } };
    assert.deepEqual(caps(both)["*"], ["admin", "read"]);
    for (const role of [["admin"], "admin ", { admin: 1 }, null]) {
      assert.equal(caps({ role })["*"], undefined, JSON.stringify(role));
    }
    assert.equal(mapped({ role: "agent" }).role, undefined);
    assert.equal(mapped({ name: "Ada" }).name, "Ada");
    assert.equal(mapped({ name: "Ada" }, false).name, undefined);
  });

  test("P2.9 a token keeps its own caps", () => {
    for (const own of [{ a: ["read"] }, {}, null, 7]) {
      const token = { sub: "ada", role: "agent", caps: own };
      assert.deepEqual(mapped(token), token);
    }
  });

  test("P2.9 no value of a claim reaches beyond its own sessions", () => {
    const pattern = (sub: string) => Object.keys(caps({ sub }))[0];
    for (const [sub, id] of [
      ["*", "~2A"],
      ["a:b", "a~3Ab"],
      ["a~3Ab", "a~7E3Ab"],
      ["auth0|7-f", "auth0~7C7-f"],
      ["zoë", "zo~C3~AB"],
      ["a$&b$1", "a~24~26b~241"],
    ] as const) {
      assert.equal(pattern(sub), `user:${id}:*`);
    }
    assert.equal(pattern("é".repeat(60)), undefined);
    for (const team of ["", -1, 1.5, null, ["x"], {}, true]) {
      assert.equal(Object.keys(caps({ team })).length, 1, JSON.stringify(team));
    }
    assert.ok("team-x~2Dy-ada" in caps({ team: "x-y" }));
    // Nothing that objects inherit is a claim.
    const inherited = [{ caps: { "a-{constructor}": ["user"], "b-{__proto__}": ["user"] } }];
    assert.deepEqual(mapped({}, true, inherited).caps, {});
  });

  test("P2.9 rules that mean nothing are refused by name", () => {
    const good = { "*": ["user"] };
    const place = "is followed by one of";
    const wrong: [unknown, string][] = [
      [{}, "is not a list"],
      [[7], "the rule [0] is no object"],
      [[{}], "the rule [0] has no caps"],
      [[{ claim: "role", caps: good }], "needs a claim"],
      [[{ equals: 1, caps: good }], "needs a claim"],
      [[{ claim: [], has: "x", caps: good }], "needs a claim"],
      [[{ claim: "a", equals: [], caps: good }], "needs a claim"],
      [[{ claim: "a", equals: 1, has: "x", caps: good }], "needs a claim"],
      [[{ claim: "a", has: 1, caps: good }], "needs a claim"],
      [[{ caps: good }, { caps: good, cap: good }], 'the rule [1] has the unknown field "cap"'],
      [[{ caps: { "*": "user" } }], 'no list of words for "*"'],
      [[{ caps: { "user-{sub}*": ["user"] } }], place],
      [[{ caps: { "user-{sub}x": ["user"] } }], place],
      [[{ caps: { "{sub}{sub}": ["user"] } }], place],
      [[{ caps: { "user-{sub": ["user"] } }], place],
      [[{ caps: { "user-sub}": ["user"] } }], place],
      [[{ caps: { "user-{}": ["user"] } }], place],
      [Array.from({ length: 101 }, () => ({ caps: good })), "more than 100 rules"],
    ];
    for (const [rules, sentence] of wrong) {
      assert.throws(
        () => sample(JSON.stringify(rules), 0),
        (error: Error) => error.message.includes(sentence),
        `${JSON.stringify(rules)}: ${sentence}`,
      );
    }
    assert.throws(() => sample("[", 0), /is not a list/);
    assert.equal(sample(JSON.stringify(RULES), RULES.length), undefined);
  });
});

describe("a deployment with SESSILE_CLAIMS", () => {
  const fixture = useServer({ vars: { SESSILE_CLAIMS: JSON.stringify(RULES) } });

  test("P2.9 a plain token may do what its claims are worth, and no more", async () => {
    const plain = (claims: object) =>
      makeToken({ sub: "ada", claims: { ...claims, caps: undefined } });
    const read = async (session: string, claims: object = {}) =>
      call(fixture.server, session, "GET", "/messages", { token: await plain(claims) });
    assert.equal((await read("user:ada:1")).status, 200);
    assertRefused(await read("user:ben:1"), 403, "forbidden");
    assert.equal((await read("user:ben:1", { role: "admin", name: "A\u202eda" })).status, 200);
  });

  test("P2.9 words and patterns that mean nothing are refused by their rule", async () => {
    for (const [caps, sentence] of [
      [{ "*": ["wizard"] }, "wizard"],
      [{ "a*b": ["user"] }, "matches no session"],
    ] as const) {
      const rules = JSON.stringify([{ caps: { "*": ["user"] } }, { caps }]);
      const server = await startServer({ vars: { SESSILE_CLAIMS: rules } });
      try {
        const answer = await call(server, "s", "GET", "/messages", { sub: "ada" });
        assertRefused(answer, 503, "not-configured");
        assert.ok(answer.text.includes("the rule [1]"), answer.text);
        assert.ok(answer.text.includes(sentence), answer.text);
      } finally {
        await server.stop();
      }
    }
  });
});

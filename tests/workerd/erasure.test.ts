// P11.10: after the erasure of a client, its bytes are in no file that the deployment keeps.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { type Answer, assertRefused, call, field } from "../support/http.ts";
import { subscribe, vapidKey } from "../support/push.ts";
import { Random } from "../support/random.ts";
import { makeToken } from "../support/token.ts";
import { sleep, until } from "../support/wait.ts";

const ENDPOINT = "https://push.example/adas-own-endpoint";
const fixture = useServer({
  files: true,
  vars: {
    SESSILE_VAPID_KEY: vapidKey().scalar,
    SESSILE_VAPID_SUBJECT: "mailto:ops@example.com",
  },
});

const owner = { sub: "owner" };
const erase = (client: string, options = {}): Promise<Answer> =>
  call(fixture.server, "", "DELETE", `/v1/clients/${client}`, { ...owner, ...options });
const report = (client: string, options = {}): Promise<Answer> =>
  call(fixture.server, "", "GET", `/v1/clients/${client}/erasure`, { ...owner, ...options });

/**
 * The files of objects that have a word in them. The runtime keeps its alarms in others, and the
 * stand-in for R2 its objects: those are judged by their keys.
 */
function filesWith(word: string): string[] {
  const files = readdirSync(join(fixture.server.dir, "store"), {
    recursive: true,
    withFileTypes: true,
  }).filter((file) => file.isFile() && !file.name.startsWith("metadata."));
  return files
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => !path.includes("sessile-Bucket"))
    .filter((path) => readFileSync(path).includes(word));
}

async function ended(client: string): Promise<void> {
  await until(
    async () => field(await report(client).catch(() => ({ body: {} }) as Answer), "state"),
    (state) => state === "done",
    "the erasure ends",
    90_000,
  );
}

async function fill(words: { who: string; said: string; mine: string; shared: string }) {
  const { server } = fixture;
  const { who, said, mine, shared } = words;
  const ada = { token: await makeToken({ sub: who, caps: { "*": ["user", "push"] } }) };
  const device = subscribe(ENDPOINT);
  const json = { web: device.subscription };
  const put = await call(server, "", "PUT", "/v1/push/devices/phone", { ...ada, json });
  assert.equal(put.status, 200, put.text);
  const bot = { sub: "bot", caps: { "*": ["agent"] } };
  for (const session of [mine, shared]) {
    const at = await attach(server, session, ada);
    const title = { settings: { title: `${said} title` } };
    assert.equal((await call(server, session, "PATCH", "", { ...owner, json: title })).status, 200);
    await at.client.publish(`${said} one`);
    const long = { data: `${said} ${"long ".repeat(3000)}` };
    assert.equal(
      (await call(server, session, "POST", "/messages", { ...ada, json: long })).status,
      201,
    );
    const file = { body: `${said} in a file`, type: "text/plain" };
    const query = `/files?name=${encodeURIComponent(`${said}.txt`)}`;
    const put = await call(server, session, "POST", query, { ...ada, ...file });
    assert.equal(put.status, 201, put.text);
    const asked = {
      id: `a-${session}`,
      title: `${said} may it?`,
      assignees: ["role:supervisor", "ben"],
    };
    const made = await call(server, session, "POST", "/approvals", { ...bot, json: asked });
    assert.equal(made.status, 201, made.text);
    await at.client.close();
  }
  const ben = await attach(server, shared, { sub: "ben" });
  await ben.client.publish("ben was here");
  await ben.client.close();
}

const inboxOf = (who: string, role?: string) =>
  call(
    fixture.server,
    "",
    "GET",
    role === undefined ? "/v1/sessions" : `/v1/approvals?role=${role}`,
    {
      sub: who,
      ...(role === undefined ? {} : { role, caps: { "*": [role] } }),
    },
  );

describe("erasure", () => {
  test("P11.10 nothing of the client is in any file, and what is of others stays", async () => {
    const { server } = fixture;
    const [mine, shared, others] = ["mine-7", "shared-7", "others-7"];
    const [forked, imported] = ["forked-7", "imported-7"];
    const words = { who: "ada-of-london", said: "geheimnisvoll", mine, shared };
    await fill(words);
    const ben = await attach(server, others, { sub: "ben" });
    await ben.client.publish("bens own");
    await ben.client.close();
    await until(
      async () => (await inboxOf("ben")).text + (await inboxOf("sue", "supervisor")).text,
      (text) => text.includes(`a-${mine}`) && text.includes(others) && text.includes(shared),
      "inboxes know of it",
    );
    // Copies that others made have its words, too.
    const bens = { sub: "ben", caps: { "*": ["read", "turn"] } };
    const fork = await call(server, shared, "POST", "/fork", { ...bens, json: { to: forked } });
    assert.equal(fork.status, 200, fork.text);
    const body = (await call(server, shared, "GET", "/export", owner)).text;
    const put = await call(server, imported, "PUT", "/import", { ...owner, body });
    assert.equal(put.status, 200, put.text);
    const found = await call(server, mine, "GET", `/search?q=${words.said}`, owner);
    assert.match(found.text, new RegExp(words.said));
    assert.notEqual(filesWith(words.said).length, 0);
    assert.equal((await server.keys()).length, 2);
    await until(
      async () => field(await report(words.who), "sessions"),
      (sessions) => sessions === 4,
      "its inbox knows all of them",
    );
    const begun = await erase(words.who);
    assert.equal(begun.status, 202, begun.text);
    await ended(words.who);
    const { deleted } = (await report(words.who)).body as { deleted: number };
    assert.equal(deleted, 4);
    for (const session of [mine, shared, forked, imported]) {
      const left = await call(server, session, "GET", "/messages", owner);
      assert.deepEqual(field(left, "messages"), []);
    }
    const kept = await call(server, others, "GET", "/messages", owner);
    assert.match(kept.text, /bens own/);
    const old = await makeToken({ sub: words.who, claims: { iat: Date.now() / 1000 - 60 } });
    assertRefused(
      await call(server, mine, "GET", "/messages", { token: old }),
      401,
      "unauthorized",
    );
    await until(
      () => server.keys(),
      (keys) => keys.length === 0,
      "an empty bucket",
    );
    const gone = async () => {
      const objects = [
        "client:ben",
        "role:supervisor",
        "role:agent",
        "role:user",
        `client:${words.who}`,
      ];
      for (const name of [...objects, "client:bot", "client:owner"])
        await server.evict(name, "inbox");
      const sessions = [mine, shared, forked, imported];
      for (const name of sessions) await server.evict(name);
      return [words.said, ENDPOINT, ...sessions].flatMap(filesWith);
    };
    await until(gone, (files) => files.length === 0, "the bytes are gone", 60_000);
    // The revocation names the client, as long as a token may be valid.
    await server.evict("revocations", "inbox");
    assert.deepEqual(filesWith(words.who).length, 1);
    const inbox = await inboxOf("ben");
    assert.match(inbox.text, /others-7/);
    assert.doesNotMatch(inbox.text, /shared-7/);
    assert.notEqual(filesWith("bens own").length, 0);
    // A token that is issued now begins anew.
    const fresh = await makeToken({ sub: words.who, claims: { iat: Date.now() / 1000 + 1 } });
    const again = await connect(server, mine, { token: fresh });
    await again.publish("a new life");
    await again.close();
  });

  test("P11.10 it goes on after any kill", async () => {
    const { server } = fixture;
    const random = new Random();
    const sessions = Array.from({ length: 30 }, (_, number) => `killed-${number}`);
    for (const session of sessions) {
      const json = { data: "verschwindet" };
      const made = await call(server, session, "POST", "/messages", { sub: "kim", json });
      assert.equal(made.status, 201, made.text);
    }
    await until(
      async () => field(await report("kim"), "sessions"),
      (count) => count === sessions.length,
      "the inbox knows all sessions",
    );
    assert.equal((await erase("kim")).status, 202);
    for (let round = 0; round < 4; round += 1) {
      await sleep(random.between(0, 300));
      await server.restart();
    }
    assert.ok([200, 202].includes((await erase("kim")).status), "asked again, it goes on");
    await ended("kim");
    assert.equal(field(await report("kim"), "sessions"), 0);
    for (const session of sessions) await server.evict(session);
    await until(
      async () => {
        for (const session of sessions) await server.evict(session);
        return filesWith("verschwindet");
      },
      (files) => files.length === 0,
      "the bytes are gone",
      60_000,
    );
  });

  test("P11.10 only an administrator of every session erases", async () => {
    const caps = { "a*": ["admin"] };
    assertRefused(await erase("ada", { caps }), 403, "forbidden");
    assertRefused(await report("ada", { caps }), 403, "forbidden");
    assertRefused(await erase("role:user"), 400, "invalid-frame");
    assert.equal(field(await report("nobody"), "state"), "none");
  });
});

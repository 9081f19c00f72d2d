// On Node 20, which has no WebSocket: what the SDK says, and what works.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { useServer } from "../../../tests/support/fixture.ts";
import { call } from "../../../tests/support/http.ts";
import { makeToken } from "../../../tests/support/token.ts";

const fixture = useServer();

/** A Node 20 of this machine. */
function findNode20(): string | undefined {
  const places = (process.env.PATH ?? "").split(delimiter).map((at) => join(at, "node"));
  return places.find((node) => {
    if (!existsSync(node)) return false;
    const version = execFileSync(node, ["--version"], { encoding: "utf8" });
    return version.startsWith("v20.");
  });
}

const SCRIPT = `
import { createAgentSession, createSession, overFetch } from "./sdk.mjs";
const { url, session, token } = JSON.parse(process.env.OPTIONS);
const page = createSession({ url, session, token });
const error = await page.connect().catch((error) => error);
const weak = createAgentSession({ url, session, token });
const refused = await weak.startTurn().catch((error) => error);
const agent = createAgentSession({ url, session, token, link: overFetch });
const turn = await agent.answer({}, (turn) => turn.stream(["from ", "Node 20 \\ud83e"]));
await agent[Symbol.asyncDispose]();
console.log(JSON.stringify([error.message, refused.message, turn.status]));
`;

const node20 = findNode20();

test("Node 20: pages are told what they lack, agents answer over fetch", {
  skip: node20 === undefined && "there is no Node 20 here",
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "sessile-node20-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const source = fileURLToPath(new URL("../../src/", import.meta.url));
  const contents = `
    export { createSession } from "./index.ts";
    export { createAgentSession, overFetch } from "./agent/index.ts";
  `;
  const outfile = join(directory, "sdk.mjs");
  const stdin = { contents, resolveDir: source };
  await build({ stdin, bundle: true, format: "esm", target: "es2022", outfile });
  const session = fixture.session();
  const { url } = fixture.server;
  const OPTIONS = JSON.stringify({ url, session, token: await makeToken({ sub: "agent" }) });
  const script = join(directory, "script.mjs");
  writeFileSync(script, SCRIPT);
  const env = { ...process.env, OPTIONS };
  const { stdout } = await promisify(execFile)(node20 ?? "", [script], { env, timeout: 30_000 });
  const [page, agent, status] = JSON.parse(stdout);
  assert.match(page, /no WebSocket: use Node 22/);
  assert.match(agent, /link: overFetch/);
  assert.equal(status, "complete");
  const { body } = await call(fixture.server, session, "GET", "/messages");
  const [message] = (body as { messages: { data: unknown }[] }).messages;
  assert.equal(message?.data, "from Node 20 \ufffd");
});

// An agent on the oldest Node that the README names, if that is the one that npm was started with.

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { join as path } from "node:path";
import { before, describe, test } from "node:test";
import { build } from "esbuild";
import { connect } from "../../../../tests/support/client.ts";
import { useServer } from "../../../../tests/support/fixture.ts";
import { ROOT } from "../../../../tests/support/server.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { within } from "../../../../tests/support/wait.ts";
import { contents } from "./agent.ts";

const fixture = useServer();
/** The Node that runs the scripts, where the tests have a newer one. */
const NODE = process.env.SESSILE_NODE ?? process.execPath;

const AGENT = `
import { createAgentSession, overFetch } from "./sdk/src/agent/index.ts";

const { URL: url, SESSION: session, TOKEN: token, LINK } = process.env;
const agent = createAgentSession({
  url,
  session,
  token,
  ...(LINK === "fetch" && { link: overFetch }),
  onStatus: ({ state }) => process.send(state),
  onInput: async (_, start) => {
    await agent.answer(start, (turn) => turn.stream(["an ", "answer"]));
    agent.close();
    process.disconnect();
  },
});
`;

describe("an agent on the Node of the README", () => {
  let file = "";
  before(async () => {
    file = path(fixture.server.dir, "agent.mjs");
    const stdin = { contents: AGENT, resolveDir: ROOT };
    // As somebody's own build would, without newer syntax; newer calls stay what they are.
    const as = { bundle: true, format: "esm", platform: "node", target: "node20" } as const;
    await build({ stdin, ...as, outfile: file });
  });

  for (const LINK of ["fetch", "a WebSocket"]) {
    test(`answers over ${LINK}`, async (t) => {
      const session = fixture.session();
      const user = await connect(fixture.server, session, { sub: "alice" });
      const TOKEN = await makeToken({ sub: "agent", caps: { "*": ["agent"] } });
      const env = { ...process.env, URL: fixture.server.url, SESSION: session, TOKEN, LINK };
      // Node 20 has a WebSocket, and hides it.
      const flags = NODE === process.execPath ? [] : ["--experimental-websocket"];
      const child = fork(file, { execPath: NODE, execArgv: flags, env, silent: true });
      t.after(() => child.kill("SIGKILL"));
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (text) => (said += text));
      const joined = new Promise<void>((done, fail) => {
        child.on("message", (state) => state === "connected" && done());
        child.once("exit", (code) => fail(new Error(`it ended with ${code}: ${said}`)));
      });
      await within(joined, "the agent to join");
      const gone = new Promise((done) => child.once("exit", done));
      await user.publish("Hello?");
      assert.equal(await within(gone, "the agent to answer and go"), 0, said);
      assert.deepEqual((await contents(fixture.server, session)).at(-1), ["message", "an answer"]);
      await user.close();
    });
  }
});

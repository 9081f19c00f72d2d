// P11.7: files by the SDK, and values of an agent that no message holds.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useServer } from "../../../tests/support/fixture.ts";
import { getHistory } from "../../../tests/support/http.ts";
import { makeToken } from "../../../tests/support/token.ts";
import { createAgentSession } from "../../src/agent/index.ts";
import { type FilePart, fileOf, filePart, freshFiles, uploadFile } from "../../src/files/index.ts";
import { createSession, SessileError } from "../../src/index.ts";

const vars = { SESSILE_WEBHOOK_SECRETS: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
const ROW = "SELECT * FROM message WHERE name='tool-output'";
const fixture = useServer({ files: true, vars });
const bare = useServer();

async function agentOf({ server }: typeof fixture, session: string) {
  const token = await makeToken({ sub: "agent", caps: { "*": ["agent"] } });
  return createAgentSession({ url: server.url, session, token });
}

async function pageOf({ server }: typeof fixture, session: string, sub: string) {
  const token = await makeToken({ sub, caps: { "*": ["user"] } });
  return createSession({ url: server.url, session, token });
}

describe("files by the SDK", () => {
  test("P11.7 go up from a page, and are read by another", async () => {
    const session = fixture.session();
    const ann = await pageOf(fixture, session, "ann");
    const blob = new Blob(["a,b\n1,2"], { type: "text/csv" });
    const file = await uploadFile(ann, blob, { name: "table.csv", id: "u1" });
    assert.deepEqual([file.name, file.type, file.bytes], ["table.csv", "text/csv", 7]);
    assert.equal((await uploadFile(ann, blob, { id: "u1" })).id, file.id);
    const bob = await pageOf(fixture, session, "bob");
    const { url } = await fileOf(bob, file.id);
    assert.equal(await (await fetch(url)).text(), "a,b\n1,2");
    await assert.rejects(fileOf(bob, "none"), (error) => {
      return error instanceof SessileError && error.code === "not-found";
    });
    for (const page of [ann, bob]) page.close();
  });

  test("P11.7 are parts of the AI SDK's messages, whose addresses are renewed", async () => {
    const session = fixture.session();
    const ann = await pageOf(fixture, session, "ann");
    const part = await filePart(ann, new Blob(["hello"], { type: "text/plain" }), {
      name: "a.txt",
    });
    const { url, providerMetadata, ...form } = part;
    assert.deepEqual(form, { type: "file", mediaType: "text/plain", filename: "a.txt" });
    const parts = [
      { type: "text", text: "Look." },
      { ...part, url: "https://expired.example/" },
      { ...part, url: "https://gone.example/", providerMetadata: { sessile: { file: "none" } } },
      { type: "file", mediaType: "image/png", url: "https://elsewhere.example/a.png" },
    ];
    const [fresh] = await freshFiles(ann, [{ id: "m1", role: "user", parts }]);
    const [text, own, gone, other] = fresh?.parts ?? [];
    assert.deepEqual([text, gone, other], [parts[0], parts[2], parts[3]]);
    assert.equal(await (await fetch(String((own as FilePart).url))).text(), "hello");
    assert.deepEqual((own as FilePart).providerMetadata, providerMetadata);
    assert.equal(await (await fetch(url)).text(), "hello");
    ann.close();
  });

  test("P11.7 a result of 20 MB becomes a file, which its message names", async () => {
    const session = fixture.session();
    const agent = await agentOf(fixture, session);
    const output = { rows: "x".repeat(20 * 1024 * 1024) };
    await agent.answer({}, async (turn) => {
      const before = turn.message("before");
      const large = turn.message(output, { name: "tool-output" });
      await Promise.all([before, large]);
      await turn.message("after");
    });
    const messages = await getHistory(fixture.server, session);
    assert.deepEqual(
      messages.map(({ name }) => name),
      ["message", "tool-output", "message"],
    );
    const data = messages[1]?.data as { file: { id: string; type: string; bytes: number } };
    assert.equal(data.file.type, "application/json");
    assert.equal(data.file.bytes, JSON.stringify(output).length);
    const [row] = await fixture.server.query(session, ROW);
    assert.ok(row, "the message has a row");
    assert.ok(JSON.stringify(row).length < 1024, "the row is short");
    for (const sub of ["ann", "bob"]) {
      const page = await pageOf(fixture, session, sub);
      const { url } = await fileOf(page, data.file.id);
      assert.deepEqual(await (await fetch(url)).json(), output);
      page.close();
    }
    agent.close();
  });

  test("P11.7 a result that is too large is left out where there is no bucket", async () => {
    const session = bare.session();
    const agent = await agentOf(bare, session);
    await agent.answer({}, (turn) => turn.message({ rows: "x".repeat(2 * 1024 * 1024) }));
    const [message] = await getHistory(bare.server, session);
    assert.equal(message?.data, null);
    assert.match(message?.headers?.omitted ?? "", /characters/);
    agent.close();
  });
});

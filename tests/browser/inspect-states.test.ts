// Every state of the inspector: what it says, that axe finds nothing serious in it, in light and in
// dark, and that it fits a phone. And a long log.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BrowserContextOptions, Page } from "playwright-core";
import { assertAccessible } from "../support/axe.ts";
import { type Client, connect } from "../support/client.ts";
import { assertNotTooWide } from "../support/fit.ts";
import { finding, oneLine, part, rows, useInspector } from "../support/inspector.ts";
import { makeToken } from "../support/token.ts";
import { agent, answer, end, settings, start, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const inspectors = useInspector({
  vars: {
    SESSILE_LOCAL_TARGETS: "1",
    SESSILE_WEBHOOK_SECRETS: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
  },
});

const LOOKS: Record<string, BrowserContextOptions> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  "a phone": { colorScheme: "light", viewport: { width: 390, height: 844 } },
  "a phone in the dark": { colorScheme: "dark", viewport: { width: 390, height: 844 } },
};

/** A page must be so in every state. */
async function assertFit(page: Page, state: string): Promise<void> {
  await assertAccessible(page, state);
  await assertNotTooWide(page, state);
}

let count = 0;

/** A session with something of everything: failures, waiting, a long name, many lanes. */
async function everything(): Promise<{ session: string; clients: Client[] }> {
  const { server } = inspectors;
  count += 1;
  const session = `everything-${count}`;
  // Nobody listens there.
  await settings(server, session, { title: "Refund", hooks: [{ url: "http://127.0.0.1:9/hook" }] });
  const user = await connect(server, session, USER);
  const scribe = await agent(server, session);
  const input = await user.publish("hello", { name: "a-name-without-spaces-".repeat(5) });
  await start(scribe, { id: "a-turn-with-a-very-long-name-".repeat(4), input });
  await start(scribe, { id: "t2" });
  await answer(scribe, "t2");
  await end(scribe, "t2", "failed", { error: { message: "x".repeat(300) } });
  await start(scribe, { id: "t3" });
  const ask = { type: "approval.request", turn: "t3", title: "Refund 40 €? ".repeat(10) };
  await scribe.ok({ ...ask, id: "a1" });
  await user.refused({ type: "turn.end", turn: "t2", status: "complete" }, "forbidden");
  await user.ok({ type: "presence.set" });
  await user.ok({ type: "state", ops: [{ op: "set", path: ["n"], value: 1 }] });
  const clients = [user, scribe];
  for (const sub of ["bea", "cy", "dee"]) {
    const client = await connect(server, session, { sub });
    await client.publish("hello");
    clients.push(client);
  }
  return { session, clients };
}

for (const [look, options] of Object.entries(LOOKS)) {
  describe(`in ${look}`, () => {
    test("everything is readable", async () => {
      const { session, clients } = await everything();
      const page = await inspectors.open(session, options);
      await finding(page, /failed/);
      await page.getByText("Live", { exact: true }).waitFor();
      await assertFit(page, "a session");
      const row = part(page, "Entries").getByRole("button", { name: /^Choose entry/ });
      await row.first().click();
      await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
      });
      await assertFit(page, "a session with all opened");
      for (const client of clients) await client.close();
    });

    test("a session that never was says so", async () => {
      const page = await inspectors.open("never-was", options);
      await page.getByRole("heading", { name: "No such session" }).waitFor();
      await assertFit(page, "no such session");
    });

    test("a token without the right is refused with a way to another one", async () => {
      const page = await inspectors.open("any", { ...options, token: USER });
      const alert = page.getByRole("alert");
      await alert.getByText("This token may not inspect the session").waitFor();
      assert.match(oneLine(await alert.textContent()), /admin/);
      await assertFit(page, "a refused token");
      await alert.getByRole("button", { name: "Use another token" }).click();
      await page.getByRole("heading", { name: "Which token is yours?" }).waitFor();
      await assertFit(page, "the form for a token");
    });

    test("an id that no session can have, and no id at all, are explained", async () => {
      const page = await inspectors.open(encodeURIComponent("a b'; $(id)"), options);
      await page.getByRole("alert").getByText("No session can have this id").waitFor();
      await assertFit(page, "an id that is none");
      const other = await inspectors.open("", { ...options, token: null });
      await other.getByRole("heading", { name: "Which session?" }).waitFor();
      await assertFit(other, "no id");
    });

    test("a deployment that does not answer is said, and is found again", async () => {
      const { server, front } = inspectors;
      count += 1;
      const session = `offline-${count}`;
      const writer = await connect(server, session, { sub: "writer" });
      await writer.publish("hello");
      const page = await inspectors.open(session, options);
      await part(page, "Entries").getByRole("table").waitFor();
      front.goOffline();
      await page.getByRole("button", { name: "Read again" }).click();
      await page.getByText("It cannot be read at the moment").waitFor();
      await page.getByText("Not connected: trying again").waitFor();
      const table = part(page, "Entries").getByRole("table");
      assert.equal((await rows(table)).length, 1, "what was read is still there");
      await assertFit(page, "offline");
      front.goOnline();
      const serial = await writer.publish("meanwhile");
      await table.getByText(serial).waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
      await page.getByText("It cannot be read at the moment").waitFor({ state: "detached" });
      await writer.close();
    });
  });
}

test("without a token the form asks for one, and opens the session with it", async () => {
  const page = await inspectors.open("asked-for", { token: null });
  const token = await makeToken({ sub: "ops", caps: { "*": ["admin"] } });
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("heading", { name: "No such session" }).waitFor();
});

test("a token that expires meanwhile is said, with a way to another one", async () => {
  const { server } = inspectors;
  const writer = await connect(server, "expires", { sub: "writer" });
  await writer.publish("hello");
  // Within the leeway of P2.1, for some seconds more.
  const token = { sub: "ops", caps: { "*": ["admin"] }, expiresIn: -21 };
  const page = await inspectors.open("expires", { token });
  await page.getByText("Live", { exact: true }).waitFor();
  const alert = page.getByRole("alert");
  const isTold = () => alert.getByText("The token is not valid").count();
  await until(
    async () => {
      await writer.publish("more");
      return isTold();
    },
    (shown) => shown > 0,
    "the page to say that its token has expired",
  );
  assert.ok(
    (await rows(part(page, "Entries").getByRole("table"))).length > 0,
    "all is still there",
  );
  await page.getByText("Live view ended").waitFor();
  await assertFit(page, "an expired token");
  await alert.getByRole("button", { name: "Use another token" }).click();
  await page.getByLabel("Token").fill(await makeToken({ sub: "ops", caps: { "*": ["admin"] } }));
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByText("Live", { exact: true }).waitFor();
  await writer.close();
});

test("without a network at the beginning the page says so, and tries again", async () => {
  const { server } = inspectors;
  const writer = await connect(server, "later", { sub: "writer" });
  await writer.publish("hello");
  const page = await inspectors.open("later");
  await page.getByText("Live", { exact: true }).waitFor();
  await page.context().route("**/v1/**", (route) => route.abort());
  await page.reload();
  const alert = page.getByRole("alert");
  await alert.getByText("The deployment does not answer").waitFor();
  await assertFit(page, "no network with a token");
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
  await alert.getByText("There is no network, or nothing at this address.").waitFor();
  await assertFit(page, "no network without a token");
  await page.context().unroute("**/v1/**");
  await alert.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "Which token is yours?" }).waitFor();
  await writer.close();
});

test("the protocol has an address for each rule, and reads well", async () => {
  const page = await inspectors.open("any");
  for (const [look, { colorScheme, viewport }] of Object.entries(LOOKS)) {
    if (viewport) await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: colorScheme ?? "light" });
    await page.goto(`${inspectors.front.url}/protocol#P11.4`);
    await page.locator("#P11\\.4").waitFor();
    await assertFit(page, `the protocol in ${look}`);
  }
  const ids = await page
    .locator("article[id]")
    .evaluateAll((all) => all.map((one) => one.getAttribute("id") ?? ""));
  assert.ok(ids.length > 80, `${ids.length} rules`);
  assert.deepEqual([...new Set(ids)], ids, "each once");
});

describe("a log of ten thousand entries", () => {
  const ENTRIES = 10_000;

  test("is read in pieces, moves at once, and is whole where somebody looks", async () => {
    const { server, front } = inspectors;
    const writer = await connect(server, "long", { sub: "writer", keep: false });
    for (let page = 0; page < ENTRIES / 100; page += 1) {
      const messages = Array.from({ length: 100 }, (_, at) => ({ data: `${page} ${at}` }));
      await writer.ok({ type: "publish", messages });
    }
    front.asked.length = 0;
    const page = await inspectors.open("long");
    await part(page, "Entries").getByRole("table").waitFor();
    const asked = front.asked.filter((path) => path.includes("/log"));
    assert.ok(asked.length <= 3, `${asked.length} pages of the log were read at first`);
    const marks = part(page, "Timeline").locator(".lanes .mark");
    assert.ok((await marks.count()) < 1500, "marks that are near are one");
    assert.equal((await rows(part(page, "Entries").getByRole("table"))).length, 100);
    const total = () =>
      part(page, "Entries")
        .getByText(/in the timeline's view/)
        .textContent()
        .then((text) => Number(/^([\d,]+)/.exec(text ?? "")?.[1]?.replaceAll(",", "")));
    const first = await total();
    assert.ok(first < ENTRIES, `${first} entries at first`);
    // A nearer look brings what is missing there.
    await part(page, "Timeline").getByRole("button", { name: "Closer" }).click();
    await part(page, "Timeline").getByRole("button", { name: "All" }).click();
    for (;;) {
      const more = part(page, "Timeline").getByRole("button", { name: "Read back from its end" });
      if ((await more.count()) === 0) break;
      const before = await total();
      if (await more.isEnabled()) await more.click({ timeout: 1000 }).catch(() => {});
      await until(total, (now) => now > before || now === ENTRIES, "more entries");
    }
    assert.equal(await total(), ENTRIES, "each entry once");
    // A press is drawn before the next frames are late: generous, since machines differ.
    const slow = await page.evaluate(async () => {
      const box = document.querySelector<HTMLElement>(".lanes");
      const times: number[] = [];
      for (const key of ["+", "+", "ArrowLeft", "ArrowRight", "-", "Home", "End", "0"]) {
        const began = performance.now();
        box?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        times.push(performance.now() - began);
      }
      return Math.max(...times);
    });
    assert.ok(slow < 2000, `the slowest step took ${slow} ms`);
    await writer.close();
  });
});

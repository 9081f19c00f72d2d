// A session in the console: two supervisors, a customer and an agent, by mouse and by keyboard.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { getHistory } from "../support/http.ts";
import { CuttingProxy } from "../support/proxy.ts";
import { answer, end, getTurn } from "../support/turns.ts";
import { until } from "../support/wait.ts";
import { ask, decided, focuses, opens, press, reads, SUE, TOM, useConsole } from "./console.ts";

const console = useConsole();

/** A request with arguments of several kinds. */
const REFUND = {
  title: "Refund 240 €?",
  description: "The parcel came back unopened.",
  data: { order: 1182, items: [{ sku: "LAMP-2", price: 180 }], note: "" },
};

describe("watching", () => {
  test("an answer grows, with its turn, its people and its usage; nobody is told", async () => {
    const it = await console.begin("Order 1182");
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    await reads(page, "Agents answer. You watch.");
    const serial = await answer(it.bot, it.turn.id, { name: "message" });
    await it.bot.appendAll(serial, ["Let me ", "look at **it**."], 1);
    await page.locator(".thread strong", { hasText: "it" }).waitFor();
    await reads(page, "is answering");
    await it.ann.ok({ type: "presence.set", data: {} });
    await page.locator(".about-people", { hasText: "Ann Lee" }).waitFor();
    const usage = { inputTokens: 1830 };
    await it.bot.ok({ type: "turn.usage", turn: it.turn.id, usage });
    await page.locator(".amounts", { hasText: "1,830" }).first().waitFor();
    await it.bot.ok({ type: "turn.start", id: "child", within: it.turn.id });
    await page.locator(".specialists li").waitFor();
    assert.equal(await page.locator(".thread").getByRole("button", { name: /Stop/ }).count(), 0);
    await end(it.bot, it.turn.id);
    await end(it.bot, "child", "cancelled");
    await reads(page, "No answer is under way.");
    const members = await it.ann.ok({ type: "presence.set", data: {} });
    assert.ok(members);
    assert.ok(
      !it.ann.inbox.some(
        (frame) => frame.type === "presence.enter" && frame.member?.client === "sue",
      ),
    );
    assert.ok(!it.ann.inbox.some(({ type }) => type === "read.mark"));
  });

  test("the session's own page and the inspector are a link away", async () => {
    const it = await console.begin("Order 1");
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    const link = page.getByRole("link", { name: "Inspect" });
    assert.equal(await link.getAttribute("href"), `/inspect/${it.id}`);
    await page.reload();
    await reads(page, "I would like my money back.");
    assert.ok(!page.url().includes("token"), "the token left the address");
  });
});

describe("the hand-over", () => {
  test("by mouse: taken over, talked, handed back", async () => {
    const it = await console.begin("Lamp");
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    await page.getByRole("button", { name: "Take over…" }).click();
    await page.getByLabel("is cancelled now").check();
    await page.getByLabel(/A note for everybody/).fill("Let me see");
    await page.getByRole("button", { name: "Take over", exact: true }).click();
    const { lead } = (await it.ann.next("lead.take")) as unknown as { lead: object };
    assert.deepEqual(
      { ...lead, since: 0 },
      { client: "sue", name: "Sue Park", note: "Let me see", since: 0 },
    );
    await it.bot.next("turn.cancel");
    await end(it.bot, it.turn.id, "cancelled");
    await focuses(page, "Your reply");
    await page.getByLabel("Your reply").fill("I am Sue. Which lamp?");
    await page.getByRole("button", { name: "Send" }).click();
    await it.ann.next((frame) => frame.message?.data === "I am Sue. Which lamp?");
    await it.ann.publish("The big one");
    await page.locator(".said", { hasText: "The big one" }).waitFor();
    await it.bot.refused({ type: "turn.start" }, "led-by-person");

    await page.getByRole("button", { name: "Hand back…" }).click();
    await page.getByLabel("none: you have answered them").check();
    await page.getByRole("button", { name: "Hand back", exact: true }).click();
    const back = (await it.ann.next("lead.return")) as unknown as Record<string, unknown>;
    assert.deepEqual([back.by, back.wake], ["sue", "none"]);
    await reads(page, "Agents answer. You watch.");
    await focuses(page, "Lamp");
    const said = (await getHistory(console.dev, it.id)).map(({ client, role }) => [client, role]);
    assert.deepEqual(said, [
      ["ann", "user"],
      ["sue", "assistant"],
      ["ann", "user"],
    ]);
  });

  test("by keyboard alone, from the list and back to it", async () => {
    const it = await console.begin("Bulbs");
    await ask(it, { title: "Refund the bulbs?" });
    const page = await console.open();
    await page.locator(".line", { hasText: "Bulbs" }).waitFor();
    await press(page, "/");
    await page.keyboard.type("bulbs");
    await press(page, "Enter");
    await focuses(page, /^Bulbs/);
    await press(page, "Enter");
    await focuses(page, "Bulbs");
    await reads(page, "You watch");
    await opens(page, "t");
    await focuses(page, "Take over");
    await press(page, "Escape");
    await focuses(page, "Bulbs");
    await opens(page, "t");
    await focuses(page, "Take over");
    await press(page, "Shift+Tab", "Shift+Tab");
    await page.keyboard.type("thx jk?");
    await press(page, "Enter");
    await focuses(page, "Your reply");
    const { lead } = (await it.ann.next("lead.take")) as unknown as { lead: { note: string } };
    assert.equal(lead.note, "thx jk?");
    await page.keyboard.type("Hello, just a moment: thanks? x y n h i a");
    await press(page, "Shift+Enter");
    await page.keyboard.type("Sue");
    await press(page, "Enter");
    await it.ann.next(
      ({ message }) => message?.data === "Hello, just a moment: thanks? x y n h i a\nSue",
    );
    assert.equal(await page.locator("dialog").count(), 0);
    await press(page, "Escape");
    await focuses(page, "Bulbs");
    await press(page, "r");
    await focuses(page, "Your reply");
    await press(page, "Escape", "h");
    await focuses(page, "Hand back");
    await press(page, "Enter");
    await it.ann.next("lead.return");
    await focuses(page, "Bulbs");
    await press(page, "Escape");
    await focuses(page, /^Bulbs/);
  });

  test("of two supervisors the second takes over, and both see who leads", async () => {
    const it = await console.begin("Two of us");
    const sue = await console.open(SUE, { hash: `session=${it.id}` });
    const tom = await console.open(TOM, { hash: `session=${it.id}` });
    await reads(sue, "You watch");
    await opens(sue, "t");
    await press(sue, "Enter");
    await reads(sue, "You took over");
    await reads(tom, "Sue Park took over");
    await tom.locator(".about-people", { hasText: "Sue Park" }).waitFor();
    await opens(tom, "t");
    await reads(tom, "Take over from Sue Park?");
    await press(tom, "Enter");
    await reads(tom, "You took over");
    await reads(sue, "Tom took over");
    await sue.getByLabel("Your reply").waitFor({ state: "detached" });
  });

  test("a session that is led stays led while another one is open", async () => {
    const [one, other] = [await console.begin("Held"), await console.begin("Looked at")];
    const page = await console.open(SUE, { hash: `session=${one.id}` });
    await reads(page, "You watch");
    await opens(page, "t");
    await press(page, "Enter");
    await page.locator(".line", { hasText: "You lead" }).waitFor();
    const held = page.waitForEvent("websocket", (socket) => socket.url().includes(`/${one.id}/`));
    await page.evaluate((id) => {
      location.hash = `session=${id}`;
    }, other.id);
    await held;
    await reads(page, "Agents answer. You watch.");
  });
});

describe("cancelling", () => {
  test("one turn of two, by mouse, with a reason", async () => {
    const it = await console.begin("Cancel one");
    const second = await it.bot.ok({ type: "turn.start", id: "second", leaseMs: 600_000 });
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    await page.getByRole("button", { name: "Cancel…", exact: true }).click();
    await page.getByLabel(/second/).check();
    await page.getByLabel(/The reason/).fill("wrong order");
    await page.getByRole("button", { name: "Cancel it" }).click();
    const { turn } = await it.bot.next("turn.cancel");
    assert.equal(turn?.id, "second");
    assert.deepEqual([turn?.cancel?.by, turn?.cancel?.reason], ["sue", "wrong order"]);
    await end(it.bot, second.turn?.id ?? "", "cancelled");
    assert.equal((await getTurn(console.dev, it.id, it.turn.id)).status, "active");
    await page.locator(".turns li", { hasText: "is answering" }).waitFor();
  });

  test("all, by keyboard alone; one key cancels nothing", async () => {
    const it = await console.begin("Two turns");
    await it.bot.ok({ type: "turn.start", id: "second", leaseMs: 600_000 });
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    await reads(page, "You watch");
    await page.getByRole("button", { name: "Cancel…", exact: true }).waitFor();
    await press(page, "x");
    await focuses(page, "Cancel it");
    await press(page, "Escape");
    await focuses(page, "Two turns");
    assert.equal((await getTurn(console.dev, it.id, "second")).cancel, undefined);
    await opens(page, "x");
    await press(page, "Shift+Tab", "Shift+Tab", "Shift+Tab", "ArrowUp");
    await press(page, "Tab", "Tab", "Tab");
    await focuses(page, "Cancel all");
    await press(page, "Enter");
    const cancelled = [await it.bot.next("turn.cancel"), await it.bot.next("turn.cancel")];
    assert.deepEqual(cancelled.map(({ turn }) => turn?.id).sort(), [it.turn.id, "second"].sort());
  });
});

describe("deciding", () => {
  test("by mouse: the arguments are read, and it is approved for the whole session", async () => {
    const it = await console.begin("One refund");
    await ask(it, { ...REFUND, grant: "refund" });
    const page = await console.open();
    await page.locator(".line", { hasText: "Refund 240 €?" }).click();
    const asking = page.locator(".asking");
    for (const part of ["The parcel came back unopened.", "1182", "LAMP-2", "180", "empty text"]) {
      await asking.getByText(part).first().waitFor();
    }
    await asking.getByLabel("all of this kind in this session").check();
    await asking.getByLabel(/A comment/).fill("fine");
    await asking.getByRole("button", { name: "Approve" }).click();
    const approval = await decided(it.bot);
    assert.deepEqual(
      [approval.status, approval.decidedBy, approval.scope, approval.comment],
      ["approved", "sue", "session", "fine"],
    );
    await reads(page, /Refund 240 €\?: approved by sue/);
    await focuses(page, "One refund");
    const badge = page.locator(".line", { hasText: it.id }).locator(".badge");
    await badge.waitFor({ state: "detached" });
  });

  test("by keyboard alone: one is rejected, and the focus goes to the next", async () => {
    const it = await console.begin("Two refunds");
    await ask(it, { title: "First?" });
    await ask(it, { title: "Second?" });
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    await page.locator(".asking", { hasText: "Second?" }).waitFor();
    await press(page, "a");
    await focuses(page, /^First\?/);
    await press(page, "n");
    await focuses(page, "Reject");
    assert.equal(it.bot.inbox.filter(({ type }) => type === "approval.decide").length, 0);
    await press(page, "Enter");
    assert.deepEqual((await decided(it.bot)).status, "rejected");
    await focuses(page, /^Second\?/);
    await press(page, "y");
    await focuses(page, "Approve");
    await press(page, "Enter");
    assert.deepEqual((await decided(it.bot)).status, "approved");
    await focuses(page, "Two refunds");
  });

  test("a question by keyboard: an option, and words", async () => {
    const it = await console.begin("Questions");
    const options = [
      { id: "a", label: "10 € off" },
      { id: "b", label: "Free delivery" },
    ];
    await ask(it, { kind: "question", title: "Which voucher?", options });
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    await page.locator(".asking").waitFor();
    await press(page, "a", "y", "ArrowDown", "Enter");
    assert.equal((await decided(it.bot)).option, "b");
    await ask(it, { kind: "question", title: "What shall I say?" });
    await page.locator(".asking", { hasText: "What shall I say?" }).waitFor();
    await press(page, "a", "y");
    await page.keyboard.type("Just thanks");
    await press(page, "Tab", "Tab", "Enter");
    assert.equal((await decided(it.bot)).answer, "Just thanks");
  });

  test("a form: a breach is told at its field, and the changed input is taken", async () => {
    const it = await console.begin("Form");
    const schema = {
      type: "object",
      properties: {
        seats: { type: "integer", maximum: 4 },
        row: { enum: ["A", "B"] },
        aisle: { type: "boolean" },
      },
      required: ["seats"],
    };
    await ask(it, { title: "Book?", data: { seats: 2, row: "A" }, schema });
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    await page.getByLabel("seats").fill("9");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.locator(".answer-breach").waitFor();
    assert.equal(await page.getByLabel("seats").getAttribute("aria-invalid"), "true");
    await page.getByLabel("seats").fill("3");
    await page.getByLabel(/^row/).selectOption("B");
    await page.getByLabel(/^aisle/).check();
    await page.getByRole("button", { name: "Approve" }).click();
    assert.deepEqual((await decided(it.bot)).answer, { seats: 3, row: "B", aisle: true });
  });

  test("a schema that is no form is answered with JSON, which is checked first", async () => {
    const it = await console.begin("JSON");
    const schema = { type: "object", properties: { rows: { type: "array" } }, required: ["rows"] };
    await ask(it, { kind: "question", title: "Which rows?", schema });
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    const field = page.getByLabel("Answer, as JSON");
    await field.fill("[1, ");
    await page.getByRole("button", { name: "Answer", exact: true }).click();
    await reads(page, /This is no JSON/);
    await field.fill('{"row": 1}');
    await page.getByRole("button", { name: "Answer", exact: true }).click();
    await page.locator(".answer-breach").waitFor();
    await field.fill('{"rows": [1, 2]}');
    await page.getByRole("button", { name: "Answer", exact: true }).click();
    assert.deepEqual((await decided(it.bot)).answer, { rows: [1, 2] });
  });

  test("of two supervisors one decides, and the other is told who", async () => {
    const it = await console.begin("Both");
    await ask(it, { title: "Who is first?" });
    const sue = await console.open(SUE, { hash: `session=${it.id}` });
    const tom = await console.open(TOM, { hash: `session=${it.id}` });
    await reads(sue, "Who is first?");
    await sue.locator(".asking").waitFor();
    await press(sue, "a");
    await focuses(sue, /^Who is first\?/);
    await tom.getByRole("button", { name: "Approve" }).click();
    await reads(sue, "Who is first?: approved by tom");
    await focuses(sue, "Both");
  });

  test("others' questions are shown, and not offered", async () => {
    const it = await console.begin("Others");
    await ask(it, { title: "Only for Eve?", assignees: ["eve"] });
    const page = await console.open(SUE, { hash: `session=${it.id}` });
    await reads(page, "Only those who were asked may decide.");
    assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0);
  });
});

describe("a lost connection", () => {
  test("is said, what was done meanwhile arrives once, and everything is there again", async () => {
    const it = await console.begin("Cut");
    const id = await ask(it, { title: "While you were away?" });
    const proxy = await CuttingProxy.start(console.dev.port);
    try {
      const page = await console.open(SUE, { hash: `session=${it.id}`, base: proxy.url });
      await page.locator(".asking").waitFor();
      await page.locator(".line", { hasText: "Cut" }).waitFor();
      proxy.unplug();
      await page
        .locator(".inbox .note", { hasText: "Offline: this is how things stood" })
        .waitFor();
      await page.locator(".lead-state", { hasText: "Offline" }).waitFor();
      assert.equal(await page.locator(".line", { hasText: "Cut" }).count(), 1, "the list stays");
      // A hand-over has to wait, a decision is kept.
      await opens(page, "t");
      await press(page, "Enter");
      await reads(page, "this has to wait until it is back");
      await press(page, "Escape");
      await page.getByRole("button", { name: "Approve" }).click();
      await reads(page, "Sent when the network is back");
      const serial = await it.ann.publish("Are you there?");
      assert.ok(serial);
      proxy.plug();
      assert.equal((await decided(it.bot)).id, id);
      await page.locator(".said", { hasText: "Are you there?" }).waitFor();
      await page.locator(".lead-state", { hasText: "You watch." }).waitFor();
      await until(
        () => page.locator(".status", { hasText: "Live" }).count(),
        (count) => count === 2,
        "both connections to be live",
      );
      assert.equal(it.bot.inbox.filter(({ type }) => type === "approval.decide").length, 0);
      assert.equal(it.ann.inbox.filter(({ type }) => type === "lead.take").length, 0);
    } finally {
      await proxy.stop();
    }
  });
});

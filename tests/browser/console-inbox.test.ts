// The list of the console: which sessions are in it, how they are found, and a thousand of them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { call } from "../support/http.ts";
import { until } from "../support/wait.ts";
import {
  ask,
  BOT,
  type Case,
  decided,
  focuses,
  lists,
  opens,
  press,
  reads,
  SUE,
  titles,
  useConsole,
} from "./console.ts";

const console = useConsole();

/** A supervisor of these sessions alone, whose list is not that of the other tests. */
function only(...cases: Pick<Case, "id">[]) {
  const caps = Object.fromEntries(cases.map(({ id }) => [id, ["supervisor"]]));
  return { ...SUE, sub: `sue-${cases[0]?.id}`, role: "supervisor", caps };
}

/** A line, with how it stands. */
function line(page: Awaited<ReturnType<typeof console.open>>, title: string) {
  return page.locator(".line", { hasText: title });
}

describe("how a session gets here (P15.1)", () => {
  test("a fresh deployment says what will be here; it needs no token on this machine", async () => {
    const page = await console.open(SUE, { isLocal: true });
    await reads(page, "Nothing here yet");
    await reads(page, 'assignees: ["role:supervisor"]');
    await reads(page, 'assignees: ["supervisor"]');
    await reads(page, "Live");
    assert.equal(await page.title(), "Console · Sessile");
  });

  test("live: the supervisors are asked, one by name, or nobody; and an escalation", async () => {
    const cases = [];
    for (const title of ["Role", "Name", "Nobody", "Later"]) cases.push(await console.begin(title));
    const [role, name, nobody, later] = cases as [Case, Case, Case, Case];
    const sue = only(role, name, nobody, later);
    const page = await console.open(sue);
    await reads(page, "Nothing here yet");
    await ask(role, { title: "The supervisors?" });
    await line(page, "The supervisors?").waitFor();
    await ask(name, { title: "You alone?", assignees: [sue.sub] });
    await line(page, "You alone?").waitFor();
    // In a turn that answers nobody, of nobody by name.
    const turn = (await nobody.bot.ok({ type: "turn.start", id: "own", leaseMs: 600_000 })).turn;
    assert.ok(turn);
    await ask({ bot: nobody.bot, turn }, { title: "Anybody?", assignees: undefined });
    await line(page, "Anybody?").waitFor();
    const escalate = [{ afterMs: 1000, assignees: ["role:supervisor"] }];
    await ask(later, { title: "Escalated?", assignees: ["ann"], escalate });
    await line(page, "Escalated?").waitFor();
    await until(
      () => page.title(),
      (title) => title === "(4) Console · Sessile",
      "the title to count four decisions",
    );
    const { role: status } = await page
      .locator("[role=status]", { hasText: "New decision: Escalated?" })
      .evaluate((element) => ({ role: element.getAttribute("role") }));
    assert.equal(status, "status");
  });

  test("one that nobody asked is in no inbox: it is opened by its id, and stays", async () => {
    const it = await console.begin("Unasked");
    const page = await console.open(only(it));
    await reads(page, "Nothing here yet");
    await press(page, "/");
    await page.keyboard.type(it.id);
    await page.getByRole("link", { name: `Open “${it.id}” by its id` }).waitFor();
    await press(page, "Enter");
    await reads(page, "I would like my money back.");
    await reads(page, "This session is not in your inbox");
    await line(page, "Unasked").waitFor();
    await page.reload();
    await line(page, "Opened by its id").waitFor();
    // A person who takes it over has it in the inbox.
    await reads(page, "You watch");
    await opens(page, "t");
    await press(page, "Enter");
    await line(page, "You lead").waitFor();
    await reads(page, "You took over");
    await page.getByText("This session is not in your inbox").waitFor({ state: "detached" });
  });

  test("taken off the list, it is gone", async () => {
    const it = await console.begin("Off");
    const page = await console.open(only(it), { hash: `session=${it.id}` });
    await line(page, "Opened by its id").waitFor();
    await page.getByRole("button", { name: "Take it off the list" }).click();
    await reads(page, "Nothing here yet");
    await reads(page, "No session is open");
  });

  test("an id that none can have, one that never was, one not for this token", async () => {
    const it = await console.begin("Mine");
    const page = await console.open(only(it), { hash: "session=a%20b" });
    await reads(page, "No session is called that");
    const go = (id: string) =>
      page.evaluate((to) => {
        location.hash = `session=${to}`;
      }, id);
    await go("case-of-others");
    await reads(page, "This session cannot be shown");
    const other = await console.open(
      { ...only(it), caps: { "*": ["supervisor"] } },
      { hash: "session=never-was" },
    );
    await reads(other, "Nothing was said here yet");
    assert.equal(await other.getByRole("button", { name: /Take over/ }).count(), 0);
    assert.equal(
      (await call(console.dev, "never-was", "GET", "")).text.includes("createdAt"),
      false,
    );
  });

  test("a token that is not good is told, and another one asked for", async () => {
    const page = await console.open({ ...SUE, expiresIn: -600 });
    await reads(page, "This console is not connected");
    await page.getByRole("button", { name: "Use another token" }).click();
    await page.getByLabel("Token").waitFor();
  });
});

describe("finding", () => {
  test("filters and words, by mouse and by keyboard", async () => {
    const cases = [];
    for (const title of ["Red lamp", "Blue lamp", "Green chair"])
      cases.push(await console.begin(title));
    const [red, blue, chair] = cases as [Case, Case, Case];
    for (const it of cases) {
      await ask(it, { title: "So?", id: "so" });
    }
    await connect(console.dev, red.id, only(red, blue, chair)).then(async (sue) => {
      await sue.publish("I was here");
      await sue.close();
    });
    const page = await console.open(only(red, blue, chair));
    await until(
      () => titles(page),
      (all) => all.length === 3,
      "three lines",
    );
    const decide = page.getByRole("button", { name: /^To decide/ });
    await until(
      () => decide.textContent(),
      (text) => text === "To decide 3",
      "three to decide",
    );
    for (const { bot, turn } of [red, blue]) {
      await bot.ok({ type: "approval.withdraw", approval: "so" });
      await bot.ok({ type: "turn.end", turn: turn.id, status: "complete" });
    }
    await decide.click();
    await lists(page, ["Green chair"]);
    await page.getByRole("button", { name: /^Answering/ }).click();
    await lists(page, ["Green chair"]);
    await red.ann.publish("And now?");
    await press(page, "4");
    await lists(page, ["Red lamp"]);
    await line(page, "1 unread").or(line(page, "2 unread")).waitFor();
    await press(page, "1", "/");
    await page.keyboard.type("LAMP");
    await until(
      () => titles(page),
      (all) => all.length === 2,
      "two lamps",
    );
    await page.keyboard.type(" red");
    await lists(page, ["Red lamp"]);
    await press(page, "Enter");
    await focuses(page, /^Red lamp/);
    await press(page, "Enter");
    await reads(page, "And now?");
    // Messages on screen are read.
    await press(page, "/", "Escape", "4");
    await reads(page, "Everything is read");
    await press(page, "1", "/");
    await page.keyboard.type(chair.id);
    await lists(page, ["Green chair"]);
    await page.keyboard.type("zzz");
    await reads(page, "Nothing was found");
  });

  test("keys are told, and can be switched off", async () => {
    const it = await console.begin("Keys");
    await ask(it, { title: "Keys?" });
    const page = await console.open(only(it));
    await line(page, "Keys").waitFor();
    await press(page, "?");
    await reads(page, "asks whether to take over");
    await page.getByLabel("Keys of one letter are on").uncheck();
    await press(page, "Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await press(page, "j", "?");
    assert.equal(await page.locator("dialog").count(), 0);
    await page.getByRole("button", { name: /^Keys/ }).click();
    await page.getByLabel("Keys of one letter are on").check();
    await press(page, "Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await press(page, "j");
    await focuses(page, /^Keys/);
  });
});

describe("on a phone", () => {
  test("the list, then the session, and back with the focus where it was", async () => {
    const it = await console.begin("Pocket");
    await ask(it, { title: "On the go?" });
    const context = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };
    const page = await console.open(only(it), { context });
    await line(page, "Pocket").tap();
    await page.locator(".asking", { hasText: "On the go?" }).waitFor();
    await page.locator(".inbox").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Approve" }).tap();
    assert.equal((await decided(it.bot)).status, "approved");
    await page.getByRole("button", { name: "Details" }).tap();
    await reads(page, "Who is there");
    await page.getByRole("button", { name: "Details" }).tap();
    await page.getByRole("link", { name: "List" }).tap();
    await line(page, "Pocket").waitFor();
    await focuses(page, /^Pocket/);
    await page.goBack();
    await reads(page, "I would like my money back.");
  });
});

describe("a thousand sessions", () => {
  /** More than a page of the inbox (P14). */
  const COUNT = 1_010;

  test("few are drawn, all are reached by keyboard, found by words, and paged", async () => {
    const many = { ...SUE, sub: "many", role: "supervisor", caps: { "many-*": ["supervisor"] } };
    const ids = Array.from({ length: COUNT }, (_, at) => `many-${String(at).padStart(4, "0")}`);
    const one = async (id: string) => {
      const json = { title: `Question of ${id}?`, assignees: ["role:supervisor"] };
      const answer = await call(console.dev, id, "POST", "/approvals", { ...BOT, json });
      assert.equal(answer.status, 201, answer.text);
    };
    for (let at = 0; at < ids.length; at += 20) await Promise.all(ids.slice(at, at + 20).map(one));
    const inbox = async () => {
      const { body } = await call(
        console.dev,
        "",
        "GET",
        "/v1/sessions?limit=1000&role=supervisor",
        many,
      );
      const { sessions, next } = body as { sessions: unknown[]; next?: string };
      return sessions.length + (next ? 1 : 0);
    };
    await until(inbox, (count) => count === 1_001, "the inbox to have been told", 120_000);

    const page = await console.open(many);
    await page.locator(".line").first().waitFor();
    const drawn = () => page.locator(".line").count();
    assert.ok((await drawn()) < 40, "a screenful is drawn");
    const all = page.getByRole("button", { name: /^All/ });
    const loaded = async () => Number((await all.textContent())?.replace(/\D/g, ""));
    const first = await loaded();
    assert.ok(first <= 1_000, `${first} are loaded`);
    await press(page, "j", "End");
    await until(
      () => page.locator(".list").evaluate((box) => box.scrollTop),
      (top) => top > 60_000,
      "the list to be at its end",
    );
    assert.ok((await drawn()) < 40);
    await focuses(page, /many-0\d\d\d/);
    // The line that has the focus keeps it where it is no longer seen.
    await page.locator(".list").evaluate((box) => box.scrollTo(0, 0));
    await press(page, "k");
    await focuses(page, /many-0\d\d\d/);
    await until(
      () => page.locator(".list").evaluate((box) => box.scrollTop),
      (top) => top > 60_000,
      "the list to be back",
    );
    for (let pages = 0; (await loaded()) < COUNT && pages < 10; pages += 1) {
      const before = await loaded();
      await page.getByRole("button", { name: "Load more sessions" }).click();
      await until(loaded, (count) => count > before, "more to be loaded");
    }
    assert.equal(await loaded(), COUNT);
    await press(page, "/");
    await page.keyboard.type("many-0500");
    await until(
      () => titles(page),
      (found) => found.length === 1,
      "one to be found",
    );
    await press(page, "Enter", "Enter");
    await reads(page, "Question of many-0500?");
  });
});

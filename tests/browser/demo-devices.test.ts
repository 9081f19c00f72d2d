// Devices of the demo beside its two: a tab, a phone that joins by the code; and a deployment,
// where there are neither tokens nor agents.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { devices } from "playwright-core";
import { encode } from "uqr";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";
import { answersOf, Demo, useDemo } from "./demo.ts";

/** A name that is no loopback's, as a machine has in its network. */
const NAME = "demo-machine.local";
const demo = useDemo({ flags: [`--host-resolver-rules=MAP ${NAME} 127.0.0.1`] });

const STORY = "Tell me a long story";

describe("a phone", () => {
  test("joins by the code in the middle of an answer, and takes part", async () => {
    const session = demo.session();
    const near = new Demo(await (await demo.profile()).newPage());
    // Without TLS and not loopback, as in a network at home: the platform offers less there.
    await near.page.goto(`http://${NAME}:${demo.dev.port}/?session=${session}`);
    await near.stands("Laptop", /^Connected/);
    await near.write("Laptop", STORY);
    await near.delivers("Laptop", 60);
    const code = near.page.getByRole("img", { name: /^QR code of/ });
    const address = ((await code.getAttribute("aria-label")) ?? "").replace("QR code of ", "");
    assert.equal(address, `http://${NAME}:${demo.dev.port}/device?session=${session}`);
    const { size, data } = encode(address, { border: 2 });
    const dark = data.flat().filter(Boolean).length;
    const path = (await code.locator("path").getAttribute("d")) ?? "";
    assert.deepEqual(
      [path.split("M").length - 1, size > 20],
      [dark, true],
      "the code is that of it",
    );

    const far = await (await demo.profile(devices["Pixel 7"])).newPage();
    const errors: string[] = [];
    far.on("pageerror", (error) => errors.push(error.message));
    await far.goto(address);
    await far.getByText("Connected").waitFor();
    await until(
      async () => (await answersOf(far)).join("").length,
      (length) => length > 300,
      "the answer on the phone",
    );
    await far.getByLabel("Message", { exact: true }).fill("Ask me a question");
    await far.getByRole("button", { name: "Send", exact: true }).click();
    await near.hears("Phone", "Ask me a question");
    await far.getByRole("button", { name: "At the sea" }).click();
    await near
      .device("Laptop")
      .getByText(/noted, and kept/)
      .first()
      .waitFor();
    const said = JSON.stringify(await near.agree());
    await until(
      async () => JSON.stringify(await answersOf(far)),
      (text) => text === said,
      "the phone to show the same",
    );
    assert.deepEqual([errors, near.errors], [[], []]);
  });

  test("has its own network, and stays the same guest", async () => {
    const session = demo.session();
    const context = await demo.profile(devices["Pixel 7"]);
    const page = await context.newPage();
    await page.goto(`${demo.dev.url}/device?session=${session}`);
    await page.getByText("Connected").waitFor();
    const name = await page.getByRole("heading", { level: 1 }).textContent();
    await page.locator("summary", { hasText: "This device" }).click();
    await page.getByRole("button", { name: "Drop the network" }).click();
    await page.getByText(/^Offline/).waitFor();
    await page.getByRole("button", { name: "Reload the page" }).click();
    await page.getByText(/^Offline/).waitFor();
    await page.locator("summary", { hasText: "This device" }).click();
    await page.getByRole("button", { name: "Bring back the network" }).click();
    await page.getByText("Connected").waitFor();
    assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), name);
  });

  test("is told when its address names no session", async () => {
    const page = await (await demo.profile()).newPage();
    await page.goto(`${demo.dev.url}/device`);
    await page.getByText("This address names no session").waitFor();
  });
});

describe("the demo's page", () => {
  test("two tabs show the same, one set of agents answers, a new session is new", async () => {
    const session = demo.session();
    const context = await demo.profile();
    const one = await demo.open(session, context);
    const two = await demo.open(session, context);
    await one.write("Laptop", STORY);
    await two.hears("Phone", STORY);
    await one.delivers("Laptop", 30);
    const shown = await one.agree();
    assert.equal(shown.length, 1);
    assert.deepEqual(await two.agree(), shown);
    await two.page.getByRole("button", { name: "New session" }).click();
    await two.page.waitForURL((url) => !url.search.includes(`session=${session}`));
    await two.device("Laptop").getByText("Nothing was said yet").waitFor();
    const next = new URL(two.page.url()).searchParams.get("session");
    await two.page.goto(`${demo.dev.url}/`);
    await two.stands("Laptop", /^Connected/);
    assert.equal(new URL(two.page.url()).searchParams.get("session"), next, "it is kept");
    assert.equal(
      await two.page.getByRole("link", { name: "Inspect this session" }).getAttribute("href"),
      `/inspect/${next}`,
    );
    await two.page.getByText(/Only this machine can open/).waitFor();
  });

  test("goes on after it is closed, with the agents of another tab", async () => {
    const session = demo.session();
    const one = await demo.open(session);
    await one.write("Laptop", STORY);
    await one.delivers("Laptop", 30);
    const two = await demo.open(session);
    await one.page.close();
    assert.match((await two.agree()).join(""), /That was all/);
  });
});

describe("a deployment", () => {
  const deployed = useDemo({ vars: { SESSILE_DEV: "0" } });

  test("asks for a token, keeps it in the tab, and says that no agents are here", async () => {
    const session = deployed.session();
    const page = await (await deployed.profile()).newPage();
    await page.goto(`${deployed.dev.url}/?session=${session}`);
    await page.getByRole("heading", { name: "Which token is yours?" }).waitFor();
    const token = await makeToken({ sub: "sue", name: "Sue", caps: { [session]: ["user"] } });
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Go on" }).click();
    const it = new Demo(page);
    await it.stands("Laptop", /^Connected/);
    await it.stands("Phone", /^Connected/);
    await page.getByText("No agents are here").waitFor();
    assert.equal(await page.getByRole("button", { name: "Kill the agents" }).count(), 0);
    assert.equal(await page.getByRole("button", { name: /^Restart/ }).count(), 0);
    await it.write("Laptop", "Is anybody there?");
    await it.hears("Phone", "Is anybody there?");
    await page.reload();
    await it.stands("Laptop", /^Connected/);
    assert.equal(page.url().includes(token), false);
  });

  test("takes a token from behind the #, and out of the address", async () => {
    const session = deployed.session();
    const page = await (await deployed.profile()).newPage();
    const token = await makeToken({ sub: "sue", caps: { [session]: ["user"] } });
    await page.goto(`${deployed.dev.url}/?session=${session}#token=${token}`);
    await new Demo(page).stands("Laptop", /^Connected/);
    assert.equal(page.url(), `${deployed.dev.url}/?session=${session}`);
  });
});

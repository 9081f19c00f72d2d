// TanStack AI's chat in a page that paces text (`sessile/tanstack`): many steps from few windows,
// for the page that asked and for one that joins the run, and the same text at the end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { tokens } from "../../../../tests/support/random.ts";
import { paced, until, within } from "../../../../tests/support/wait.ts";
import { type Page, Pages, shows, textsOf } from "./pages.ts";

const fixture = useServer();
const pages = new Pages(fixture);

const TOKENS = tokens(150);
const WHOLE = TOKENS.join("");
const PER_SECOND = 100;
const FRAME_MS = 16;

/** As much of a page as a pace needs: it is on screen, and draws frames. */
Object.assign(globalThis, {
  document: { visibilityState: "visible", addEventListener() {}, removeEventListener() {} },
  requestAnimationFrame: (call: () => void) => setTimeout(call, FRAME_MS),
  cancelAnimationFrame: clearTimeout,
});

/** The texts that a chat's answer had, and the appends that its session heard of. */
function following(session: string, options = {}) {
  const steps = new Set<string>();
  const page: Page = pages.live(session, {
    ...options,
    onMessagesChange: () => {
      const [, answer] = textsOf(page);
      if (answer) steps.add(answer);
    },
  });
  let windows = 0;
  page.connection.session.on("message", ({ type }) => {
    if (type === "message.append") windows += 1;
  });
  return { page, steps, windows: () => windows };
}

test("an answer comes in many steps from few windows, and ends the same", async () => {
  const session = fixture.session();
  pages.scripted(session, async (turn) => {
    const writer = turn.write();
    await paced(TOKENS.length, PER_SECOND, (at) => writer.append(TOKENS[at] ?? ""));
    await writer.end();
  });
  const one = following(session);
  const asking = one.page.chat.sendMessage("Hello");
  await until(
    () => one.steps.size,
    (count) => count > 3,
    "the answer to begin",
  );
  const two = following(session, { sub: "bob" });
  await within(asking, "the answer");
  const wanted = ["user: Hello", `assistant: ${WHOLE}`];
  assert.deepEqual(textsOf(one.page), wanted);
  await shows(two.page, wanted, "the other page to have it");
  for (const { steps, windows } of [one, two]) {
    assert.ok(windows() < TOKENS.length / 8, `${windows()} windows`);
    assert.ok(steps.size > 3 * windows(), `${steps.size} steps from ${windows()} windows`);
    for (const step of steps) assert.ok(wanted[1]?.startsWith(step), `shown: ${step}`);
  }
});

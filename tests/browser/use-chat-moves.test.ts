// `useSessileChat` in a real Chromium, given another Worker: it lets go of the one before.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { ROOT } from "../support/server.ts";
import { until } from "../support/wait.ts";
import { useExample } from "./example.ts";

/**
 * A chat whose button spells its Worker's address in another way, or which is given its session by
 * a function that is written in the component.
 */
const PAGE = `
import { createElement, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { useSessileChat } from "../../src/ai-sdk/react.ts";
import { createSession } from "../../src/index.ts";

const { url, session: id, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function Chat() {
  const [isOther, setOther] = useState(false);
  const { status } = useSessileChat({ url: isOther ? url + "/" : url, id, token });
  return createElement("button", { onClick: () => setOther(!isOther) }, status);
}

window.asked = [];
function Inline() {
  const [count, setCount] = useState(0);
  const session = (chatId) => {
    window.asked.push(count);
    return createSession({ url, session: chatId, token });
  };
  const { status } = useSessileChat({ session, id });
  return createElement("button", { onClick: () => setCount(count + 1) }, count + " " + status);
}

const page = location.hash.includes("inline") ? Inline : Chat;
createRoot(document.body).render(createElement(StrictMode, null, createElement(page)));
`;

const example = useExample(async (directory) => {
  writeFileSync(
    join(directory, "index.html"),
    `<!doctype html><body></body><script type="module" src="page.js"></script>`,
  );
  await build({
    stdin: { contents: PAGE, resolveDir: join(ROOT, "sdk", "tests", "ai-sdk") },
    bundle: true,
    format: "esm",
    outfile: join(directory, "page.js"),
  });
});

test("a session that is given by a function in the component is asked for once", async () => {
  const { page, sockets } = await example.open(await example.device(), example.fixture.session(), {
    more: { inline: "true" },
  });
  for (let count = 0; count < 5; count += 1) {
    await page.waitForFunction((n) => document.body.textContent?.startsWith(`${n} `), count);
    await page.click("button");
  }
  await page.waitForFunction(() => document.body.textContent === "5 ready");
  const asked = await page.evaluate(() => (window as unknown as { asked: number[] }).asked);
  assert.ok(asked.length > 0 && asked.every((count) => count === 0), `asked after ${asked}`);
  assert.equal(sockets.length, 1);
});

test("a chat that is given another url holds one socket, to that", async () => {
  const context = await example.device();
  const sockets: { isOpen: boolean }[] = [];
  context.on("page", (page) =>
    page.on("websocket", (socket) => {
      const held = { isOpen: true };
      sockets.push(held);
      socket.on("close", () => {
        held.isOpen = false;
      });
    }),
  );
  const { page } = await example.open(context, example.fixture.session());
  for (const made of [1, 2, 3]) {
    if (made > 1) await page.click("button");
    await until(
      () => sockets.map(({ isOpen }) => isOpen),
      (open) => open.length === made && open.filter(Boolean).length === 1 && open.at(-1) === true,
      `socket ${made} to be the only one`,
    );
  }
  assert.equal(sockets.length, 3);
});

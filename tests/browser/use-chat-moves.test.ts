// `useSessileChat` in a real Chromium, given another Worker: it lets go of the one before.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { ROOT } from "../support/server.ts";
import { until } from "../support/wait.ts";
import { useExample } from "./example.ts";

/** A chat whose button spells its Worker's address in another way. */
const PAGE = `
import { createElement, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { useSessileChat } from "../../src/ai-sdk/react.ts";

const { url, session: id, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function Chat() {
  const [isOther, setOther] = useState(false);
  const { status } = useSessileChat({ url: isOther ? url + "/" : url, id, token });
  return createElement("button", { onClick: () => setOther(!isOther) }, status);
}

createRoot(document.body).render(createElement(StrictMode, null, createElement(Chat)));
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

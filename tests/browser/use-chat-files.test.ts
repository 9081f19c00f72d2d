// P11.7 in `useChat` in a real Chromium, on a page of another origin than the session's: an image
// that one person attaches is on the screen of another, by an address that needs no header.

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { FileUIPart, UIMessage } from "ai";
import type { Page } from "playwright-core";
import { getHistory } from "../support/http.ts";
import { ROOT } from "../support/server.ts";
import { until } from "../support/wait.ts";
import { useExample } from "./example.ts";
import { buildForDevelopment } from "./vite.ts";

const example = useExample(
  (directory) => buildForDevelopment(join(ROOT, "sdk", "tests", "ai-sdk", "page"), directory),
  { files: true, vars: { SESSILE_WEBHOOK_SECRETS: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" } },
);
const { fixture } = example;

/** The files of the messages that a page shows. */
function filesIn(page: Page): Promise<FileUIPart[]> {
  return page.evaluate(() => {
    const messages: UIMessage[] = JSON.parse(JSON.stringify(window.shown.messages));
    return messages.flatMap(({ parts }) => parts.filter((part) => part.type === "file"));
  });
}

/** Draws the first file of a page that is the session's; resolves to its width. */
async function drawn(page: Page): Promise<number> {
  const [file] = await until(
    () => filesIn(page),
    ([first]) => first?.url.startsWith("http") === true,
    "a file of the session",
  );
  return page.evaluate((url) => {
    const image = new Image();
    image.src = url;
    return image.decode().then(() => image.naturalWidth);
  }, file?.url ?? "");
}

describe("files in useChat", () => {
  test("P11.7 an image is uploaded, and shown on another device and after a reload", async () => {
    const session = fixture.session("files");
    const more = { files: "yes" };
    const one = await example.open(await example.device(), session, { sub: "ann", more });
    const two = await example.open(await example.device(), session, { sub: "bob", more });
    await one.page.evaluate(async () => {
      const canvas = document.createElement("canvas");
      canvas.width = 128;
      canvas.height = 128;
      const pixels = new ImageData(128, 128);
      // So varied that it cannot be made small.
      crypto.getRandomValues(pixels.data);
      canvas.getContext("2d")?.putImageData(pixels, 0, 0);
      const url = canvas.toDataURL("image/png");
      const files = [{ type: "file", mediaType: "image/png", filename: "noise.png", url }];
      const { chat } = window as unknown as { chat: { sendMessage(said: object): void } };
      chat.sendMessage({ text: "Look.", files });
    });
    assert.equal(await drawn(two.page), 128);
    assert.equal(await drawn(one.page), 128);
    await one.page.reload();
    assert.equal(await drawn(one.page), 128);
    const [said] = await getHistory(fixture.server, session);
    assert.ok(JSON.stringify(said).length < 2_000, "the message only names it");
  });
});

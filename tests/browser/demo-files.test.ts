// P11.7 on the demo: a file that is attached on one device is on the other, a long result is a
// link on both, and a hostile file is nothing but a download.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import type { FrameLocator, Page } from "playwright-core";
import { assertAccessible } from "../support/axe.ts";
import { assertNotTooWide } from "../support/fit.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";
import { type Demo, type Device, useDemo } from "./demo.ts";

const demo = useDemo();
const bare = useDemo({ wrangler: ["--config", "wrangler.toml"] });

interface Given {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

/** An image of one colour. */
function png(name: string, width = 64, height = 48): Given {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, 2, 0, 0, 0]);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(3 * width, 120)]);
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  const buffer = Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
  return { name, mimeType: "image/png", buffer };
}

/** Gives a file to a device, as a person by its button, and sends it. */
async function attach(page: Demo, name: Device, files: Given[], text: string): Promise<void> {
  const device = page.device(name);
  const asked = page.page.waitForEvent("filechooser");
  await device.getByRole("button", { name: "Attach files" }).press("Enter");
  await (await asked).setFiles(files);
  for (const file of files) await device.locator(".attached").getByText(file.name).waitFor();
  await page.write(name, text);
}

/** The width of an image on a device, once it is drawn. */
function drawn(device: FrameLocator | Page, name: string): Promise<number> {
  const image = device.getByRole("img", { name });
  return until(
    () =>
      image
        .first()
        .evaluate((one: HTMLImageElement) => one.naturalWidth)
        .catch(() => 0),
    (width) => width > 0,
    `the image ${name}`,
  );
}

/** The addresses of downloads of a name. */
async function linkOf(page: Demo, device: Device, name: string): Promise<string> {
  const link = page.device(device).locator(".file a", { hasText: name }).last();
  return (await link.getAttribute("href", { timeout: 60_000 })) ?? "";
}

/** Drops or pastes a file, as a browser tells a page of that. */
async function hand(page: Demo, device: Device, kind: "drop" | "paste", name: string) {
  await page.frame(device).evaluate(
    ([kind, name]) => {
      const data = new DataTransfer();
      data.items.add(new File(["a,b"], name, { type: "text/csv" }));
      const options = { bubbles: true, cancelable: true };
      const event =
        kind === "drop"
          ? new DragEvent("drop", { ...options, dataTransfer: data })
          : new ClipboardEvent("paste", { ...options, clipboardData: data });
      document.querySelector(".composer textarea")?.dispatchEvent(event);
    },
    [kind, name] as const,
  );
}

describe("files on the demo", () => {
  test("an image that the laptop attaches is on the phone, after a reload too", async () => {
    const page = await demo.open(demo.session());
    await attach(page, "Laptop", [png("view.png")], "Look at this");
    for (const name of ["Laptop", "Phone"] as const) {
      assert.equal(await drawn(page.device(name), "view.png"), 64);
      await page.hears(name, "Look at this");
    }
    await page.reload("Phone");
    assert.equal(await drawn(page.device("Phone"), "view.png"), 64);
    await page.rests("Phone");
    assert.match((await page.answers("Phone")).join(), /view\.png/);
    await assertAccessible(page.page, "the demo with an image");
    assert.deepEqual(page.errors, []);
  });

  test("files are dropped, pasted, taken out, and sent by the keyboard alone", async () => {
    const page = await demo.open(demo.session());
    const laptop = page.device("Laptop");
    await hand(page, "Laptop", "drop", "dropped.csv");
    await hand(page, "Laptop", "paste", "pasted.csv");
    await laptop.locator(".attached").getByText("pasted.csv").waitFor();
    await assertAccessible(page.page, "the demo with files that wait");
    await laptop.getByRole("button", { name: "Remove dropped.csv" }).press("Enter");
    await laptop.getByLabel("Message", { exact: true }).press("Enter");
    for (const name of ["Laptop", "Phone"] as const) {
      await page.device(name).locator(".said .file a", { hasText: "pasted.csv" }).waitFor();
      assert.equal(await page.device(name).getByText("dropped.csv").count(), 0);
    }
    const response = await page.page.request.get(await linkOf(page, "Phone", "pasted.csv"));
    assert.equal(await response.text(), "a,b");
    assert.match(response.headers()["content-disposition"] ?? "", /^attachment/);
  });

  test("a result of 20 MB is a link on both devices, and goes with the session", async () => {
    const session = demo.session();
    const page = await demo.open(session);
    await page.write("Laptop", "Make a report of 20 MB");
    await page.rests("Laptop");
    const addresses: string[] = [];
    for (const name of ["Laptop", "Phone"] as const) {
      const file = page.device(name).locator(".answer .file");
      await file.getByText("20 MB", { exact: true }).waitFor();
      addresses.push(await linkOf(page, name, "output.json"));
    }
    for (const address of addresses) {
      const response = await page.page.request.get(address);
      assert.equal(response.status(), 200);
      assert.ok((await response.body()).length > 20_000_000);
    }
    const token = await makeToken({ sub: "owner", caps: { "*": ["admin"] } });
    const deleted = await page.page.request.delete(`${demo.dev.url}/v1/sessions/${session}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.ok(deleted.ok(), String(deleted.status()));
    for (const address of addresses) {
      const response = await page.page.request.get(address);
      assert.ok(response.status() >= 400, String(response.status()));
    }
  });

  test("a page that is called an image, and one that is not, are never run", async () => {
    const page = await demo.open(demo.session());
    const buffer = Buffer.from("<!doctype html><script>document.title = 'run'</script><p>page");
    const files = [
      { name: "page.png", mimeType: "image/png", buffer },
      { name: "page.html", mimeType: "text/html", buffer },
      {
        name: "page.svg",
        mimeType: "image/svg+xml",
        buffer: Buffer.from(
          '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "run"</script></svg>',
        ),
      },
      { name: "<img src=x onerror=alert(1)>", mimeType: "image/png", buffer },
    ];
    await attach(page, "Laptop", files, "Open these");
    const phone = page.device("Phone");
    for (const name of ["page.png", "page.html", "page.svg", "_img src=x onerror=alert(1)_"]) {
      await phone.locator(".said .file a", { hasText: name }).waitFor();
    }
    await until(
      () => phone.getByRole("img").count(),
      (count) => count === 0,
      "what is no image to be none",
    );
    for (const name of ["page.png", "page.html", "page.svg"]) {
      const address = await linkOf(page, "Phone", name);
      const other = await (await demo.profile()).newPage();
      const saved = other.waitForEvent("download").catch(() => undefined);
      await other.goto(address).catch(() => undefined);
      assert.notEqual(await other.title(), "run", name);
      const { length } = other.frames();
      assert.equal(length, 1);
      if (name !== "page.png") assert.ok(await saved, `${name} is saved`);
      await other.close();
    }
    assert.deepEqual(page.errors, []);
  });

  test("it fits a phone, with an image and long names", async () => {
    const context = await demo.profile({ viewport: { width: 390, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${demo.dev.url}/device?session=${demo.session()}&client=ada&kind=phone`);
    await page
      .locator(".stands")
      .getByText(/^Connected/)
      .waitFor();
    const long = `${"a-very-long-name-".repeat(8)}.png`;
    await page.locator("input[type=file]").setInputFiles([png(long), png("b.png")]);
    await page.locator(".attached li").nth(1).waitFor();
    await assertNotTooWide(page, "a phone with files that wait");
    await assertAccessible(page, "a phone with files that wait");
    await page.getByLabel("Message", { exact: true }).press("Enter");
    await drawn(page, "b.png");
    await assertNotTooWide(page, "a phone with files");
    await assertAccessible(page, "a phone with files");
  });

  test("what is too large, and what the network loses, is said, and stays to be sent", async () => {
    const page = await demo.open(demo.session());
    const laptop = page.device("Laptop");
    const field = laptop.locator("input[type=file]");
    const buffer = Buffer.alloc(27 * 1024 * 1024);
    await field.setInputFiles({ name: "film.mp4", mimeType: "video/mp4", buffer });
    await laptop.getByText("film.mp4 is larger than 26 MB.").waitFor();
    await page.network("Laptop", "Drop the network").click();
    await field.setInputFiles(png("late.png"));
    await page.write("Laptop", "Later");
    await laptop.getByText(/Not sent: no connection/).waitFor();
    assert.equal(await page.device("Phone").getByText("Later").count(), 0);
    await page.network("Laptop", "Bring back the network").click();
    await page.stands("Laptop", /^Connected/);
    await laptop.getByRole("button", { name: "Send", exact: true }).click();
    await drawn(page.device("Phone"), "late.png");
  });
});

describe("the demo where no files are kept", () => {
  test("has no button for them, and says nothing of them", async () => {
    const page = await bare.open(bare.session());
    for (const name of ["Laptop", "Phone"] as const) {
      const device = page.device(name);
      assert.equal(await device.getByRole("button", { name: "Attach files" }).count(), 0);
      assert.equal(await device.getByText(/report|files/i).count(), 0);
    }
    await page.write("Laptop", "Make a report of 2 MB");
    await page.rests("Phone");
    await page
      .device("Phone")
      .getByText(/report, too large: \d+ characters/)
      .waitFor();
  });
});

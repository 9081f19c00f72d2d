// The demo for its tests: the Worker as people run it, and the page with its two devices.

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import type { Browser, BrowserContext, Frame, FrameLocator, Locator, Page } from "playwright-core";
import { launch } from "../support/browser.ts";
import { Dev } from "../support/dev.ts";
import { until } from "../support/wait.ts";

export interface Options {
  /** Variables of the Worker; it is a development server unless they say otherwise. */
  vars?: Record<string, string>;
  /** More flags of Chromium. */
  flags?: readonly string[];
  /** More flags of wrangler. */
  wrangler?: readonly string[];
}

/** The counters of a device. */
export interface Counts {
  delivered: number;
  lost: number;
  repeated: number;
}

export type Device = "Laptop" | "Phone";

/** A Worker and a browser for the tests of a file. */
export function useDemo({ vars = {}, flags = [], wrangler = [] }: Options = {}) {
  let dev: Dev | undefined;
  let browser: Browser | undefined;
  let contexts: BrowserContext[] = [];
  let count = 0;

  before(async () => {
    dev = await Dev.begin({ SESSILE_DEV: "1", ...vars }, wrangler);
    browser = await launch(flags);
  });
  afterEach(async () => {
    for (const context of contexts) await context.close();
    contexts = [];
  });
  after(async () => {
    await browser?.close();
    await dev?.end();
  });

  return {
    get dev(): Dev {
      assert.ok(dev, "the Worker runs");
      return dev;
    },
    session(): string {
      count += 1;
      return `demo-test-${count}`;
    },
    /** A browser's profile: another machine, so to speak. */
    async profile(options: Parameters<Browser["newContext"]>[0] = {}): Promise<BrowserContext> {
      assert.ok(browser, "the browser runs");
      const context = await browser.newContext({
        viewport: { width: 1280, height: 860 },
        ...options,
      });
      context.setDefaultTimeout(30_000);
      contexts.push(context);
      return context;
    },
    /** The page of a session, both devices connected; it fails at an error of a script. */
    async open(session: string, context?: BrowserContext, query = ""): Promise<Demo> {
      const page = await (context ?? (await this.profile())).newPage();
      const demo = new Demo(page);
      await page.goto(`${this.dev.url}/?session=${session}${query}`);
      await demo.stands("Laptop", /^Connected/);
      await demo.stands("Phone", /^Connected/);
      return demo;
    },
  };
}

/** The page, as a person sees it. */
export class Demo {
  readonly page: Page;
  readonly errors: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(error.message));
  }

  /** The frame of a device. */
  device(name: Device): FrameLocator {
    return this.page.frameLocator(`iframe[title^="${name}"]`);
  }

  /** The document of a device, for what waits on it. */
  frame(name: Device): Frame {
    const client = { Laptop: "ada", Phone: "ben" }[name];
    const frame = this.page.frames().find((one) => one.url().includes(`client=${client}`));
    assert.ok(frame, `the ${name} is there`);
    return frame;
  }

  /** A button of a device's network. */
  network(name: Device, button: string): Locator {
    return this.page
      .getByRole("region", { name: new RegExp(`^${name}`) })
      .getByRole("button", { name: button });
  }

  async stands(name: Device, words: RegExp): Promise<void> {
    const place = this.device(name).locator(".stands");
    await until(
      () => place.textContent({ timeout: 20_000 }).catch(() => ""),
      (text) => words.test(text ?? ""),
      `the ${name} to say ${words}`,
    );
  }

  /** Writes a message on a device. */
  async write(name: Device, text: string): Promise<void> {
    await this.device(name).getByLabel("Message", { exact: true }).fill(text);
    await this.device(name).getByRole("button", { name: "Send", exact: true }).click();
  }

  /** Waits until a device shows what somebody has said. */
  hears(name: Device, text: string): Promise<void> {
    return this.device(name).locator(".said").filter({ hasText: text }).first().waitFor();
  }

  /** The text of all answers on a device, the last one last. */
  answers(name: Device): Promise<string[]> {
    return answersOf(this.device(name));
  }

  /** Waits until both devices show the same, to the end of its even pace, and gives it. */
  async agree(): Promise<string[]> {
    await this.rests("Laptop");
    await this.rests("Phone");
    await this.settles();
    const [texts] = await until(
      () => Promise.all([this.answers("Laptop"), this.answers("Phone")]),
      ([laptop, phone]) => JSON.stringify(laptop) === JSON.stringify(phone),
      "both devices to show the same",
    );
    return texts;
  }

  async counts(name: Device): Promise<Counts> {
    const of = async (what: string) => {
      const region = this.page.getByRole("region", { name: new RegExp(`^${name}`) });
      const text = await region.locator(`[data-count="${what}"]`).textContent();
      return Number((text ?? "").replaceAll(",", ""));
    };
    return {
      delivered: await of("delivered"),
      lost: await of("lost"),
      repeated: await of("repeated"),
    };
  }

  async said(): Promise<number> {
    const text = await this.page.locator('[data-count="said"]').textContent();
    return Number((text ?? "").replaceAll(",", ""));
  }

  /** Waits until a device shows so many tokens of the agents. */
  delivers(name: Device, least: number): Promise<Counts> {
    return until(
      () => this.counts(name),
      ({ delivered }) => delivered >= least,
      `${least} tokens on the ${name}`,
    );
  }

  /** Waits until both devices show all that the session has acknowledged, nothing lost or twice. */
  async settles(): Promise<void> {
    const look = async () => {
      const [said, laptop, phone] = await Promise.all([
        this.said(),
        this.counts("Laptop"),
        this.counts("Phone"),
      ]);
      return { said, laptop, phone };
    };
    const { laptop, phone } = await until(
      look,
      ({ said, laptop, phone }) =>
        (laptop.delivered === said && phone.delivered === said) ||
        laptop.lost + phone.lost + laptop.repeated + phone.repeated > 0,
      "both devices to show everything",
      120_000,
    );
    for (const { lost, repeated } of [laptop, phone]) {
      assert.deepEqual({ lost, repeated }, { lost: 0, repeated: 0 });
    }
  }

  /** Reloads a device, and waits for its new page. */
  async reload(name: Device): Promise<void> {
    const isNew = this.frame(name).waitForNavigation();
    await this.network(name, "Reload the page").click();
    await isNew;
  }

  /** Waits until every answer on a device has come to its end. */
  async rests(name: Device): Promise<void> {
    await this.stands(name, /^Connected/);
    await rests(this.device(name));
  }
}

/** Waits until there are answers on a device, and none is being given. */
export async function rests(device: FrameLocator | Page): Promise<void> {
  await until(
    async () => ({
      all: await device.locator(".answer").count(),
      open: await device.locator('.answer[data-status="active"]').count(),
    }),
    ({ all, open }) => all > 0 && open === 0,
    "the answers to end",
    120_000,
  );
}

export function answersOf(device: FrameLocator | Page): Promise<string[]> {
  return device.locator(".answer .markdown").allTextContents();
}

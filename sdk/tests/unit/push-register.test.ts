// P10.1: a browser as a device, with a browser that is none and a Worker that keeps devices.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type PushOptions, pushState, registerPush } from "../../src/push/index.ts";

const KEY = Buffer.alloc(65, 4);
const OTHER = Buffer.alloc(65, 5);

/** A token of a client, which nobody checks. */
function tokenOf(sub: string): string {
  return `e30.${Buffer.from(JSON.stringify({ sub })).toString("base64url")}.x`;
}

interface Subscription {
  endpoint: string;
  options: { applicationServerKey: ArrayBuffer };
  unsubscribe(): Promise<void>;
}

/** The browser's part. */
class Browser {
  permission = "default";
  answer = "granted";
  asked = 0;
  scripts: string[] = [];
  subscription: Subscription | undefined;
  readonly worker = new EventTarget();
  readonly container = new EventTarget();
  state = "installing";
  #count = 0;
  readonly #storage = new Map<string, string>();

  readonly pushManager = {
    getSubscription: async () => this.subscription ?? null,
    subscribe: async ({ applicationServerKey: key }: { applicationServerKey: Uint8Array }) => {
      assert.equal(this.state, "activated", "there is no subscribing before");
      this.#count += 1;
      this.subscription = {
        endpoint: `https://push.example/${this.#count}`,
        options: { applicationServerKey: key.slice().buffer as ArrayBuffer },
        unsubscribe: async () => {
          this.subscription = undefined;
        },
      };
      return this.subscription;
    },
  };

  /** The globals of a page. */
  globals(): Record<string, unknown> {
    const browser = this;
    const register = async (url: URL, { type }: { type: string }) => {
      this.scripts.push(`${type} ${url}`);
      setTimeout(() => this.become("activated"));
      return { pushManager: this.pushManager, installing: this.scope, active: null };
    };
    return {
      navigator: { serviceWorker: Object.assign(this.container, { register }) },
      PushManager: class {},
      Notification: {
        get permission() {
          return browser.permission;
        },
        requestPermission: async () => {
          this.asked += 1;
          this.permission = this.answer;
          return this.permission;
        },
      },
      location: { href: "https://app.example/chat/1" },
      localStorage: {
        getItem: (name: string) => this.#storage.get(name) ?? null,
        setItem: (name: string, value: string) => this.#storage.set(name, value),
        removeItem: (name: string) => this.#storage.delete(name),
      },
    };
  }

  get scope(): EventTarget {
    return Object.defineProperty(this.worker, "state", {
      configurable: true,
      get: () => this.state,
    });
  }

  become(state: string): void {
    this.state = state;
    this.worker.dispatchEvent(new Event("statechange"));
  }

  /** Tells the page that there is another subscription. */
  change(): void {
    const data = { type: "sessile:push-changed" };
    this.container.dispatchEvent(new MessageEvent("message", { data }));
  }
}

let browser: Browser;
let publicKey: Buffer;
/** The devices of each client, by name. */
let devices: Map<string, { endpoint: string }>;
const held = new Map<string, PropertyDescriptor | undefined>();

beforeEach(() => {
  browser = new Browser();
  publicKey = KEY;
  devices = new Map();
  for (const [name, value] of Object.entries(browser.globals())) {
    held.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
});
afterEach(() => {
  for (const [name, descriptor] of held) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    else Reflect.deleteProperty(globalThis, name);
  }
  held.clear();
});

const get = (async (url: string, init: RequestInit = {}) => {
  const { pathname } = new URL(url);
  if (pathname === "/v1/push/key") {
    return Response.json({ publicKey: publicKey.toString("base64url") });
  }
  const { authorization = "" } = init.headers as Record<string, string>;
  const { sub } = JSON.parse(
    Buffer.from(authorization.split(".")[1] ?? "", "base64url").toString(),
  );
  const name = `${sub} ${pathname.replace("/v1/push/devices/", "")}`;
  if (init.method === "PUT") devices.set(name, JSON.parse(String(init.body)).web);
  if (init.method === "DELETE") devices.delete(name);
  return Response.json({});
}) as typeof fetch;

const register = (more: Partial<PushOptions> = {}) =>
  registerPush({ url: "https://sessions.example/", token: tokenOf("ann"), fetch: get, ...more });

/** The clients of the devices, and their endpoints. */
const kept = () =>
  [...devices].map(([name, { endpoint }]) => [name.split(" ")[0], endpoint.split("/").at(-1)]);

describe("a browser that is registered", () => {
  test("P10.1 asks, subscribes with the Worker's key, and puts the device", async () => {
    assert.equal(pushState(), "prompt");
    const push = await register({ page: "/chat/{session}", icon: "/i.png" });
    assert.equal(browser.asked, 1);
    const script = "https://app.example/push-worker.js?page=%2Fchat%2F%7Bsession%7D&icon=%2Fi.png";
    assert.deepEqual(browser.scripts, [`classic ${script}`]);
    const key = browser.subscription?.options.applicationServerKey ?? new ArrayBuffer(0);
    assert.deepEqual(Buffer.from(key), KEY);
    assert.deepEqual([...devices.keys()], [`ann ${push.device}`]);
    assert.equal(pushState(), "on");
  });

  test("P10.1 is the same device after a reload, and subscribes no more", async () => {
    const first = await register();
    const again = await register({ ask: false });
    assert.equal(again.device, first.device);
    assert.deepEqual(kept(), [["ann", "1"]]);
  });

  test("P10.1 subscribes anew when the Worker has another key", async () => {
    await register();
    publicKey = OTHER;
    await register({ ask: false });
    assert.deepEqual(kept(), [["ann", "2"]]);
  });

  test("P10.1 puts what the browser has changed while the page is there", async () => {
    const push = await register();
    await browser.subscription?.unsubscribe();
    await browser.pushManager.subscribe({ applicationServerKey: KEY });
    browser.change();
    await new Promise((done) => setTimeout(done));
    assert.deepEqual(kept(), [["ann", "2"]]);
    push.close();
    await browser.subscription?.unsubscribe();
    browser.change();
    await new Promise((done) => setTimeout(done));
    assert.equal(browser.subscription, undefined, "one that was closed does nothing more");
  });

  test("P10.1 another person does not get what is for the one before", async () => {
    const ann = await register();
    const bob = await register({ token: tokenOf("bob") });
    assert.notEqual(bob.device, ann.device);
    const own = browser.subscription?.endpoint.split("/").at(-1);
    assert.deepEqual(kept().at(-1), ["bob", own]);
    assert.notEqual(kept()[0]?.[1], own, "the endpoint of ann reaches nobody any more");
  });

  test("P10.1 leaves the browser and the Worker", async () => {
    const push = await register();
    await push.unregister();
    assert.deepEqual([devices.size, browser.subscription], [0, undefined]);
    assert.equal(pushState(), "prompt");
    browser.change();
    await new Promise((done) => setTimeout(done));
    assert.equal(devices.size, 0);
  });

  test("takes the registration of a service worker of one's own", async () => {
    browser.state = "activated";
    const { pushManager } = browser;
    const serviceWorker = { pushManager } as unknown as ServiceWorkerRegistration;
    await register({ serviceWorker, device: "phone" });
    assert.deepEqual(browser.scripts, []);
    assert.deepEqual([...devices.keys()], ["ann phone"]);
  });
});

describe("a browser that is not registered", () => {
  test("because the person does not allow it", async () => {
    browser.answer = "denied";
    await assert.rejects(register(), { code: "no-push", message: /browser's settings/ });
    assert.equal(pushState(), "denied");
    await assert.rejects(register(), { code: "no-push" });
    assert.equal(browser.asked, 1);
    assert.deepEqual([browser.scripts, devices.size], [[], 0]);
  });

  test("because the person is not to be asked now", async () => {
    await assert.rejects(register({ ask: false }), { code: "no-push", message: /after a click/ });
    assert.equal(browser.asked, 0);
  });

  test("because it has no push", async () => {
    Reflect.deleteProperty(globalThis, "PushManager");
    assert.equal(pushState(), "unsupported");
    await assert.rejects(register(), { code: "no-push", message: /home screen/ });
  });

  test("because the service worker does not install", async () => {
    browser.become = function (this: Browser) {
      this.state = "redundant";
      this.worker.dispatchEvent(new Event("statechange"));
    };
    await assert.rejects(register(), { code: "no-push", message: /push-worker\.js/ });
    assert.equal(devices.size, 0);
  });
});

// This browser as a device of the client (P10.1): its permission, its subscription, its place with
// the Worker.

import { readJson } from "../connection/http.ts";
import { subjectOf, TokenSource } from "../connection/token.ts";
import type { ReadInit, Token } from "../connection/types.ts";
import { SessileError } from "../protocol/index.ts";
import { CHANGED } from "./serve.ts";

export interface PushOptions {
  /** The Worker's address, as for a session. */
  url: string;
  /** A token of the client whose device this is, with the operation `push`. */
  token: Token;
  /**
   * Where the page has `sessile/push/worker`: `/push-worker.js` by default; or the registration of
   * a service worker that imports it.
   */
  serviceWorker?: string | URL | ServiceWorkerRegistration;
  /** The type of that script: `classic` by default. */
  workerType?: WorkerType;
  /** The page of a session, for a click: `/chat/{session}`; by default the site's first page. */
  page?: string;
  /** The picture of the notifications. */
  icon?: string;
  /** The device's name; by default one is made, and kept in this browser. */
  device?: string;
  /** Whether the person is asked for permission; if not, a push that has none is refused. */
  ask?: boolean;
  fetch?: typeof fetch;
}

/**
 * - `unsupported`: this browser has no push; on iOS, a page has it on the home screen alone.
 * - `denied`: the person has to allow it in the browser's settings.
 * - `prompt`: it can be switched on, by a click.
 * - `on`: this browser is registered.
 */
export type PushState = "unsupported" | "denied" | "prompt" | "on";

/** A registered device. */
export interface Push {
  /** The device's name. */
  readonly device: string;
  /** Registers the browser's present subscription, or a new one if the Worker has another key. */
  renew(): Promise<void>;
  /** Removes the device from the browser and from the Worker. */
  unregister(): Promise<void>;
  /** Stops renewing, and leaves the device registered. */
  close(): void;
}

/** The device as this browser keeps it. */
interface Kept {
  device: string;
  client: string | undefined;
}

const KEPT = "sessile:push";
const PATH = "/push-worker.js";

/** The state of push in this browser. */
export function pushState(): PushState {
  if (!isSupported()) return "unsupported";
  const { permission } = Notification;
  if (permission === "denied") return "denied";
  return permission === "granted" && kept() ? "on" : "prompt";
}

/**
 * Registers this browser as a device of the token's client, by the person's permission: call it
 * after a click. A page calls it again at each load, with `ask: false`, where `pushState()` is
 * `on`: that renews what has changed.
 */
export async function registerPush(options: PushOptions): Promise<Push> {
  await permit(options.ask ?? true);
  const tokens = new TokenSource(options.token);
  const root = `${options.url.replace(/\/+$/, "")}/v1/push`;
  const call = <T>(path: string, init?: ReadInit) =>
    readJson<T>(`${root}/${path}`, tokens, options.fetch ?? fetch.bind(globalThis), init);
  const registration = await register(options);
  let device = "";

  const renew = async () => {
    const { publicKey } = await call<{ publicKey: string }>("key");
    const client = tokens.last && subjectOf(tokens.last);
    const before = kept();
    const isOther = before !== undefined && before.client !== client;
    device = options.device ?? ((!isOther && before?.device) || crypto.randomUUID());
    // Of another person, whom the old subscription still reaches, or by a key that is no more.
    const subscription = await subscribe(registration, bytesOf(publicKey), isOther);
    const body = JSON.stringify({ web: subscription });
    const headers = { "content-type": "application/json" };
    await call(`devices/${device}`, { method: "PUT", headers, body });
    keep({ device, client });
  };

  await renew();
  const { serviceWorker } = navigator;
  const hear = ({ data }: MessageEvent) => {
    // The next load tries again.
    if (data?.type === CHANGED) renew().catch(() => {});
  };
  serviceWorker.addEventListener("message", hear);
  const close = () => serviceWorker.removeEventListener("message", hear);
  return {
    get device() {
      return device;
    },
    renew,
    close,
    async unregister() {
      close();
      keep(undefined);
      const subscription = await registration.pushManager.getSubscription();
      await subscription?.unsubscribe();
      await call(`devices/${device}`, { method: "DELETE" });
    },
  };
}

function isSupported(): boolean {
  return (
    globalThis.navigator?.serviceWorker !== undefined &&
    "PushManager" in globalThis &&
    "Notification" in globalThis
  );
}

async function permit(mayAsk: boolean): Promise<void> {
  const refused = (reason: string) =>
    new SessileError("no-push", `unable to register for push; ${reason}`);
  if (!isSupported()) {
    throw refused("this browser has none; on iOS, add the page to the home screen first");
  }
  let { permission } = Notification;
  if (permission === "default" && mayAsk) permission = await Notification.requestPermission();
  if (permission === "granted") return;
  throw refused(
    permission === "denied"
      ? "the person does not allow it: only the browser's settings can change that"
      : "the person has not decided: ask after a click",
  );
}

/** The service worker, once it is active: before that, there is no subscribing. */
async function register(options: PushOptions): Promise<ServiceWorkerRegistration> {
  const { serviceWorker: given = PATH, workerType = "classic" } = options;
  if (typeof given === "object" && "pushManager" in given) return given;
  const url = new URL(given, location.href);
  for (const name of ["page", "icon"] as const) {
    const value = options[name];
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const { serviceWorker } = navigator;
  const registration = await serviceWorker.register(url, { type: workerType });
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return registration;
  return new Promise((done, fail) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") done(registration);
      const message = `unable to register for push; ${url} is no service worker that installs`;
      if (worker.state === "redundant") fail(new SessileError("no-push", message));
    });
  });
}

async function subscribe(
  { pushManager }: ServiceWorkerRegistration,
  key: Uint8Array<ArrayBuffer>,
  isOther: boolean,
): Promise<PushSubscription> {
  const held = await pushManager.getSubscription();
  if (held && !isOther && isSame(held.options.applicationServerKey, key)) return held;
  await held?.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

function isSame(held: ArrayBuffer | null, key: Uint8Array): boolean {
  const bytes = new Uint8Array(held ?? []);
  return bytes.length === key.length && bytes.every((byte, index) => byte === key[index]);
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const bytes = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}

function kept(): Kept | undefined {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "") as Kept;
  } catch {
    return undefined;
  }
}

function keep(value: Kept | undefined): void {
  try {
    if (value) localStorage.setItem(KEPT, JSON.stringify(value));
    else localStorage.removeItem(KEPT);
  } catch {
    // Without a place to keep it, the device has another name after a reload.
  }
}

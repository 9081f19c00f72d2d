// The part of a service worker: it shows each notice, decides by its buttons, and opens the page.

import type { Notice } from "../protocol/index.ts";

/** The part of a service worker's global scope that is used: the DOM's types have none. */
export interface Scope {
  readonly location: { readonly href: string };
  readonly registration: Pick<ServiceWorkerRegistration, "showNotification" | "pushManager">;
  readonly clients: {
    matchAll(options: object): Promise<readonly Window[]>;
    openWindow(url: string): Promise<unknown>;
  };
  fetch: typeof fetch;
  addEventListener(type: string, listener: (event: never) => void): void;
}

interface Window {
  readonly url: string;
  focus(): Promise<unknown>;
  postMessage(message: unknown): void;
}

interface Extendable {
  waitUntil(work: Promise<unknown>): void;
}

interface PushEvent extends Extendable {
  readonly data: { json(): unknown } | null;
}

interface ClickEvent extends Extendable {
  readonly action: string;
  readonly notification: { readonly data: unknown; close(): void };
}

interface ChangeEvent extends Extendable {
  readonly oldSubscription?: PushSubscription | null;
  readonly newSubscription?: PushSubscription | null;
}

/** Options that the types of the DOM lack. */
interface Shown extends NotificationOptions {
  actions?: readonly { action: string; title: string }[];
  renotify?: boolean;
  timestamp?: number;
}

/** A message to pages: the browser has another subscription. */
export const CHANGED = "sessile:push-changed";

/** Serves pushes in a service worker, whose address has the `page` and the `icon` as its query. */
export function serve(scope: Scope): void {
  scope.addEventListener("push", (event: PushEvent) => {
    event.waitUntil(show(scope, read(event)));
  });
  scope.addEventListener("notificationclick", (event: ClickEvent) => {
    const notice = event.notification.data;
    // Others may show notifications by the same registration.
    if (!isNotice(notice)) return;
    event.notification.close();
    event.waitUntil(
      event.action && notice.decide
        ? decide(scope, notice, event.action, notice.decide)
        : open(scope, notice),
    );
  });
  scope.addEventListener("pushsubscriptionchange", (event: ChangeEvent) => {
    event.waitUntil(renew(scope, event));
  });
}

/** The notice of a push. A browser wants a notification for each, also for one unreadable. */
function read({ data }: PushEvent): Notice {
  try {
    const notice = data?.json();
    if (isNotice(notice)) return notice;
  } catch {
    // It is no JSON.
  }
  return { type: "unknown", title: "There is news", session: "" };
}

function isNotice(value: unknown): value is Notice {
  const { title, session, type } = (value ?? {}) as Partial<Notice>;
  return [title, session, type].every((text) => typeof text === "string");
}

function show(scope: Scope, notice: Notice, more: Shown = {}): Promise<void> {
  const { title, body, actions, at } = notice;
  const icon = parameter(scope, "icon");
  const options: Shown = {
    ...(body !== undefined && { body }),
    ...(icon && { icon }),
    ...(at !== undefined && { timestamp: at }),
    tag: notice.tag ?? notice.approval ?? `${notice.type} ${notice.session}`,
    renotify: true,
    data: notice,
    actions: (notice.decide && actions) ?? [],
    ...more,
  };
  return scope.registration.showNotification(title, options);
}

/** Sends a button's decision, and shows what came of it in the same place. */
async function decide(
  scope: Scope,
  notice: Notice,
  action: string,
  { url, token }: { url: string; token: string },
): Promise<void> {
  const isOption = notice.kind === "question";
  const decision = isOption ? { decision: "answer", option: action } : { decision: action };
  const { decide: _, ...settled } = notice;
  const tell = (body: string) => show(scope, { ...settled, body }, { silent: true });
  try {
    const response = await scope.fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(decision),
    });
    const label = notice.actions?.find((one) => one.action === action)?.title ?? action;
    if (response.ok) return await tell(`✓ ${label}`);
    const { error } = await response.json();
    // Somebody was faster, or this is a second press.
    if (error.approval) return await tell(`Already ${error.approval.status}`);
    // Other failures may pass: the buttons stay.
    if (response.status < 500 && response.status !== 429) return await tell(error.message);
  } catch {
    // Neither the network nor a proxy in trouble has decided.
  }
  await show(scope, notice, { body: `⚠ ${notice.body ?? ""}`.trim(), requireInteraction: true });
}

/** Focuses the session's page, or opens it. */
async function open(scope: Scope, notice: Notice): Promise<void> {
  const url = pageOf(scope, notice);
  const windows = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = windows.find((window) => window.url === url);
  await (page ? page.focus() : scope.clients.openWindow(url));
}

/** The page of a session: of this site, whatever a notice says. */
function pageOf(scope: Scope, { session }: Notice): string {
  const form = parameter(scope, "page") ?? "/";
  const page = form.replaceAll("{session}", encodeURIComponent(session));
  return new URL(page, scope.location.href).href;
}

/** Subscribes anew; the pages register it, since a service worker has no token. */
async function renew(scope: Scope, event: ChangeEvent): Promise<void> {
  const { oldSubscription: old, newSubscription } = event;
  if (!newSubscription && old) await scope.registration.pushManager.subscribe(old.options);
  const windows = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const window of windows) window.postMessage({ type: CHANGED });
}

function parameter(scope: Scope, name: string): string | undefined {
  return new URL(scope.location.href).searchParams.get(name) ?? undefined;
}

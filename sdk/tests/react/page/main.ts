// The page around it: where to connect to is behind the `#`; what is in the page already is
// hydrated. Tests look at `window.seen`.

import { createElement, Profiler, StrictMode } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { createSession, type Session } from "../../../src/index.ts";
import { App, Late, Part, Slowly } from "./app.ts";

export interface Seen {
  session: Session;
  /** React's commits to the page. */
  commits: number;
  /** The frames that the browser drew. */
  frames: number;
  /** Parts that did not show the same, as they stood. */
  torn: string[];
  /** How often React rendered each part of the shared state, by its place. */
  renders: Record<string, number>;
  /** Mounts another one in the place of what is there; nothing without a key. */
  mount(key?: string): void;
  /** Hydrates what a server rendered and was left for later. */
  hydrateLate(): void;
}

const {
  url = "",
  session: id = "",
  token = "",
  slowly,
  rollup = "0",
  parts = "",
} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const given = document.getElementById("initial")?.textContent;
const initial = given ? { initial: JSON.parse(given) } : {};
const session = createSession({ url, session: id, token, rollup: Number(rollup), ...initial });

let hydrateLate = () => {};
const ready = new Promise<void>((done) => {
  hydrateLate = done;
});
const container = document.getElementById("root");
const isRendered = container?.hasChildNodes() ?? false;

/** A part of the shared state, whose renders are counted. */
function part(place: string) {
  const onRender = () => {
    seen.renders[place] = (seen.renders[place] ?? 0) + 1;
  };
  const it = createElement(Part, { path: place.split(".") });
  return createElement(Profiler, { key: place, id: place, onRender }, it);
}

function tree(key: string) {
  const late = isRendered && createElement(Late, { ready });
  const shown = parts.split(",").filter(Boolean).map(part);
  const below = late || (slowly && createElement(Slowly));
  const app = createElement(App, { key, session }, below, shown);
  const onRender = () => {
    seen.commits += 1;
  };
  const profiler = createElement(Profiler, { id: "app", onRender }, app);
  return createElement(StrictMode, null, profiler);
}

const seen: Seen = {
  session,
  commits: 0,
  frames: 0,
  torn: [],
  renders: {},
  mount: (key) => root?.render(key ? tree(key) : null),
  hydrateLate,
};
Object.assign(window, { seen });

(function count() {
  seen.frames += 1;
  requestAnimationFrame(count);
})();
new MutationObserver(() => {
  const parts = [...document.querySelectorAll(".newest")].map(({ textContent }) => textContent);
  if (new Set(parts).size > 1) seen.torn.push(parts.join(" | "));
}).observe(document, { childList: true, subtree: true, characterData: true });

let root: Root | undefined;
if (container && isRendered) root = hydrateRoot(container, tree("first"));
else if (container) {
  root = createRoot(container);
  seen.mount("first");
}

// The page by keyboard. A key belongs to the element that says so in `aria-keyshortcuts`, which a
// screen reader tells: a field, or one with `data-key="focus"`, is focused, and anything else is
// pressed. So a key does nothing that its element would not do by itself, and only where that is.

import { useEffect } from "react";

const KEPT = "sessile-console-keys";
const WRITTEN = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";

/** A key and its use, for the list of keys. */
export interface Key {
  keys: readonly string[];
  does: string;
}

/** All keys of the page, by place. */
export const KEYS: readonly { place: string; keys: readonly Key[] }[] = [
  {
    place: "In the list",
    keys: [
      { keys: ["j", "↓"], does: "to the next session" },
      { keys: ["k", "↑"], does: "to the session before" },
      { keys: ["Home", "End"], does: "to the first, to the last" },
      { keys: ["Enter"], does: "opens the session" },
      { keys: ["/"], does: "to the search; Enter there goes to the first that was found" },
      { keys: ["1", "2", "3", "4"], does: "choose the filter" },
    ],
  },
  {
    place: "In a session",
    keys: [
      { keys: ["a"], does: "to what waits for a decision, then to the next" },
      { keys: ["y"], does: "to its yes or its answer; Enter decides" },
      { keys: ["n"], does: "to its no; Enter decides" },
      { keys: ["t"], does: "asks whether to take over" },
      { keys: ["r"], does: "to your reply, while you lead" },
      { keys: ["h"], does: "asks how to hand back" },
      { keys: ["x"], does: "asks which turn to cancel" },
      { keys: ["i"], does: "opens the session in the inspector" },
      { keys: ["Esc"], does: "leaves a field or a question, then goes back to the list" },
    ],
  },
  { place: "Anywhere", keys: [{ keys: ["?"], does: "shows these keys" }] },
];

/** Whether keys of one letter do anything: some people speak, and their words would be keys. */
export function areKeysOn(): boolean {
  return localStorage.getItem(KEPT) !== "off";
}

export function setKeysOn(isOn: boolean): void {
  if (isOn) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, "off");
}

/** The element of a key: the one in the question that has the focus, else the first on the page. */
export function elementOf(key: string): HTMLElement | undefined {
  const { activeElement, body } = document;
  const near = activeElement?.closest("[data-keys]") ?? body;
  for (const root of [near, body]) {
    const all = root.querySelectorAll<HTMLElement>("[aria-keyshortcuts]");
    const own = [...all].find((element) => {
      const keys = element.getAttribute("aria-keyshortcuts")?.split(" ");
      return keys?.includes(key) && element.checkVisibility();
    });
    if (own) return own;
  }
  return undefined;
}

/** Whether a key is meant for the page: not for a field, a question, or the browser. */
export function isFree(event: KeyboardEvent): boolean {
  const { ctrlKey, metaKey, altKey, isComposing, defaultPrevented, target } = event;
  if (ctrlKey || metaKey || altKey || isComposing || defaultPrevented) return false;
  return !document.querySelector("dialog[open]") && !fieldOf(target);
}

function fieldOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>(WRITTEN) : null;
}

/** Answers keys for as long as the component is there. */
export function useKeys(): void {
  useEffect(() => {
    addEventListener("keydown", take);
    return () => removeEventListener("keydown", take);
  }, []);
}

function take(event: KeyboardEvent): void {
  const { key } = event;
  if (key === "Escape") leave(event);
  const isLetter = [...key].length === 1 && key !== " ";
  if (!isLetter || !areKeysOn() || !isFree(event)) return;
  const element = elementOf(key);
  if (!element) return;
  event.preventDefault();
  if (element.matches(`${WRITTEN}, [data-key=focus]`)) {
    element.focus();
    element.scrollIntoView({ block: "nearest" });
  } else element.click();
}

/** From a field to the place that it is in, from a session to the list. */
function leave(event: KeyboardEvent): void {
  const home = fieldOf(event.target)
    ?.closest("[data-area]")
    ?.querySelector<HTMLElement>("[data-home]");
  if (home) home.focus();
  if (home || !isFree(event)) return;
  const all = [...document.querySelectorAll<HTMLElement>("[data-back]")];
  const back = all.find((element) => element.checkVisibility());
  if (back?.dataset.back === "focus") back.focus();
  else back?.click();
}

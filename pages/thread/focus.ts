// Where the focus goes when the button that had it is gone with what was done by it.

interface Pressed {
  currentTarget: Element;
}

/** To the conversation, which scrolls by keys from there. */
export function toConversation({ currentTarget }: Pressed): void {
  currentTarget.closest<HTMLElement>(".scroller")?.focus({ preventScroll: true });
}

/** To the conversation, once it shows that the button is gone; call the result then. */
export function whenGone(button: Element): () => void {
  const scroller = button.closest<HTMLElement>(".scroller");
  return () =>
    void requestAnimationFrame(
      () => button.isConnected || scroller?.focus({ preventScroll: true }),
    );
}

/** To the button of the same name in what takes this entry's place. */
export function toSameButton({ currentTarget }: Pressed): void {
  const name = currentTarget.getAttribute("aria-label");
  const entry = currentTarget.closest("li");
  const list = entry?.parentElement;
  const at = entry && list ? [...list.children].indexOf(entry) : -1;
  requestAnimationFrame(() => {
    list?.children[at]?.querySelector<HTMLElement>(`[aria-label="${name}"]`)?.focus();
  });
}

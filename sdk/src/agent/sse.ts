// Server-sent events as `fetch` gives them.

export interface SseEvent {
  id?: string;
  event?: string;
  data: string;
}

/** The events of a body; comments are left out. Also for providers' streams, read by `fetch`. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event: SseEvent = { data: "" };
      const data: string[] = [];
      for (const line of block.split(/\r?\n/)) {
        const [, name, value = ""] = /^(\w+):? ?(.*)$/.exec(line) ?? [];
        if (name === "data") data.push(value);
        else if (name === "id" || name === "event") event[name] = value;
      }
      if (data.length > 0) yield { ...event, data: data.join("\n") };
    }
  }
}

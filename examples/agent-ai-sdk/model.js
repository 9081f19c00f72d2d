// A model that costs nothing and needs no key: it asks for the weather, then tells it slowly; of an
// umbrella it asks to buy one.
// Put a real one in its place: `import { openai } from "@ai-sdk/openai"`.

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

function finish(reason) {
  return { type: "finish", finishReason: { unified: reason, raw: reason }, usage };
}

function* ask() {
  const id = "call-1";
  yield { type: "reasoning-start", id: "0" };
  yield { type: "reasoning-delta", id: "0", delta: "The weather is what people want to know." };
  yield { type: "reasoning-end", id: "0" };
  yield { type: "tool-input-start", id, toolName: "weather" };
  for (const delta of ['{"city":', '"Oslo"}']) yield { type: "tool-input-delta", id, delta };
  yield { type: "tool-input-end", id };
  yield { type: "tool-call", toolCallId: id, toolName: "weather", input: '{"city":"Oslo"}' };
  yield finish("tool-calls");
}

function* buy() {
  const id = "call-2";
  yield { type: "tool-call", toolCallId: id, toolName: "buy", input: '{"item":"an umbrella"}' };
  yield finish("tool-calls");
}

/** Tells what came of it. */
function* thank(isBought) {
  yield { type: "text-start", id: "0" };
  const delta = isBought ? "The umbrella is yours." : "No umbrella, then.";
  yield { type: "text-delta", id: "0", delta };
  yield { type: "text-end", id: "0" };
  yield finish("stop");
}

function* tell(said) {
  yield { type: "text-start", id: "0" };
  const heard = said.join("”, then “");
  const text = `You said “${heard}”. It is 7° in Oslo, 🌊 and not much else happens.`;
  for (const delta of text.split(/(?<= )/)) yield { type: "text-delta", id: "0", delta };
  yield { type: "text-end", id: "0" };
  yield finish("stop");
}

function streamOf(parts, signal, delayMs) {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((done) => setTimeout(done, delayMs));
      const { value, done } = parts.next();
      if (signal?.aborted) controller.error(signal.reason);
      else if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

export const model = {
  specificationVersion: "v4",
  provider: "example",
  modelId: "weather-teller",
  supportedUrls: {},
  async doStream({ prompt, abortSignal }) {
    const said = prompt
      .filter(({ role }) => role === "user")
      .map(({ content }) => content.map(({ text }) => text).join(""));
    const isAsked = prompt.at(-1).role === "user" && !prompt.some(({ role }) => role === "tool");
    const delayMs = Number(process.env.DELAY_MS ?? 60);
    const say = (parts) => ({ stream: streamOf(parts, abortSignal, delayMs) });
    if (!said.at(-1)?.includes("umbrella")) return say(isAsked ? ask() : tell(said));
    const results = prompt.at(-1).role === "tool" ? prompt.at(-1).content : [];
    const [result] = results.filter(({ type }) => type === "tool-result");
    return say(result ? thank(result.output.type === "json") : buy());
  },
};

// An agent with nothing but fetch: streams an answer into a session while it is being made.
// SESSION is the session's address, TOKEN a token with the role `agent` for it.
const { SESSION, TOKEN } = process.env;
const ANSWER = "Here is an answer, 🌊 word by word, as a model would give it.";

async function* answer() {
  for (const word of ANSWER.split(/(?<= )/)) {
    yield word;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const response = await fetch(`${SESSION}/messages?stream=1&name=answer`, {
  method: "POST",
  duplex: "half",
  headers: { authorization: `Bearer ${TOKEN}`, "content-type": "text/plain" },
  body: ReadableStream.from(answer()).pipeThrough(new TextEncoderStream()),
});
const { message, error } = await response.json();
if (error) throw new Error(error.message);
console.log(`message ${message.serial} is ${message.status}`);

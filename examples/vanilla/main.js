// A conversation in a page without any framework.

import { createSession, indexedDbOutbox } from "sessile";

// `client`, who the token is for, may be left out: what waits is then shown once connected.
const options = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const session = createSession({ ...options, outbox: indexedDbOutbox() });
const list = document.querySelector("#messages");
const input = document.querySelector("input");

function show() {
  const { messages, connection } = session.getSnapshot();
  document.querySelector("#connection").textContent = connection.state;
  list.replaceChildren(...messages.map(lineOf));
}

// A message that is the same object is as it was, and so is its line.
const lines = new WeakMap();

function lineOf(message) {
  let line = lines.get(message);
  if (line === undefined) {
    line = document.createElement("li");
    line.textContent = message.data;
    line.dataset.role = message.role;
    line.dataset.state = message.delivery ?? message.status ?? "complete";
    lines.set(message, line);
  }
  return line;
}

document.querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  session.send(input.value);
  input.value = "";
};
document.querySelector("#stop").onclick = () => session.cancel({ all: true });
session.subscribe(show);
session.connect();

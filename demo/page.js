// The page: shows what the session's view says, and tells the session what the person does.
import { inOrder } from "./fold.js";
import { openSession } from "./session.js";

const at = (id) => document.getElementById(id);
const query = new URLSearchParams(location.hash.slice(1));
const token = query.get("token");
const me = token ? claims(token) : {};
const items = new Map();
let isDropped = false;

if (!token) {
  at("reason").textContent = "This address has no token. Open the one that npm start printed.";
} else {
  start(query.get("session") ?? "demo");
}

function start(name) {
  at("session").textContent = name;
  at("client").textContent = me.name ?? me.sub ?? "";
  const session = openSession({ origin: location.origin, session: name, token, onChange: show });

  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = at("input").value.trim();
    if (!text) return;
    at("input").value = "";
    session.say(text);
    scrollToEnd();
  });
  at("drop").addEventListener("click", () => {
    isDropped = !isDropped;
    at("drop").textContent = isDropped ? "Bring the network back" : "Drop the network";
    at("drop").setAttribute("aria-pressed", String(isDropped));
    if (isDropped) session.drop();
    else session.connect();
  });
  // Another address in the same tab is another person or session: begin again.
  addEventListener("hashchange", () => location.reload());
  const wake = () => isDropped || document.hidden || session.ping();
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
}

function show({ log, state, reason, unsent }) {
  at("state").textContent = state;
  at("state").dataset.state = state;
  at("position").textContent = log.position ?? "–";
  at("reason").textContent = reason;
  const waiting = unsent.size === 1 ? "1 message waits" : `${unsent.size} messages wait`;
  at("unsent").textContent = unsent.size > 0 ? `${waiting} to be sent` : "";
  const isAtEnd = innerHeight + scrollY >= document.body.scrollHeight - 80;
  showMessages(inOrder(log));
  if (isAtEnd) scrollToEnd();
}

function showMessages(messages) {
  const list = at("messages");
  const held = new Set(messages.map(({ serial }) => serial));
  for (const [serial, item] of items) {
    if (held.has(serial)) continue;
    item.element.remove();
    items.delete(serial);
  }
  messages.forEach((message, index) => {
    let item = items.get(message.serial);
    if (!item) {
      item = createItem(message);
      items.set(message.serial, item);
    }
    if (list.children[index] !== item.element) {
      list.insertBefore(item.element, list.children[index] ?? null);
    }
    updateItem(item, message);
  });
  list.setAttribute("aria-busy", String(messages.some(({ status }) => status === "streaming")));
}

function createItem({ serial, client, role }) {
  const element = document.createElement("li");
  element.dataset.serial = serial;
  element.dataset.side = role === "assistant" ? "agent" : client === me.sub ? "me" : "other";
  const who = document.createElement("div");
  who.className = "who";
  who.textContent = client === me.sub ? "you" : client;
  const text = document.createElement("div");
  text.className = "text";
  element.append(who, text);
  return { element, text, shown: "" };
}

function updateItem(item, message) {
  const isDeleted = message.deletedAt !== undefined;
  const text = isDeleted ? "deleted" : asText(message.data);
  item.element.dataset.status = isDeleted ? "deleted" : (message.status ?? "complete");
  if (item.shown === text) return;
  item.shown = text;
  item.text.textContent = text;
}

function asText(data) {
  return typeof data === "string" ? data : JSON.stringify(data);
}

/** What the token says about its owner; only the session can tell whether it is genuine. */
function claims(jwt) {
  try {
    const base64 = jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

function scrollToEnd() {
  scrollTo({ top: document.body.scrollHeight });
}

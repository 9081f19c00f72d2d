// The page: shows what the session holds, and tells the session what the person does.
import "./style.css";
import { createSession } from "sessile";

const at = (id) => document.getElementById(id);
const query = new URLSearchParams(location.hash.slice(1));
const token = query.get("token");
const me = token ? claims(token) : {};
const items = new Map();
/** How far the log was read: a feature of the session made here, of one value. */
const positionOf = (session) => session.feature(position);
const position = (engine) => ({
  get value() {
    return engine.log.position;
  },
});

if (!token) {
  at("reason").textContent = "This address has no token. Open the one that npm start printed.";
} else {
  start(query.get("session") ?? "demo");
}

function start(name) {
  at("session").textContent = name;
  at("client").textContent = me.name ?? me.sub ?? "";
  const session = createSession({ url: location.origin, session: name, token, client: me.sub });
  let isDropped = false;

  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = at("input").value.trim();
    if (!text) return;
    at("input").value = "";
    session.send(text);
    scrollToEnd();
  });
  at("drop").addEventListener("click", () => {
    isDropped = !isDropped;
    at("drop").textContent = isDropped ? "Bring the network back" : "Drop the network";
    at("drop").setAttribute("aria-pressed", String(isDropped));
    if (isDropped) session.close();
    else session.connect();
  });
  // Another address in the same tab is another person or session: begin again.
  addEventListener("hashchange", () => location.reload());
  session.subscribe(() => show(session));
  session.connect();
}

function show(session) {
  const { messages } = session.getSnapshot();
  const { state, error } = session.connection;
  const named = nameOf(state, session.link.attached);
  at("state").textContent = named;
  at("state").dataset.state = named;
  at("position").textContent = positionOf(session).value ?? "–";
  const failed = messages.find(({ delivery }) => delivery === "failed");
  at("reason").textContent = (state === "connected" ? failed?.error : error)?.message ?? "";
  const unsent = messages.filter(({ delivery }) => delivery === "pending").length;
  const waiting = unsent === 1 ? "1 message waits" : `${unsent} messages wait`;
  at("unsent").textContent = unsent > 0 ? `${waiting} to be sent` : "";
  const isAtEnd = innerHeight + scrollY >= document.body.scrollHeight - 80;
  showMessages(messages);
  if (isAtEnd) scrollToEnd();
}

function nameOf(state, attached) {
  if (state === "connected") return attached?.resumed ? "resumed" : "attached";
  return state === "idle" || state === "waiting" ? "offline" : state;
}

function showMessages(messages) {
  const list = at("messages");
  // The id is the same before and after a message is in the log.
  const keyOf = ({ id, client, serial }) => (id ? `${client} ${id}` : serial);
  const held = new Set(messages.map(keyOf));
  for (const [key, item] of items) {
    if (held.has(key)) continue;
    item.element.remove();
    items.delete(key);
  }
  messages.forEach((message, index) => {
    const key = keyOf(message);
    const item = items.get(key) ?? createItem(message);
    items.set(key, item);
    if (list.children[index] !== item.element) {
      list.insertBefore(item.element, list.children[index] ?? null);
    }
    updateItem(item, message);
  });
  list.setAttribute("aria-busy", String(messages.some(({ status }) => status === "streaming")));
}

function createItem({ client, role }) {
  const element = document.createElement("li");
  element.dataset.side = role === "assistant" ? "agent" : client === me.sub ? "me" : "other";
  const who = document.createElement("div");
  who.className = "who";
  who.textContent = client === me.sub ? "you" : client;
  const text = document.createElement("div");
  text.className = "text";
  element.append(who, text);
  return { element, text, shown: undefined };
}

function updateItem(item, message) {
  // A message that is the same object is as it was.
  if (item.shown === message) return;
  item.shown = message;
  item.element.dataset.serial = message.serial;
  item.element.dataset.status = message.delivery ?? message.status ?? "complete";
  const text = typeof message.data === "string" ? message.data : JSON.stringify(message.data);
  if (item.text.textContent !== text) item.text.textContent = text;
}

/** The claims of a token about its owner; only the session can tell whether it is genuine. */
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

// Where the page connects to, from behind the `#` of its address. A page that a notification opens
// has the session alone there, so the rest is kept; a real page asks its server for a token.

const KEPT = `place of ${location.pathname}`;
const kept = new URLSearchParams(localStorage.getItem(KEPT) ?? "");
const given = new URLSearchParams(location.hash.slice(1));
for (const [name, value] of given) kept.set(name, value);
localStorage.setItem(KEPT, `${kept}`);

const { url = "http://localhost:8787", session = "hello", token = "" } = Object.fromEntries(kept);

export { session, token, url };

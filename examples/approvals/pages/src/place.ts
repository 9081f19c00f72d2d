// Where the page connects to, from behind the `#` of its address.

const {
  url = "http://localhost:8787",
  session = "hello",
  token = "",
} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

export { session, token, url };

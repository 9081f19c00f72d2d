// Serves the pages in plain workerd, in the place of Cloudflare's static assets: `PAGES` says which
// there are (pages.ts), `DISK` has them.

export default {
  async fetch(request, { PAGES, DISK }) {
    const { pathname } = new URL(request.url);
    const { files, headers, rewrites } = PAGES;
    const rewrite = rewrites.find(({ from }) => matches(from, pathname));
    const path = rewrite?.to ?? pathname;
    // Without a content-type: the Worker then says itself what there is.
    if (!Object.hasOwn(files, path)) return new Response(null, { status: 404 });
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response(null, { status: 405, headers: { Allow: "GET, HEAD" } });
    }
    const { file, type, etag } = files[path];
    const head = new Headers({
      "Content-Type": type,
      "Cache-Control": "public, max-age=0, must-revalidate",
      ETag: etag,
    });
    for (const { on, set } of headers) {
      if (!matches(on, pathname)) continue;
      for (const [name, value] of Object.entries(set)) head.set(name, value);
    }
    const known = request.headers.get("if-none-match");
    if (known?.includes(etag)) return new Response(null, { status: 304, headers: head });
    const { body } = await DISK.fetch(`http://disk/${file}`, { method: request.method });
    return new Response(body, { headers: head });
  },
};

function matches(pattern, path) {
  const [before, ...after] = pattern.split("*");
  if (after.length === 0) return path === pattern;
  const behind = after.join("*");
  return (
    path.startsWith(before) && path.endsWith(behind) && path.length >= before.length + behind.length
  );
}

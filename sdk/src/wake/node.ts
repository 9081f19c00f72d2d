// A webhook served by Node's `http` module, whose requests are not of `fetch`.

import { BODY_BYTES, type Serve } from "./webhook.ts";

/** An `IncomingMessage` of `node:http`, as far as it matters here. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  method?: string | undefined;
  headers: Record<string, string | string[] | undefined>;
}

/** A `ServerResponse` of `node:http`, likewise. */
export interface NodeResponse {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body?: Uint8Array): unknown;
}

/** A listener for `http.createServer`. */
export function nodeListener(
  serve: Serve,
): (request: NodeRequest, response: NodeResponse) => Promise<void> {
  return async (request, response) => {
    const answer = await requestOf(request)
      .then(serve)
      .catch(() => new Response(null, { status: 500 }));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  };
}

async function requestOf(request: NodeRequest): Promise<Request> {
  const { method = "GET" } = request;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === "string") headers.set(name, value);
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    chunks.push(new Uint8Array(chunk));
    bytes += chunk.byteLength;
    // The rest is not read: it is refused as too long.
    if (bytes > BODY_BYTES) break;
  }
  const body = /^(GET|HEAD)$/.test(method) ? null : new Blob(chunks);
  // The address that was called does not matter, and a proxy may have changed it.
  return new Request("http://localhost/", { method, headers, body });
}

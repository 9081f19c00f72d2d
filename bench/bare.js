// The bare Durable Object that Sessile is measured against, and what people write first: one row
// stored and one frame relayed for each append, on hibernatable sockets and SQLite. It has no
// tokens, no limits, no resume; it acknowledges only what asks for it, and it reads back what it
// stored only for a joiner.

import { DurableObject } from "cloudflare:workers";

export class Bare extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY, data TEXT)");
  }

  async fetch(request) {
    const kind = new URL(request.url).searchParams.get("as");
    if (kind === "diagnostics") return Response.json({ bytes: this.sql.databaseSize });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [kind]);
    if (kind === "joiner") {
      for (const row of this.sql.exec("SELECT data FROM entry ORDER BY id")) server.send(row.data);
      server.send("end");
    }
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, text) {
    const frame = JSON.parse(text);
    this.sql.exec("INSERT INTO entry (data) VALUES (?)", frame.data);
    for (const reader of this.ctx.getWebSockets("reader")) reader.send(text);
    if (frame.ref !== undefined) socket.send(`{"type":"ack","ref":${frame.ref}}`);
  }

  webSocketClose() {}
}

export default {
  fetch(request, env) {
    const name = new URL(request.url).pathname;
    return env.BARE.getByName(name).fetch(request);
  },
};

// A stand-in for R2: it speaks the protocol of workerd's `r2Bucket` binding, as far as the Worker
// uses it, and keeps objects in a database on disk, so that they outlive a `kill -9`. Beside that
// it lists its keys, and can be told to fail.
import { DurableObject } from "cloudflare:workers";
import { Buffer } from "node:buffer";

const CHUNK = 1024 * 1024;
const SIZE = "cf-r2-metadata-size";

export default {
  fetch(request, env) {
    return env.BUCKET.get(env.BUCKET.idFromName("bucket")).fetch(request);
  },
};

export class Bucket extends DurableObject {
  #sql = this.ctx.storage.sql;
  #isDown = false;

  constructor(ctx, env) {
    super(ctx, env);
    this.#sql.exec("CREATE TABLE IF NOT EXISTS object(key TEXT PRIMARY KEY, size INTEGER)");
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS chunk(key TEXT, n INTEGER, data BLOB, PRIMARY KEY(key, n))",
    );
  }

  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/keys") return Response.json(this.#keys(""));
    if (pathname === "/down" || pathname === "/up") {
      this.#isDown = pathname === "/down";
      return new Response("");
    }
    if (this.#isDown) return failed(10001, "the bucket is down", 500);
    if (request.method === "GET") {
      return this.#get(JSON.parse(request.headers.get("cf-r2-request")));
    }
    const size = Number(request.headers.get(SIZE));
    const body = new Uint8Array(await request.arrayBuffer());
    const asked = JSON.parse(new TextDecoder().decode(body.subarray(0, size)));
    return this.#put(asked, body.subarray(size));
  }

  #keys(prefix) {
    const rows = this.#sql.exec("SELECT key FROM object ORDER BY key").toArray();
    return rows.map(({ key }) => key).filter((key) => key.startsWith(prefix));
  }

  #put({ method, object, objects, uploadId, partNumber, parts }, value) {
    switch (method) {
      case "put":
        this.#write(object, value);
        return said(this.#head(object));
      case "delete":
        for (const key of objects ?? [object]) this.#remove(key);
        return new Response("");
      case "createMultipartUpload":
        return said({ uploadId: `up-${object}` });
      case "uploadPart":
        this.#write(`${uploadId}/${partNumber}`, value);
        return said({ etag: `e${partNumber}` });
      case "completeMultipartUpload": {
        const all = parts.map(({ part }) => this.#read(`${uploadId}/${part}`));
        this.#removeUpload(uploadId);
        this.#write(object, new Uint8Array(Buffer.concat(all)));
        return said(this.#head(object));
      }
      case "abortMultipartUpload":
        this.#removeUpload(uploadId);
        return new Response("");
      default:
        return failed(10001, `no method ${method}`, 500);
    }
  }

  #get({ method, object, range, prefix, limit }) {
    if (method === "list") {
      const keys = this.#keys(prefix ?? "");
      const some = keys.slice(0, limit ?? 1000);
      const truncated = some.length < keys.length;
      const objects = some.map((key) => this.#head(key));
      const cursor = truncated ? { cursor: some.at(-1) } : {};
      return said({ objects, truncated, delimitedPrefixes: [], ...cursor });
    }
    const head = this.#head(object);
    if (head === undefined) return failed(10007, "The specified key does not exist.", 404);
    if (method === "head") return said(head);
    const whole = this.#read(object);
    const offset = Number(range?.offset ?? 0);
    const length = Math.min(Number(range?.length ?? whole.length), whole.length - offset);
    const part = whole.subarray(offset, offset + length);
    const given = range === undefined ? head : { ...head, range: { offset, length } };
    return said(given, part);
  }

  #head(key) {
    const [row] = this.#sql.exec("SELECT size FROM object WHERE key=?", key).toArray();
    if (row === undefined) return undefined;
    const times = { uploaded: 1, httpFields: {}, customFields: [] };
    return { name: key, version: "v", size: row.size, etag: "e", ...times, checksums: {} };
  }

  #write(key, value) {
    this.#remove(key);
    this.#sql.exec("INSERT INTO object(key, size) VALUES(?, ?)", key, value.length);
    for (let at = 0, n = 0; at < value.length; at += CHUNK, n += 1) {
      const data = value.slice(at, at + CHUNK);
      this.#sql.exec("INSERT INTO chunk(key, n, data) VALUES(?, ?, ?)", key, n, data.buffer);
    }
  }

  #read(key) {
    const rows = this.#sql.exec("SELECT data FROM chunk WHERE key=? ORDER BY n", key).toArray();
    return new Uint8Array(Buffer.concat(rows.map(({ data }) => new Uint8Array(data))));
  }

  #remove(key) {
    this.#sql.exec("DELETE FROM object WHERE key=?", key);
    this.#sql.exec("DELETE FROM chunk WHERE key=?", key);
  }

  #removeUpload(uploadId) {
    for (const key of this.#keys(`${uploadId}/`)) this.#remove(key);
  }
}

function said(metadata, value = new Uint8Array()) {
  const json = new TextEncoder().encode(JSON.stringify(metadata));
  const body = new Uint8Array(Buffer.concat([json, value]));
  return new Response(body, { headers: { [SIZE]: String(json.length) } });
}

function failed(v4code, message, status) {
  const error = JSON.stringify({ version: 0, v4code, message });
  return new Response(null, { status, headers: { "cf-r2-error": error } });
}

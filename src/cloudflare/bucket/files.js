// Files: a body on its way into the bucket, and bytes on their way out (P11.7).
//
// The session decides, and has a row before the first byte; the bytes never pass through its
// object. A file is hostile: only media and plain text are ever shown in place, and nothing is
// served in a type that a browser runs. In JavaScript, since bodies are streams of the runtime.

import { ANSWER_MS, ask as askObject, json, refusal } from "../platform/ask.js";
import { remove, store } from "./bucket.js";

/** Milliseconds that a signed address is valid: as long as a page is looked at. */
const SIGNED_MS = 60 * 60 * 1000;
/** Bytes that are read of a body that is refused, so that its client hears the refusal. */
const DISCARDED = 64 * 1024 * 1024;
const FILES = "/v1/sessions/{session}/files";
/** Characters of a name: as many as most file systems take. */
const NAME_LENGTH = 200;
/** Characters of a type (RFC 6838 has 127 for each half). */
const TYPE_LENGTH = 128;
/** The type of a file of which nothing else is known, or whose type no browser may follow. */
const BYTES = "application/octet-stream";
/** Types that are kept though they are only downloaded: no browser runs them in a page. */
const KEPT = new Set(["application/json", "application/pdf"]);
/** Of paths, and of headers; those that reverse text hide an ending: "gpj.exe" reads "exe.jpg". */
const HARMFUL = /[/\\:*?"<>|\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** The policy of a served file: a browser that shows one runs and loads nothing with it. */
const POLICY =
  "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'";
/** The headers that pages of other origins may read. */
const EXPOSED = "content-disposition, content-length, content-range, etag";

/**
 * Serves a request in a way (`upload`, `download`, `sign`) by the session of a grant. Resolves to
 * the answer, or to one that is still to be signed (`Unsigned`).
 */
export async function serve(env, request, way, session, file, grant, most, ms) {
  // Each of these lines is no address.
  const ask = (path, params, body) =>
    askObject(env, session, grant, { method: "", path, params }, body && JSON.stringify(body));
  switch (way) {
    case "upload":
      return upload(env, request, ask, session, most, ms);
    case "download":
      return download(env, request, ask, file);
    default: {
      const found = await ask(`${FILES}/{file}`, [file]);
      if (!found.ok) return found;
      return new Unsigned(request.url, session, 200, await found.json());
    }
  }
}

/** The answer that describes a file: its address is signed, where the deployment has a secret. */
class Unsigned {
  constructor(url, session, status, { file, asker, duplicate }) {
    const until = Date.now() + SIGNED_MS;
    const read = { session, file: file.id };
    /** The claims of a token that is good for this file alone (P2.8). */
    this.claims = JSON.stringify({
      iss: "sessile",
      sub: asker,
      iat: Date.now() / 1000,
      exp: Math.floor(until / 1000),
      read,
    });
    this.answer = (token) => {
      const address = `${new URL(url).origin}/v1/sessions/${session}/files/${file.id}`;
      const signed = { url: `${address}?token=${token}`, urlExpiresAt: until };
      const shown = { ...file, ...(token === undefined ? { url: address } : signed) };
      return json(status, { file: shown, ...(duplicate ? { duplicate } : {}) });
    };
  }
}

async function upload(env, request, ask, session, most, ms) {
  const bucket = env.FILES;
  const refuse = async (answer) => {
    await discard(request.body);
    return answer;
  };
  if (bucket == null) return refuse(unbound());
  const query = new URL(request.url).searchParams;
  const said = request.headers.get("content-length");
  const length = said === null ? undefined : Number(said);
  if (length > most) return refuse(tooLarge(most));
  const id = query.get("id") ?? undefined;
  const isSound = id === undefined || (id !== "" && id.length <= 128);
  if (!isSound) {
    const message = "unable to upload; id is not 1 to 128 characters";
    return refuse(refusal("invalid-frame", 400, message));
  }
  const file = {
    id: drawn(),
    name: harmlessName(query.get("name") ?? ""),
    type: harmlessType(request.headers.get("content-type") ?? ""),
    bytes: length ?? most,
    upload: id,
  };
  const begun = await ask(FILES, [], file);
  if (!begun.ok) return refuse(begun);
  const located = await begun.json();
  if (located.duplicate) return refuse(new Unsigned(request.url, session, 200, located));
  let bytes;
  let answer = tooLarge(most);
  try {
    bytes = await store(bucket, located.key, request.body, length, most, ms);
  } catch (error) {
    const reason = String(error?.message ?? error).slice(0, 200);
    answer = refusal("internal", 500, `unable to upload; the file did not arrive: ${reason}`);
  }
  const isWhole = bytes !== undefined && bytes >= 0;
  const ended = await ask(`${FILES}/{file}/end`, [file.id], isWhole ? { bytes } : {});
  if (!isWhole) return answer;
  if (ended.ok) return new Unsigned(request.url, session, 201, await ended.json());
  // The session was deleted meanwhile: its deletion owes this too, but later.
  await remove(env, "", JSON.stringify([located.key]), ANSWER_MS).catch(() => {});
  return ended;
}

async function download(env, request, ask, id) {
  if (env.FILES == null) return unbound();
  const found = await ask(`${FILES}/{file}`, [id]);
  if (!found.ok) return found;
  const { file, key } = await found.json();
  const said = (name) => request.headers.get(name);
  const headers = headersOf(file);
  if (isKnown(said("if-none-match"), file)) return new Response(null, { status: 304, headers });
  const range = rangeOf(said("range"), said("if-range"), file);
  if (range === null) {
    headers["content-range"] = `bytes */${file.bytes}`;
    return new Response(null, { status: 416, headers });
  }
  const object = await env.FILES.get(key, range === undefined ? {} : { range });
  if (object === null) {
    return refusal("not-found", 404, "unable to read; the bucket has no such file");
  }
  if (range === undefined) return new Response(object.body, { headers });
  const { offset, length } = range;
  headers["content-range"] = `bytes ${offset}-${offset + length - 1}/${file.bytes}`;
  return new Response(object.body, { status: 206, headers });
}

async function discard(body) {
  if (body === null) return;
  let left = DISCARDED;
  try {
    for await (const chunk of body) {
      left -= chunk.length;
      if (left < 0) return;
    }
  } catch {
    // Its client is gone, and hears no refusal.
  }
}

/** An id: the time first, so that ids are in order, then 64 random bits. */
function drawn() {
  const random = crypto.getRandomValues(new Uint8Array(8));
  const hex = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return Date.now().toString(16).padStart(11, "0") + hex;
}

function unbound() {
  const message = "unable to serve; the deployment keeps no files: bind an R2 bucket as FILES";
  return refusal("not-configured", 503, message);
}

function tooLarge(most) {
  const message = `unable to upload; the file has more than ${most} bytes, fileBytes`;
  return refusal("too-large", 413, message);
}

/** A name without what a path, a header or a reader's eye would stumble over. */
export function harmlessName(name) {
  const clean = [...name.toWellFormed().replace(HARMFUL, "_")].slice(0, NAME_LENGTH).join("");
  return clean.replace(/^[.\s]+|[.\s]+$/gu, "") || "file";
}

/** A media type without parameters, in small letters. */
export function harmlessType(type) {
  const essence = type.split(";", 1)[0].trim().toLowerCase();
  const isSound = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(essence);
  return isSound && essence.length <= TYPE_LENGTH ? essence : BYTES;
}

/** Whether a browser may show it in place. Any XML may be a page with a script: SVG above all. */
function isShown(type) {
  if (type === "text/plain") return true;
  return /^(image|audio|video)\//.test(type) && !type.endsWith("xml") && !type.includes("svg");
}

/** A file's `ETag`: it never changes. */
function etagOf({ id }) {
  return `"${id}"`;
}

/** The headers that a file is served with. */
export function headersOf(file) {
  const { name, type } = file;
  const isInPlace = isShown(type);
  const kept = isInPlace || KEPT.has(type) ? type : BYTES;
  const plain = name.replace(/[^ -~]|%/gu, "_");
  const encoded = encodeURIComponent(name).replace(/[!'()*]/g, (it) => `%${hex(it)}`);
  const kind = isInPlace ? "inline" : "attachment";
  return {
    "content-type": kept === "text/plain" ? "text/plain; charset=utf-8" : kept,
    "content-disposition": `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`,
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": EXPOSED,
    // Each use asks the session again, which may have deleted it.
    "cache-control": "private, no-cache",
    "accept-ranges": "bytes",
    etag: etagOf(file),
  };
}

function hex(character) {
  return character.charCodeAt(0).toString(16).toUpperCase();
}

/** Whether `If-None-Match` names the file as it is. */
export function isKnown(ifNoneMatch, file) {
  const tags = (ifNoneMatch ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.some((tag) => tag === "*" || tag === etagOf(file));
}

/**
 * The part of a file that `Range` and `If-Range` ask for: undefined for all of it, null for nothing
 * that it has. A range that is malformed, of another unit or of several parts is ignored, as RFC
 * 9110 allows.
 */
export function rangeOf(range, ifRange, file) {
  if (ifRange !== null && ifRange.trim() !== etagOf(file)) return undefined;
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec((range ?? "").trim()) ?? [];
  if (first === undefined || (first === "" && last === "")) return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const size = file.bytes;
  const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(Number(last) + 1, size);
  return offset < end ? { offset, length: end - offset } : null;
}

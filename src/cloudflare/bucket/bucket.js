// The bucket of files, R2 at the binding FILES (P11.7): bytes in and away, never all at once in
// memory.

/** Bytes of one part of a body whose length is not known: the least that R2 takes. */
const PART = 5 * 1024 * 1024;
/** Objects that R2 deletes, and lists, at once. */
const BATCH = 1000;

/**
 * Stores a body under a key: `length` bytes, or as many as come where that is undefined, `most` at
 * most. Resolves to their number, or to -1 if there are more; rejects if the body breaks off or is
 * not there within `ms`.
 */
export async function store(bucket, key, body, length, most, ms) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("it took too long")), ms);
  try {
    if (body === null || length === 0) {
      await bucket.put(key, "");
      return 0;
    }
    if (length === undefined) return await inParts(bucket, key, body, most, controller.signal);
    const { readable, writable } = new FixedLengthStream(length);
    const sent = body.pipeTo(writable, { signal: controller.signal });
    await Promise.all([bucket.put(key, readable), sent]);
    return length;
  } finally {
    clearTimeout(timer);
  }
}

/** Stores a body of unknown length, of which one part is held at a time. */
async function inParts(bucket, key, body, most, signal) {
  const reader = body.getReader();
  signal.addEventListener("abort", () => void reader.cancel(signal.reason).catch(() => {}));
  let upload;
  const parts = [];
  let bytes = 0;
  try {
    for (;;) {
      const { part, isLast } = await nextPart(reader);
      signal.throwIfAborted();
      bytes += part.length;
      if (bytes > most) {
        await reader.cancel().catch(() => {});
        await upload?.abort();
        return -1;
      }
      if (isLast && upload === undefined) {
        await bucket.put(key, part);
        return bytes;
      }
      upload ??= await bucket.createMultipartUpload(key);
      if (part.length > 0) parts.push(await upload.uploadPart(parts.length + 1, part));
      if (isLast) {
        await upload.complete(parts);
        return bytes;
      }
    }
  } catch (error) {
    await upload?.abort().catch(() => {});
    throw error;
  } finally {
    reader.releaseLock();
  }
}

/** The next part, and whether the body ends with it. A chunk may be longer than a part. */
async function nextPart(reader) {
  const part = reader.rest ?? [];
  let length = part.reduce((sum, chunk) => sum + chunk.length, 0);
  while (length < PART) {
    const { done, value } = await reader.read();
    if (done) return { part: joined(part, length), isLast: true };
    part.push(value);
    length += value.length;
  }
  const whole = joined(part, length);
  reader.rest = length > PART ? [whole.slice(PART)] : [];
  return { part: whole.subarray(0, PART), isLast: false };
}

function joined(chunks, length) {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/**
 * Deletes these keys, as JSON, or everything below a prefix where there are none. Rejects if not
 * all of it is done within `ms`.
 */
export async function remove(env, prefix, keys, ms) {
  if (env.FILES == null) throw new Error("the deployment has no bucket FILES");
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the bucket did not answer within ${ms} ms`)), ms);
  });
  const work = keys === "" ? below(env.FILES, prefix) : env.FILES.delete(JSON.parse(keys));
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function below(bucket, prefix) {
  for (;;) {
    const { objects, truncated } = await bucket.list({ prefix, limit: BATCH });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    if (!truncated) return;
  }
}

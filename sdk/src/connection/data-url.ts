// `data:` addresses, and the bytes in them. Nothing is fetched: a page's policy may forbid that.

/** Characters of such addresses that a message keeps; beyond them they are files (P11.7). */
export const MOST_DATA = 32 * 1024;

/** Whether a value is such an address. */
export function isDataUrl(url: unknown): url is string {
  return typeof url === "string" && /^data:/i.test(url);
}

/** The bytes of an address; undefined for one that is malformed. */
export function blobOf(url: string): Blob | undefined {
  const comma = url.indexOf(",");
  const [type = "", ...parameters] = url.slice("data:".length, comma).split(";");
  try {
    const text = decodeURIComponent(url.slice(comma + 1));
    const isBase64 = parameters.at(-1)?.trim().toLowerCase() === "base64";
    return comma < 0 ? undefined : new Blob([isBase64 ? bytesIn(atob(text)) : text], { type });
  } catch {
    return undefined;
  }
}

/** Bytes from the units of a text; a loop, since some files have 25 MiB. */
function bytesIn(units: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(units.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = units.charCodeAt(at);
  return bytes;
}

/** An address that has the bytes in it. */
export async function dataUrlOf(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += STEP) {
    text += String.fromCharCode(...bytes.subarray(at, at + STEP));
  }
  return `data:${blob.type};base64,${btoa(text)}`;
}

/** Bytes that are turned into characters at once: arguments of a call are bounded. */
const STEP = 8_192;

// The way in for a real phone.

import { useMemo } from "react";
import { encode } from "uqr";
import { deviceAddress, isOnlyHere } from "./place.ts";

export function Join({ session }: { session: string }) {
  const path = deviceAddress(session);
  const address = location.origin + path;
  return (
    <section className="panel" aria-labelledby="join">
      <h2 id="join">Join with a phone</h2>
      {isOnlyHere() ? (
        <p>
          Only this machine can open this address. Start with{" "}
          <code>npm start -- --host 0.0.0.0</code>, and open the address that it prints for your
          network: then a code to scan is here.
        </p>
      ) : (
        <Code text={address} />
      )}
      <p>
        <a href={path} target="_blank" rel="noreferrer">
          Open one more device in a tab
        </a>
        . It can be notified: switch that on under “This device”, ask something, and close it.
      </p>
    </section>
  );
}

/** A QR code, drawn. */
function Code({ text }: { text: string }) {
  const { data, size } = useMemo(() => encode(text, { border: 2 }), [text]);
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return (
    <svg
      className="code"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={`QR code of ${text}`}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

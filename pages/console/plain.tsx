// Texts of others in places where one character may deceive: those that are not seen, or turn the
// direction of what follows, are named.

import { Fragment } from "react";

/** But for those that scripts and emoji need, and the signs of Arabic numbers, which are seen. */
const HIDDEN = /((?!\n|\t|\u200c|\u200d|[\u0600-\u0605\u06dd])[\p{Cc}\p{Cf}\u2028\u2029])/u;

/** A text as it is, in its own direction, with hidden characters named. */
export function Plain({ text }: { text: string }) {
  const parts = text.split(HIDDEN);
  if (parts.length === 1) return <bdi>{text}</bdi>;
  return (
    <bdi>
      {parts.map((part, at) =>
        at % 2 === 0 ? <Fragment key={at}>{part}</Fragment> : <Hidden key={at} char={part} />,
      )}
    </bdi>
  );
}

function Hidden({ char }: { char: string }) {
  const code = char.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  return <span className="hidden-char" title="A hidden character">{`U+${code}`}</span>;
}

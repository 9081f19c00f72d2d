// Markdown as elements, never as HTML: the text is of others. A streamed text only grows, so its
// blocks keep their places and only the last one is drawn again.

import { marked, type Token, type Tokens } from "marked";
import { memo, type ReactNode } from "react";
import { settled } from "./growing.ts";
import "./markdown.css";

/** The addresses that a link may have; anything else is shown as text. */
const LINKS = /^(https?:|mailto:)/i;

interface Props {
  text: string;
  /** Whether more of it may come: its end is shown as what it will most likely be. */
  isGrowing?: boolean;
}

/** A text in Markdown. */
export function Markdown({ text, isGrowing = false }: Props) {
  const shown = isGrowing ? settled(text) : text;
  const blocks = marked.lexer(shown).filter(({ type }) => type !== "space");
  return (
    <div className="markdown">
      {blocks.map((block, at) => (
        <Block key={at} raw={block.raw} block={block} />
      ))}
    </div>
  );
}

/** Drawn again only when its text is another one. */
const Block = memo(
  ({ block }: { raw: string; block: Token }) => <>{drawn(block)}</>,
  (was, is) => was.raw === is.raw,
);

function all(tokens: readonly Token[] | undefined): ReactNode {
  return tokens?.map((token, at) => <Inline key={at} token={token} />);
}

function Inline({ token }: { token: Token }) {
  return <>{drawn(token)}</>;
}

function drawn(token: Token): ReactNode {
  switch (token.type) {
    case "heading":
      return <p className={`heading heading-${token.depth}`}>{all(token.tokens)}</p>;
    case "paragraph":
      return <p>{all(token.tokens)}</p>;
    case "blockquote":
      return <blockquote>{all(token.tokens)}</blockquote>;
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its text scrolls by keyboard
        <pre tabIndex={0}>
          <code>{token.text}</code>
        </pre>
      );
    case "hr":
      return <hr />;
    case "list":
      return drawnList(token as Tokens.List);
    case "table":
      return drawnTable(token as Tokens.Table);
    case "strong":
      return <strong>{all(token.tokens)}</strong>;
    case "em":
      return <em>{all(token.tokens)}</em>;
    case "del":
      return <del>{all(token.tokens)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return LINKS.test(token.href) ? (
        <a href={token.href} target="_blank" rel="noopener noreferrer nofollow">
          {all(token.tokens)}
        </a>
      ) : (
        token.raw
      );
    case "escape":
      return token.text;
    case "text":
      return token.tokens ? all(token.tokens) : unescaped(token.text);
    default:
      // HTML and pictures among them: as it was written.
      return token.raw;
  }
}

function drawnList({ ordered, start, items }: Tokens.List): ReactNode {
  const lines = items.map(({ tokens }, at) => <li key={at}>{all(tokens)}</li>);
  return ordered ? <ol start={Number(start) || 1}>{lines}</ol> : <ul>{lines}</ul>;
}

function drawnTable({ header, rows }: Tokens.Table): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard
    <section className="table" tabIndex={0} aria-label="Table">
      <table>
        <thead>
          <tr>
            {header.map(({ tokens }, at) => (
              <th key={at}>{all(tokens)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map(({ tokens }, column) => (
                <td key={column}>{all(tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

/** `marked` writes text for HTML in some places; elements want it as it was. */
function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (raw, name) => ENTITIES[name] ?? raw);
}

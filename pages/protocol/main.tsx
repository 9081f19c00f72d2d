// The protocol that this deployment speaks, with an address for each rule.

import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import text from "../../PROTOCOL.md";
import { Markdown } from "../look/markdown.tsx";
import { PageHeader } from "../look/parts.tsx";
import { chaptersOf } from "./rules.ts";
import "./style.css";

const chapters = chaptersOf(text);

function Protocol() {
  useEffect(() => {
    // The rules were not there yet when the browser looked for the one in the address.
    if (location.hash) location.replace(location.hash);
  }, []);
  const named = chapters.filter(({ id }) => id !== undefined);
  return (
    <>
      <PageHeader title="Protocol" />
      <main className="protocol">
        <nav aria-label="Chapters">
          <ul>
            {named.map(({ id, title }) => (
              <li key={id}>
                <a href={`#${id}`}>{title}</a>
              </li>
            ))}
          </ul>
        </nav>
        {named.map(({ id, title, pieces }) => (
          <section key={id} id={id} aria-labelledby={`${id}-title`}>
            <h2 id={`${id}-title`}>{title}</h2>
            {pieces.map(({ rule, text }, at) => (
              <article key={rule ?? at} id={rule} className={rule && "rule-text"}>
                <Markdown text={text} />
              </article>
            ))}
          </section>
        ))}
      </main>
    </>
  );
}

const root = document.getElementById("app");
if (root) createRoot(root).render(<Protocol />);

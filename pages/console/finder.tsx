// The search over the list, and its filters.

import type { KeyboardEvent } from "react";
import { Button } from "../look/parts.tsx";
import type { Filter } from "./rows.ts";

const FILTERS: readonly (readonly [Filter, string])[] = [
  ["all", "All"],
  ["decide", "To decide"],
  ["open", "Answering"],
  ["unread", "Unread"],
];

interface Props {
  search: string;
  filter: Filter;
  counts: Record<Filter, number>;
  onSearch: (search: string) => void;
  onFilter: (filter: Filter) => void;
  /** Enter in the search. */
  onEnter: () => void;
}

/** Narrows the list down. */
export function Finder({ search, filter, counts, onSearch, onFilter, onEnter }: Props) {
  const enter = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.nativeEvent?.isComposing) onEnter();
    // An empty search has nothing to clear: then the field is left.
    if (event.key === "Escape") onSearch("");
  };
  return (
    <search className="finder">
      <input
        type="search"
        aria-label="Search by title or id, or open a session by its id"
        aria-keyshortcuts="/"
        placeholder="Search, or a session's id"
        autoComplete="off"
        spellCheck={false}
        value={search}
        onInput={(event) => onSearch(event.currentTarget.value)}
        onKeyDown={enter}
      />
      <fieldset className="filters">
        <legend className="visually-hidden">Show</legend>
        {FILTERS.map(([name, words], at) => (
          <Button
            key={name}
            aria-pressed={filter === name}
            aria-keyshortcuts={String(at + 1)}
            onClick={() => onFilter(name)}
          >
            {words} <span className="count">{counts[name]}</span>
          </Button>
        ))}
      </fieldset>
    </search>
  );
}

// Asks for a token where no other way to one is known.

import { type FormEvent, useState } from "react";
import { Button, Note } from "../look/parts.tsx";
import { type Access, keepToken } from "./access.ts";
import "./sign-in.css";

interface Props {
  /** The capabilities that the page needs, in words. */
  needs: string;
  onAccess: (access: Access) => void;
}

/** A form for a token: it stays in this tab and is sent to this deployment alone. */
export function SignIn({ needs, onAccess }: Props) {
  const [token, setToken] = useState("");
  const enter = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim()) onAccess(keepToken(token.trim()));
  };
  return (
    <main className="sign-in">
      <form onSubmit={enter}>
        <h1>Which token is yours?</h1>
        <p>
          This page needs a token with {needs}. Make one with <code>npx sessile token</code>.
        </p>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          autoComplete="off"
          spellCheck={false}
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <Button kind="main" type="submit" disabled={token.trim() === ""}>
          Go on
        </Button>
        <Note>It stays in this tab until you close it, and goes to this deployment alone.</Note>
      </form>
    </main>
  );
}

// A ready service worker. In the package it is one file, so that any service worker can import it.

import { type Scope, serve } from "./serve.ts";

// A page or a server that imports it by mistake is none.
if ("registration" in globalThis) serve(globalThis as unknown as Scope);

// The types of `sessile/worker`: the built Worker, for a Worker of your own (docs/deploy.md).

/** The whole Worker. Export it as the default, extend it, or pass requests for `/v1/` on to it. */
export default class Sessile {
  constructor(ctx: unknown, env: unknown);
  fetch(request: Request): Promise<Response>;
}

/** The class of a session's object, for the binding `SESSIONS`. */
export class SessionObject {
  constructor(ctx: unknown, env: unknown);
}

/** The class of an inbox's object, for the binding `INBOXES`. */
export class InboxObject {
  constructor(ctx: unknown, env: unknown);
}

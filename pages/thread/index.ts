// A conversation as components: put them below a `SessionProvider` whose session somebody connects.

export { Approvals, Asked, AskedAs } from "./approvals.tsx";
export { Composer, type How, say } from "./composer.tsx";
export { TakeOver } from "./lead.tsx";
export { type About, People, Typing, useNames } from "./names.tsx";
export { Thread } from "./thread.tsx";
export { Usage } from "./usage.tsx";

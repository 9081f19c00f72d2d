// A conversation as components: put them below a `SessionProvider` whose session somebody connects.

export { AskedAs } from "./approvals.tsx";
export { Composer, say } from "./composer.tsx";
export { People, Typing } from "./names.tsx";
export { Thread } from "./thread.tsx";
export { Usage } from "./usage.tsx";

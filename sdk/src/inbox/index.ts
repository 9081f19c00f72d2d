// `sessile/inbox`: what concerns one client, or one role, in all of its sessions.

export type { InboxOptions } from "./connection.ts";
export { createInbox, type Inbox, type InboxSnapshot } from "./inbox.ts";
export type { ListName } from "./lists.ts";

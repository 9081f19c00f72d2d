//! Bounds of revocations and contacts (P11.5).

/// Bytes of all revocations as JSON (P11.5): one row, which every isolate has in memory.
pub const REVOCATION_BYTES: usize = 1024 * 1024;
/// Milliseconds for which a revocation is kept: no token should live longer.
pub const REVOCATION_MS: u64 = 400 * 24 * 60 * 60 * 1000;
/// Milliseconds after which each is told once more: by then no Worker admits such a token.
pub const REVOKE_AGAIN_MS: u64 = 4_000;
/// Calls at once by which one object tells others of the deployment of revocations.
pub const REVOKING_AT_ONCE: usize = 32;
/// Milliseconds after which such a call counts as lost and is made again, which does no harm.
pub const REVOKING_LOST_MS: u64 = 2_000;
/// Sessions that a client is known to have come to, the latest: two rows each.
pub const CONTACTS: usize = 10_000;
/// Clients whose inboxes a session knows to know of it: beyond that they are told again.
pub const CONTACTS_KEPT: usize = 200;
/// Clients whose inboxes are told of an import or a fork that brings their words: all of them are
/// in one row, half a megabyte at most.
pub const CONTACTS_IMPORTED: usize = 1_000;
/// Contacts that a session tells inboxes at once.
pub const CONTACTS_AT_ONCE: usize = 8;
/// Milliseconds for which a session remembers one: tokens that were admitted before come by then.
pub const REVOKED_MS: u64 = 60 * 1000;

//! The erasure of a client (P11.10): its bounds, and the lines of two addresses.

use super::routes::{REVOKED_HERE, Route, TOLD};

/// Milliseconds that the erasure of a client takes at least (P11.10): by then nobody is let in by a
/// token that it revoked.
pub const ERASURE_MS: u64 = 10 * 1000;
/// Milliseconds for which its report is kept.
pub const ERASURE_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Milliseconds after a deletion until an inbox overwrites the bytes, at least.
pub const SCRUB_MS: u64 = 10 * 1000;
/// The same for each item of the inbox: all are copied, and a row a second is cheap.
pub const SCRUB_MS_EACH: u64 = 1000;

/// The line by which an inbox deletes a session.
pub static ERASE: Route = Route {
    method: "DELETE",
    path: "/v1/sessions/{session}",
    ..REVOKED_HERE
};
/// The line by which it revokes its client's tokens.
pub static REVOKE: Route = Route {
    method: "POST",
    path: "/v1/revocations",
    ..TOLD
};

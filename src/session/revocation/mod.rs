//! Revoked tokens (P11.5): connections that they opened are closed, also once they are asleep.
//!
//! The inbox of a client knows every session that the client came to, as each tells it once.

pub(super) mod contact;
pub(super) mod cut;
pub(super) mod state;

//! Readers: attaching, resuming, and reads (P3, P6.9, P11.1).

pub(super) mod attach;
pub(super) mod conversation;
pub(super) mod history;
pub(super) mod log;
pub(super) mod page;
pub(super) mod probe;
pub(super) mod renew;
pub(super) mod replay;
pub(super) mod snapshot;

//! The session as a file (P11.6).

pub(super) mod export;
pub(super) mod import;
mod lines;
pub(super) mod progress;

//! The shared state: one tree of JSON beside the log (P9.1, P9.2, P9.4).

pub(super) mod change;
pub(super) mod form;
pub(super) mod memory;
pub(super) mod part;
pub(super) mod shown;
mod tree;

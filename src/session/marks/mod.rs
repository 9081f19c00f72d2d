//! Read marks: how far each client has read (P9.5).

pub(super) mod memory;
pub(super) mod part;
pub(super) mod read;
pub(super) mod shown;
pub(super) mod unread;

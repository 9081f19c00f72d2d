//! Clients that are away are told on their devices (P10.2): the session says who is away, and the
//! inbox of that client owes its devices the rest.

pub(super) mod away;
pub(super) mod notify;
pub(super) mod part;

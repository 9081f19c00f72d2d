//! Words are searched for in the session's messages (P11.9). Nothing is kept in memory, and no
//! other feature knows of it.

pub(super) mod found;

//! The one way out (P10.4): a delivery is a row in the commit of its cause; the platform makes one
//! attempt at a time, and its outcome is an input.

pub(super) mod hooks;
pub(super) mod part;
pub(super) mod report;

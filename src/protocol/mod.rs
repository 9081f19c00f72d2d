//! Words: the plain data that crosses the wire, and how it is read and written.
//!
//! No rules live here, no clock and no platform. What a frame may do is decided in
//! [`crate::session`]; what it may look like is decided here.

pub mod capability;
pub mod change;
pub mod check;
pub mod data;
pub mod decode;
pub mod deployment;
pub mod error;
pub mod fields;
pub mod frame;
pub mod hooks;
pub mod ids;
pub mod limits;
pub mod message;
pub mod presence;
pub mod query;
pub mod serial;
pub mod settings;
pub mod target;
pub mod turn;
mod words;

/// The version of the protocol that `attached` reports (P3.4).
pub const PROTOCOL_VERSION: u32 = 1;

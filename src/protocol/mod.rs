//! Words: the plain data on the wire, and its encoding.
//!
//! No rules, no clock and no platform: this room decides the form of a frame,
//! [`crate::session`] its effect.

pub mod agent;
pub mod amount;
pub mod annotation;
pub mod approval;
mod approval_frames;
pub mod approval_shown;
mod asking;
pub mod asking_query;
pub mod attached;
pub mod call;
mod call_frames;
pub mod capability;
pub mod data;
pub mod decode;
pub mod deployment;
pub mod development;
pub mod device;
pub mod erasure;
pub mod error;
pub mod fields;
pub mod file;
pub mod frame;
pub mod grant;
pub mod handover;
pub mod hooks;
pub mod ids;
pub mod inbox;
pub mod inbox_merge;
mod json_error;
pub mod limits;
pub mod log_query;
pub mod mark;
pub mod message;
pub mod message_frames;
pub mod milestone;
pub mod news;
pub mod notice;
pub mod object;
pub mod presence;
pub mod query;
pub mod reads;
pub mod request;
pub mod revocation;
pub mod routes;
pub mod schema;
pub mod search;
pub mod serial;
pub mod settings;
pub mod size;
pub mod snapshot;
pub mod state;
pub mod target;
pub mod traceparent;
pub mod transfer;
pub mod tree;
pub mod turn;
pub mod turn_frames;
pub mod usage;

/// The version of the protocol that `attached` reports (P3.4).
pub const PROTOCOL_VERSION: u32 = 1;

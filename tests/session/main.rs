//! What a session does, as short scripts and what everybody is sent (one file a feature).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    unreachable_pub,
    dead_code
)]

mod append;
mod host;
mod publish;
mod reader;
mod sequence;
mod show;
mod silence;
#[path = "../sqlite/mod.rs"]
mod sqlite;
mod words;
mod world;

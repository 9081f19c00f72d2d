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

mod answers;
mod append;
mod bodies;
mod change;
mod control;
mod full;
mod history;
mod host;
mod identity;
mod interrupt;
mod life;
mod limits;
mod publish;
mod reader;
mod replay;
mod requests;
mod resume;
mod rollup;
mod sequence;
mod show;
mod signal;
mod silence;
mod start;
mod steer;
#[path = "../sqlite/mod.rs"]
mod sqlite;
mod turn;
mod windows;
mod words;
mod world;

//! The store on real SQLite, against a model that is too simple to be wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "sqlite/mod.rs"]
mod sqlite;

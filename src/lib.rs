//! Sessile: a durable session layer for AI agents that runs at the edge.
//!
//! A session is one ordered log in one Durable Object. The code reads as one story in four
//! rooms, and dependencies point one way:
//!
//! ```text
//! protocol   words       frames, messages, serials, errors, limits: plain data and serde
//! session    decisions   a deterministic state machine: Input in, rows and Effects out
//! store      rows        the only SQL: what the session reads and what it stores
//! cloudflare platform    wasm32 only: sockets, SQL, timers, HTTP; decides nothing
//! ```
//!
//! `token` is beside them: who somebody is and what they may do, pure as well.
//! `ARCHITECTURE.md` has the invariants, `PROTOCOL.md` the rules that the code cites (`P3.5`).

#[cfg(target_arch = "wasm32")]
pub mod cloudflare;
pub mod protocol;
pub mod session;
pub mod store;
pub mod token;

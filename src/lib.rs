//! Sessile: a durable session layer for AI agents that runs at the edge.
//!
//! A session is one ordered log in one Durable Object. The code reads as one story in a few
//! rooms, and dependencies point one way:
//!
//! ```text
//! protocol   words       frames, messages, addresses, errors, limits: plain data and serde
//! machine    contract    the shape of a core: Input in, rows and Effects out
//! session    decisions   the one core, a deterministic state machine
//! inbox      decisions   the other: what concerns one client across sessions
//! store      rows        the only SQL: what the cores read and what they store
//! cloudflare platform    wasm32 only: sockets, SQL, timers, HTTP; decides nothing
//! ```
//!
//! `token` is beside them: who somebody is and what they may do, pure as well.
//! `ARCHITECTURE.md` has the invariants, `PROTOCOL.md` the rules that the code cites (`P3.5`).

#[cfg(target_arch = "wasm32")]
pub mod cloudflare;
pub mod inbox;
pub mod machine;
pub mod protocol;
pub mod session;
pub mod store;
pub mod token;

//! Sessile: a durable session layer for AI agents that runs at the edge.
//!
//! A session is one ordered log in one Durable Object. The code reads as one story in a few
//! rooms, and dependencies point one way:
//!
//! ```text
//! protocol   words       frames, messages, addresses, errors, limits: plain data and serde
//! machine    contract    the shape of a core: Input in, rows and Effects out
//! session    decisions   the one core, a deterministic state machine
//! inbox      decisions   the other core: one client's news from all sessions
//! store      rows        the only SQL: reads and writes of the cores
//! cloudflare platform    wasm32 only: sockets, SQL, timers, HTTP; decides nothing
//! ```
//!
//! `token` is beside them: identity and permission from a JWT, pure as well.
//! `ARCHITECTURE.md` has the invariants, `PROTOCOL.md` the rules that the code cites (`P3.5`).

#[cfg(target_arch = "wasm32")]
pub mod cloudflare;
pub mod inbox;
pub mod machine;
pub mod ordered;
pub mod protocol;
pub mod session;
pub mod store;
pub mod token;

//! The platform: Cloudflare Workers and Durable Objects. It decides nothing.
//!
//! ```text
//! worker     the program that admits and routes: it checks a token, passes the request on to an
//!            object, and bridges clients that speak no WebSocket, so that the object may sleep
//! object     the program that runs a machine: it turns everything that happens into an input
//!            and performs the effects
//! call       the calls of the first to the second
//! bucket     the bytes of files
//! revoked    tokens that are refused by both, though they are signed and valid
//! push       the transports of notices to people's devices
//! platform   the runtime for both: JavaScript, time, configuration, keys, panics
//! ```
//!
//! The first two know nothing of each other, and the platform knows neither.

mod bucket;
mod call;
mod object;
mod platform;
mod push;
mod revoked;
pub mod worker;

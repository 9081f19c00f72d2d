//! The runtime, for both programs: JavaScript, time, configuration, keys, panics.

pub(crate) mod chunks;
mod claims;
pub(crate) mod config;
pub(crate) mod env;
pub(crate) mod http;
pub(crate) mod js;
pub(crate) mod keys;
pub(crate) mod log;
mod made;
mod memory;
pub(crate) mod panics;
pub(crate) mod schema;
mod services;
mod signatures;
pub(crate) mod time;
pub(crate) mod upgrade;

//! The objects: the program that runs a machine of either class.
//!
//! `entry` is what the runtime calls, `incoming` what comes over connections, `shell` the one
//! place where the machine is entered and its effects are performed. A class (`session`, `inbox`)
//! is the exports and what the platform adds to its machine.

mod backlog;
mod class;
mod deliver;
mod diagnostics;
mod entry;
mod fault;
mod inbox;
mod incoming;
mod loaded;
mod session;
mod shell;
mod sockets;
mod sql;
mod stalled;
mod wake;

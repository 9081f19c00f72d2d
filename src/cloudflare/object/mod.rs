//! The objects: the program that runs a machine of either class.
//!
//! `entry` has the runtime's entry points, `incoming` the messages of connections; `shell` alone
//! calls the machine and performs its effects. A class (`session`, `inbox`) has the exports and the
//! platform's additions to its machine.

mod backlog;
mod class;
mod deliver;
mod diagnostics;
mod entry;
mod fault;
mod inbox;
mod incoming;
mod loaded;
mod post;
mod session;
mod shell;
mod sockets;
mod sql;
mod stalled;
mod wake;

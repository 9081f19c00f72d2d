//! The objects: the program that runs a machine.

mod backlog;
mod diagnostics;
mod incoming;
mod requests;
mod session_object;
mod shell;
mod sockets;
mod sql;
mod stalled;
mod wake;

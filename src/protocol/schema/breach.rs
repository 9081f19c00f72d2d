//! Breaches of a schema, and their places.

use serde::Serialize;

use crate::protocol::object::read_fields;

/// One fault: in a value that breaks a schema, or in a schema that may not be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// Where, as a JSON pointer; empty for the whole.
    pub path: String,
    /// Why, as a clause: `it is text, not a number`.
    pub reason: String,
}

read_fields!(Breach { path, reason });

impl Breach {
    /// One of the whole.
    pub fn of_all(reason: &str) -> Self {
        Self {
            path: String::new(),
            reason: reason.to_owned(),
        }
    }
}

//! What an object says of itself (P11.4).

use super::class::Class;
use super::shell::{Core, Shell};

/// A class whose objects say something of themselves.
pub(super) trait Report: Class {
    /// The object's own figures as JSON, for a class with an address that reads them.
    fn report(_: &Shell<Self>, _: &Core<Self>) -> String {
        "{}".to_owned()
    }
}

//! A machine as a class of objects: the platform's additions to it.

use worker::Env;

use super::loaded::Core;
use crate::machine::Machine;
use crate::protocol::decode::Received;

/// A machine that objects run.
pub(super) trait Class: Machine {
    /// The word for one of them in errors.
    const THING: &'static str;

    /// Performs a delivery. It always ends, and any failure is an outcome.
    fn deliver(
        env: Env,
        delivery: Self::Delivery,
    ) -> impl Future<Output = Self::Delivered> + 'static;

    /// The frames in a request, for faults injected by tests.
    fn frames(_: &Self::Request) -> &[Received] {
        &[]
    }

    /// The object's own figures (P11.4) as JSON, for a class with an address for them; `name` is
    /// the object's name.
    fn report(_: String, _: &Core<Self>) -> String {
        "{}".to_owned()
    }
}

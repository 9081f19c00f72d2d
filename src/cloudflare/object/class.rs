//! A machine as a class of objects: what the platform adds to it.

use worker::Env;

use super::loaded::Core;
use crate::machine::Machine;
use crate::protocol::decode::Received;

/// A machine that objects run.
pub(super) trait Class: Machine {
    /// What one of them is called where it fails.
    const THING: &'static str;

    /// Performs a delivery. It comes to an end by itself, and any failure is an outcome.
    fn deliver(
        env: Env,
        delivery: Self::Delivery,
    ) -> impl Future<Output = Self::Delivered> + 'static;

    /// The frames in a request, for the faults that a test may ask for.
    fn frames(_: &Self::Request) -> &[Received] {
        &[]
    }

    /// The object's own figures (P11.4) as JSON, for a class with an address that reads them;
    /// `name` is what the object was addressed by.
    fn report(_: String, _: &Core<Self>) -> String {
        "{}".to_owned()
    }
}

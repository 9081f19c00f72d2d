//! The runtime's clock.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use worker::Delay;
use worker::js_sys::Date;

use crate::protocol::ids::Timestamp;

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> Timestamp {
    Date::now() as Timestamp
}

/// The result of a future, or nothing after a timeout.
pub(crate) async fn within<T>(longest: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(Delay::from(longest))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

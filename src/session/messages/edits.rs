//! Only a message's author may publish another version of it (P6.9).

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::message::Headers;
use crate::protocol::serial::Serial;
use crate::session::context::Context;
use crate::session::engine::Error;

/// The header that makes a message another version of the one it names.
const EDITS: &str = "sessile-edits";

/// Refuses headers that call a message of `author` a version of another client's (P4.6).
pub(crate) fn check_edits(
    cx: &Context<'_>,
    verb: &str,
    headers: Option<&Headers>,
    author: &str,
) -> Result<(), Error> {
    let edited = headers.and_then(|headers| headers.get(EDITS));
    let Some(serial) = edited.and_then(|text| Serial::parse(text)) else {
        return Ok(());
    };
    if serial.epoch != cx.engine.epoch {
        return Ok(());
    }
    let head = cx.engine.store.head(serial.place)?;
    let Some(head) = head.filter(|head| head.client != author) else {
        return Ok(());
    };
    let message = format!(
        "unable to {verb}; {EDITS} names message {serial}, which is {}'s and not {author}'s",
        head.client
    );
    Err(ErrorInfo::new(ErrorCode::Forbidden, message).into())
}

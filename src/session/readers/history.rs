//! History and one message (P3.9).

use serde::Serialize;

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::encode;
use crate::protocol::limits::PAGE_BYTES;
use crate::protocol::message::Message;
use crate::protocol::serial::{PLACE_MAX, Serial};
use crate::session::context::Context;
use crate::session::engine::Error;
use crate::session::readers::page::encode_page;
use crate::store::Span;

pub(crate) fn history(
    cx: &Context<'_>,
    before: Option<String>,
    after: Option<String>,
    limit: usize,
) -> Result<String, Error> {
    let before = before
        .map(|text| cx.engine.cursor("before", &text))
        .transpose()?;
    let after = after
        .map(|text| cx.engine.cursor("after", &text))
        .transpose()?;
    let span = Span {
        after: after.unwrap_or(0),
        before: before.unwrap_or(PLACE_MAX + 1),
        newest_first: after.is_none(),
        names: None,
        limit,
        bytes: PAGE_BYTES,
    };
    let page = cx.engine.store.page(cx.engine.epoch, &span)?;
    Ok(encode_page(cx, page)?)
}

/// `GET …/messages/{serial}`.
pub(crate) fn one_message(cx: &Context<'_>, serial: String) -> Result<String, Error> {
    let message = find(cx, &serial)?;
    Ok(encode(&One { message }))
}

/// One message without its data, for the end of a streamed body (P5.5).
pub(crate) fn one_body(cx: &Context<'_>, serial: String) -> Result<String, Error> {
    let message = Message {
        data: None,
        ..find(cx, &serial)?
    };
    Ok(encode(&One { message }))
}

#[derive(Serialize)]
struct One {
    message: Message,
}

fn find(cx: &Context<'_>, serial: &str) -> Result<Message, Error> {
    let missing = || {
        let message = format!("unable to read; there is no message {serial:?}");
        ErrorInfo::new(ErrorCode::NotFound, message)
    };
    let epoch = cx.engine.epoch;
    let parsed = Serial::parse(serial).filter(|serial| serial.epoch == epoch);
    let place = parsed.ok_or_else(missing)?.place;
    let message = cx.engine.store.message(epoch, place)?;
    Ok(message.ok_or_else(missing)?)
}

//! A page of messages with their turns (P6.9).

use serde::Serialize;
use serde_json::value::RawValue;

use crate::ordered::Map;
use crate::protocol::frame::encode;
use crate::protocol::limits::PAGE_BYTES;
use crate::protocol::serial::Serial;
use crate::protocol::turn::{Shown, Turn};
use crate::session::context::Context;
use crate::session::turns::shown::stored;
use crate::store::{Page, StoreError};

/// A page of history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct History {
    messages: Vec<Box<RawValue>>,
    /// The turns of the messages (P6.9).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    turns: Vec<Shown>,
    has_more: bool,
    /// The `before` or `after` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Serial>,
}

/// A page with the turns of its messages.
pub(crate) fn encode_page(cx: &Context<'_>, page: Page) -> Result<String, StoreError> {
    let Bounded {
        messages,
        has_more,
        last,
        turns,
    } = bounded_page(cx, page)?;
    let next = last.filter(|_| has_more);
    Ok(encode(&History {
        messages,
        turns: turns.iter().map(|turn| stored(cx, turn)).collect(),
        has_more,
        next,
    }))
}

/// A page as JSON, which may be longer than the text that the store counts; each turn counts with
/// its first message.
pub(crate) fn bounded_page(cx: &Context<'_>, page: Page) -> Result<Bounded, StoreError> {
    let ids = page
        .messages
        .iter()
        .filter_map(|message| message.turn.clone());
    let turns = cx.engine.store.named_turns(&ids.collect::<Vec<_>>())?;
    let size = |turn: &Turn| (turn.id.clone(), encode(&stored(cx, turn)).len());
    let mut uncounted: Map<String, usize> = turns.iter().map(size).collect();
    let mut bounded = Bounded {
        has_more: page.has_more,
        ..Bounded::default()
    };
    let mut bytes = 0;
    for message in page.messages {
        let Ok(raw) = serde_json::value::to_raw_value(&message) else {
            continue;
        };
        let turn = message.turn.unwrap_or_default();
        bytes += raw.get().len() + uncounted.get(&turn).copied().unwrap_or(0);
        if PAGE_BYTES < bytes && !bounded.messages.is_empty() {
            bounded.has_more = true;
            break;
        }
        bounded.messages.push(raw);
        bounded.last = Some(message.serial);
        uncounted.remove(&turn);
    }
    let turns = turns.into_iter();
    bounded.turns = turns
        .filter(|turn| !uncounted.contains_key(&turn.id))
        .collect();
    Ok(bounded)
}

/// Messages as JSON, and their turns.
#[derive(Default)]
pub(crate) struct Bounded {
    pub(crate) messages: Vec<Box<RawValue>>,
    pub(crate) has_more: bool,
    last: Option<Serial>,
    pub(crate) turns: Vec<Turn>,
}

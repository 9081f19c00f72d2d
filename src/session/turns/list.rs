//! Turns as HTTP lists them (P6.9).

use serde::Serialize;

use crate::protocol::frame::encode;
use crate::protocol::limits::PAGE_BYTES;
use crate::protocol::serial::{PLACE_MAX, Serial};
use crate::protocol::turn::Shown;
use crate::session::context::Context;
use crate::session::engine::Error;
use crate::session::turns::shown::{find, open_turns, stored};

/// Turns in the requested order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Turns {
    turns: Vec<Shown>,
    has_more: bool,
    /// The `before` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Serial>,
}

/// `GET …/turns`: the open ones, the oldest first; or all of them, the newest first.
pub(crate) fn list_turns(
    cx: &Context<'_>,
    all: bool,
    before: Option<String>,
    limit: usize,
) -> Result<String, Error> {
    let before = before
        .map(|text| cx.engine.cursor("before", &text))
        .transpose()?;
    if !all {
        return Ok(encode(&Turns {
            turns: open_turns(cx),
            has_more: false,
            next: None,
        }));
    }
    let before = before.unwrap_or(PLACE_MAX + 1);
    let mut turns = cx
        .engine
        .store
        .turns_before(before, limit.saturating_add(1))?;
    let found = turns.len();
    turns.truncate(limit);
    // A page ends where a page of history does.
    let mut bytes = 0;
    let fitting = turns
        .iter()
        .map(|turn| stored(cx, turn))
        .take_while(|turn| {
            let is_first = bytes == 0;
            bytes += encode(turn).len();
            is_first || bytes <= PAGE_BYTES
        });
    let shown: Vec<Shown> = fitting.collect();
    let has_more = shown.len() < found;
    let last = turns.get(shown.len().saturating_sub(1));
    let last = last.map(|turn| cx.engine.epoch.at(turn.place));
    Ok(encode(&Turns {
        next: last.filter(|_| has_more),
        has_more,
        turns: shown,
    }))
}

/// `GET …/turns/{id}`.
pub(crate) fn one_turn(cx: &Context<'_>, id: String) -> Result<String, Error> {
    #[derive(Serialize)]
    struct One {
        turn: Shown,
    }
    let turn = find(cx, "read", &id)?;
    let turn = stored(cx, &turn);
    Ok(encode(&One { turn }))
}

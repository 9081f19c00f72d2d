//! A search, which first reads for its index what was said since the last one (P11.9).

use serde::Serialize;

use crate::protocol::frame::encode;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::SEARCH_COST_BYTES;
use crate::protocol::search::Search;
use crate::protocol::serial::Serial;
use crate::session::context::Context;
use crate::session::engine::Error;
use crate::store::Hit;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    found: Vec<Shown>,
    has_more: bool,
    /// The `before` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Serial>,
    /// Whether some of the log is still to be read for the index.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    behind: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    serial: Serial,
    name: String,
    client: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<String>,
    created_at: Timestamp,
    snippet: String,
    at: Vec<(usize, usize)>,
}

/// `GET …/search`: the newest message first.
pub(crate) fn search(cx: &mut Context<'_>, asked: &Search) -> Result<String, Error> {
    let before = cx.engine.page_start(asked.before.as_deref())?;
    cx.engine.out.made += SEARCH_COST_BYTES;
    let behind = read_on(cx)?;
    let mut hits = cx
        .engine
        .store
        .found(&asked.words, before, asked.limit + 1)?;
    let has_more = asked.limit < hits.len();
    hits.truncate(asked.limit);
    let epoch = cx.engine.epoch;
    let last = hits.last().filter(|_| has_more);
    let next = last.map(|hit| epoch.at(hit.place));
    let shown = |hit: Hit| Shown {
        serial: epoch.at(hit.place),
        name: hit.name,
        client: hit.client,
        role: hit.role,
        turn: hit.turn,
        created_at: hit.at,
        snippet: hit.snippet.text,
        at: hit.snippet.found,
    };
    Ok(encode(&Found {
        found: hits.into_iter().map(shown).collect(),
        has_more,
        next,
        behind,
    }))
}

/// Reads a step of the log for the index; whether more is left.
fn read_on(cx: &mut Context<'_>) -> Result<bool, Error> {
    let Some((write, behind)) = cx.engine.store.unsearched()? else {
        return Ok(false);
    };
    cx.engine.check_room("search")?;
    let bytes = write.texts.iter().map(|(_, text)| text.len());
    cx.engine.out.made += bytes.sum::<usize>();
    cx.engine.write_beside(&[write.into()])?;
    Ok(behind)
}

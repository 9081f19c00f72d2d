//! Marks as clients get them.

use serde::Serialize;

use super::memory::Kept;
use super::unread::unread;
use crate::protocol::frame::encode;
use crate::protocol::mark::Mark;
use crate::session::context::Context;
use crate::session::engine::Error;
use crate::store::StoreError;

/// All marks, or the client's own where they are too many to tell all of all.
pub(crate) fn marks(cx: &Context<'_>, client: &str) -> Result<Vec<Mark>, StoreError> {
    let known = cx.memory.marks.known(cx.engine.store)?;
    let mark = |(client, kept): (&str, &Kept)| Mark {
        client: client.to_owned(),
        serial: cx.engine.epoch.at(kept.place),
    };
    if known.is_told_to_all() {
        return Ok(known
            .marks
            .iter()
            .map(|(client, kept)| mark((client, kept)))
            .collect());
    }
    let own = known.marks.get(client);
    Ok(own.map(|kept| mark((client, kept))).into_iter().collect())
}

/// `GET …/marks`: the same, and how much the client has not read.
pub(crate) fn read(cx: &Context<'_>, client: &str) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Body {
        marks: Vec<Mark>,
        unread: usize,
    }
    let known = cx.memory.marks.known(cx.engine.store)?;
    let mark = known.marks.get(client).map_or(0, |kept| kept.place);
    Ok(encode(&Body {
        marks: marks(cx, client)?,
        unread: unread(cx, client, mark)?,
    }))
}

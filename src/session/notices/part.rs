//! Notices as a part of the session: what an inbox is told of a client that is away (P10.2).

use super::away::{AWAY, is_away, listens_at};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{ENDED_ENTRIES, ENDED_TURNS, NEWS_ITEMS, NOTICE_MS};
use crate::protocol::news::Telling;
use crate::protocol::notice::{Away, Ended};
use crate::protocol::turn::{State, Turn};
use crate::session::context::Context;
use crate::session::engine::{Owner, after};
use crate::session::part::Part;
use crate::store::StoreError;

/// Notices, as a part of the session.
pub(crate) struct Notices;

impl Part for Notices {
    const OWNER: Option<Owner> = Some(AWAY);

    fn due_at(cx: &Context<'_>) -> Timestamp {
        listens_at(cx)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        cx.memory.listened_at = cx.engine.now;
        Ok(())
    }

    fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
        if !cx.engine.outbound.push.is_any() {
            return Ok(());
        }
        let client = telling.inbox.strip_prefix("client:");
        if let Some(client) = client.filter(|client| is_away(cx, client)) {
            let ended = ended(cx, telling, client)?;
            telling.away = Some(Away { ended });
        }
        Ok(())
    }
}

/// The turns that ended since the inbox was told, and answered its client.
fn ended(cx: &Context<'_>, telling: &Telling<'_>, client: &str) -> Result<Vec<Ended>, StoreError> {
    let since = match telling.is_recent {
        true => telling.told,
        false => cx.engine.end.saturating_sub(ENDED_ENTRIES),
    };
    let changed = cx.engine.store.changed_turns(since, NEWS_ITEMS)?;
    let mut found = Vec::new();
    for turn in changed.iter().rev() {
        if found.len() == ENDED_TURNS {
            break;
        }
        if let Some(ended) = ended_for(cx, turn, client)? {
            found.push(ended);
        }
    }
    found.reverse();
    Ok(found)
}

/// The end of a turn that answered a client, unless the client itself cancelled it.
fn ended_for(cx: &Context<'_>, turn: &Turn, client: &str) -> Result<Option<Ended>, StoreError> {
    let (State::Ended { ending, at, .. }, Some(input)) = (&turn.state, turn.input) else {
        return Ok(None);
    };
    let is_own_cancel = turn.cancel.as_ref().is_some_and(|it| it.by == client);
    if is_own_cancel || after(*at, NOTICE_MS) <= cx.engine.now {
        return Ok(None);
    }
    let input = cx.engine.store.head(input)?;
    let is_answer = input.is_some_and(|input| input.client == client);
    Ok(is_answer.then(|| Ended {
        turn: turn.id.clone(),
        place: turn.version,
        at: *at,
        status: *ending,
    }))
}

//! The replay of a connection before it is live (P3.3, P3.5, P3.6).

use crate::ordered::Map;
use crate::protocol::frame::{Lists, ServerFrame};
use crate::protocol::limits::{REPLAY_BYTES, REPLAY_MESSAGES};
use crate::protocol::message::Status;
use crate::protocol::serial::{PLACE_MAX, Place, Serial};
use crate::session::context::Context;
use crate::session::engine::Connection;
use crate::session::parts;
use crate::session::turns::shown::{final_turns, latest_frame};
use crate::store::{Changed, Head, Span, StoreError};

/// Where a replay begins (P3.3).
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The position to resume after, as the client gave it.
    pub since: Option<String>,
    /// The number of messages to rewind otherwise.
    pub rewind: usize,
}

/// The frames of a replay, encoded, in order of the messages' places.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) is_resumed: bool,
    /// The reason why the client's position could not be resumed.
    pub(crate) reason: Option<String>,
    pub(crate) has_older: bool,
    pub(crate) frames: Vec<String>,
    /// Lists of `attached` that only a reader needs that begins anew.
    pub(crate) lists: Lists,
}

/// The changes after the reader's position, or the newest messages if it cannot be resumed.
pub(crate) fn replay(
    cx: &Context<'_>,
    connection: &Connection,
    start: &Start,
) -> Result<Replay, StoreError> {
    let Some(since) = start.since.as_deref() else {
        return rewind(cx, connection, start.rewind);
    };
    let reason = match position(cx, since) {
        Ok(place) => match resume(cx, connection, place)? {
            Some(replay) => return Ok(replay),
            None => "more was missed than a replay may bring".to_owned(),
        },
        Err(reason) => reason,
    };
    Ok(Replay {
        reason: Some(format!("unable to resume; {reason}")),
        ..rewind(cx, connection, start.rewind)?
    })
}

/// The reader's position, or the reason why it cannot be resumed.
pub(crate) fn position(cx: &Context<'_>, since: &str) -> Result<Place, String> {
    let Some(serial) = Serial::parse(since) else {
        let shown: String = since.chars().take(40).collect();
        return Err(format!("since is {shown:?}, which is no serial"));
    };
    if serial.epoch != cx.engine.epoch || cx.engine.end < serial.place {
        return Err(format!("{serial} is not of this log"));
    }
    if serial.place < cx.engine.floor {
        return Err(format!("what came after {serial} is no longer kept"));
    }
    Ok(serial.place)
}

/// Exactly one frame for every message changed since (P3.5); `None` when that exceeds the bound of
/// a replay (P3.6).
pub(crate) fn resume(
    cx: &Context<'_>,
    connection: &Connection,
    since: Place,
) -> Result<Option<Replay>, StoreError> {
    // Messages that are not to be sent are not even read.
    let names = connection.names.as_deref();
    let extent = cx.engine.store.extent(since, names)?;
    let Some(extent) = extent.filter(|extent| extent.bytes <= REPLAY_BYTES) else {
        return Ok(None);
    };
    let changed = changed_messages(cx, since)?;
    let whole = changed
        .values()
        .filter(|it| it.is_updated && !it.is_deleted);
    let whole: Vec<Place> = whole.map(|changed| changed.subject).collect();
    let room = REPLAY_BYTES.saturating_sub(extent.bytes);
    if REPLAY_MESSAGES < extent.messages + changed.len()
        || room < cx.engine.store.bytes_of(&whole, names)?
    {
        return Ok(None);
    }
    let mut frames = Vec::new();
    let mut bytes = 0;
    if 0 < cx.engine.floor {
        frames.push(cx.engine.trimmed()?.encode());
    }
    for frame in parts::changed_since(cx, since, REPLAY_MESSAGES + 1)? {
        let frame = frame.encode();
        bytes += frame.len();
        frames.push(frame);
    }
    if REPLAY_BYTES < bytes || REPLAY_MESSAGES < frames.len() {
        return Ok(None);
    }
    let mut missed = 0;
    for changed in changed.values() {
        let frame = missed_frame(cx, connection, since, changed)?;
        missed += frame.as_ref().map_or(0, String::len);
        if room < missed {
            return Ok(None);
        }
        frames.extend(frame);
    }
    bytes += missed;
    let span = Span {
        after: since,
        before: PLACE_MAX + 1,
        newest_first: false,
        names,
        limit: REPLAY_MESSAGES,
        bytes: REPLAY_BYTES,
    };
    let created = cx.engine.store.page(cx.engine.epoch, &span)?;
    if created.has_more {
        return Ok(None);
    }
    for message in created.messages {
        let frame = ServerFrame::Create { message }.encode();
        bytes += frame.len();
        frames.push(frame);
    }
    if REPLAY_BYTES < bytes {
        return Ok(None);
    }
    let has_older = !cx.engine.store.oldest(since, 1)?.is_empty();
    Ok(Some(Replay {
        is_resumed: true,
        reason: None,
        has_older,
        frames,
        lists: Lists::default(),
    }))
}

/// Messages from before a place that changed after it, streaming ones included.
fn changed_messages(cx: &Context<'_>, since: Place) -> Result<Map<Place, Changed>, StoreError> {
    let changed = cx.engine.store.changed(since, REPLAY_MESSAGES + 1)?;
    let older = changed
        .into_iter()
        .filter(|changed| changed.subject <= since);
    let mut changed: Map<Place, Changed> =
        older.map(|changed| (changed.subject, changed)).collect();
    for (place, stream) in cx.engine.rollup.streams.up_to(&since) {
        if since < stream.version {
            changed.or_insert_with(*place, || Changed {
                subject: *place,
                place: stream.version,
                is_updated: false,
                is_deleted: false,
                is_superseded: false,
                is_annotated: false,
            });
        }
    }
    Ok(changed)
}

/// The one frame that brings a reader's message up to date.
fn missed_frame(
    cx: &Context<'_>,
    connection: &Connection,
    since: Place,
    changed: &Changed,
) -> Result<Option<String>, StoreError> {
    let Some(head) = cx.engine.store.head(changed.subject)? else {
        return Ok(None);
    };
    if !connection.follows(&head.name) {
        return Ok(None);
    }
    let (serial, version) = (
        cx.engine.epoch.at(head.place),
        cx.engine.epoch.at(head.version),
    );
    let frame = if changed.is_deleted {
        let superseded = changed.is_superseded;
        Some(ServerFrame::Delete {
            serial,
            version,
            superseded,
        })
    } else if changed.is_annotated && head.version <= since {
        let annotated = cx.engine.store.annotated(head.place)?;
        Some(ServerFrame::Summary {
            serial,
            version: cx.engine.epoch.at(annotated.version),
            annotations: annotated.data(),
        })
    } else if changed.is_updated || changed.is_annotated {
        whole(cx, &head)?
    } else if let Some(missing) = cx.engine.store.missing(head.place, since)? {
        let status = head.status.filter(|status| *status != Status::Streaming);
        let (offset, data) = (missing.offset, missing.text);
        Some(ServerFrame::Append {
            serial,
            version,
            offset,
            data,
            status,
            headers: None,
        })
    } else {
        whole(cx, &head)?
    };
    Ok(frame.map(|frame| frame.encode()))
}

pub(crate) fn whole(cx: &Context<'_>, head: &Head) -> Result<Option<ServerFrame>, StoreError> {
    let message = cx.engine.store.message(cx.engine.epoch, head.place)?;
    Ok(message.map(|message| ServerFrame::Update { message }))
}

/// The newest messages, and always those that still stream (P3.3), at most 4 MiB.
pub(crate) fn rewind(
    cx: &Context<'_>,
    connection: &Connection,
    count: usize,
) -> Result<Replay, StoreError> {
    let span = Span {
        after: 0,
        before: PLACE_MAX + 1,
        newest_first: true,
        names: connection.names.as_deref(),
        limit: count,
        bytes: REPLAY_BYTES,
    };
    let page = cx.engine.store.page(cx.engine.epoch, &span)?;
    let oldest = page
        .messages
        .last()
        .map_or(PLACE_MAX + 1, |message| message.serial.place);
    let mut has_older = page.has_more;
    let (mut frames, mut turns, mut lists) = (Vec::new(), Vec::new(), Lists::default());
    let beside = parts::anew(cx, &mut lists)?;
    let beside: Vec<String> = beside.iter().map(ServerFrame::encode).collect();
    let mut bytes = beside.iter().map(String::len).sum::<usize>();
    let streaming = cx.engine.rollup.streams.up_to(&oldest.saturating_sub(1));
    let streaming = streaming.rev();
    let streaming = streaming.filter(|(_, stream)| connection.follows(&stream.name));
    let streaming = streaming.map(|(place, _)| cx.engine.store.message(cx.engine.epoch, *place));
    let newest = page.messages.into_iter().map(|message| Ok(Some(message)));
    for message in newest.chain(streaming) {
        let Some(message) = message? else { continue };
        let turn = message.turn.clone();
        let frame = ServerFrame::Create { message }.encode();
        // The newest is sent however long it is: a reader without any message has no place to read
        // history from.
        if REPLAY_BYTES < bytes + frame.len() && !frames.is_empty() {
            has_older = true;
            break;
        }
        bytes += frame.len();
        turns.extend(turn);
        frames.push(frame);
    }
    let messages = frames.len();
    // The messages' turns, except those in `attached` (P6.9).
    for turn in final_turns(cx, turns)?.iter().rev() {
        let frame = latest_frame(cx, turn).encode();
        bytes += frame.len();
        if REPLAY_BYTES < bytes && messages < frames.len() {
            break;
        }
        frames.push(frame);
    }
    frames.extend(beside);
    frames.reverse();
    Ok(Replay {
        is_resumed: false,
        reason: None,
        has_older,
        frames,
        lists,
    })
}

//! Streams without appends fail (P5.1), and so do bodies whose connection is gone (P5.5).

use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;
use crate::session::context::Context;
use crate::session::engine::{Closing, Engine, News, Owner, Stream, Wait, after};
use crate::session::part::Part;
use crate::store::StoreError;

/// Streams with a bound on silence, as a part of the session.
pub(crate) struct Streams;

/// Streams wait for the end of their silence.
pub(crate) const STREAMS: Owner = Owner {
    name: "streams",
    wait: Wait::Alarm,
};

impl Part for Streams {
    const OWNER: Option<Owner> = Some(STREAMS);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        disown_bodies(cx);
        Ok(())
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let idle_ms = cx.engine.settings.stream_idle_ms();
        let streams = cx.engine.rollup.streams.values();
        let alone = streams.filter(|stream| stream.is_alone());
        let due = alone.map(|stream| after(stream.heard_at, idle_ms));
        due.min().unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        fail_idle(cx)
    }

    fn hear(cx: &mut Context<'_>, news: &News) -> Result<(), StoreError> {
        if news.gone.iter().any(|live| live.connection.id.is_body()) {
            disown_bodies(cx);
        }
        Ok(())
    }
}

/// A streamed body whose connection is gone has broken off (P5.5): its message is about to fail.
fn disown_bodies(cx: &mut Context<'_>) {
    let Engine {
        rollup,
        connections,
        clock,
        ..
    } = &mut *cx.engine.state;
    for stream in rollup.streams.values_mut() {
        let body = stream.body.as_ref();
        if body.is_some_and(|body| !connections.contains_key(body)) {
            stream.heard_at = Timestamp::MIN;
            clock.stir(STREAMS);
        }
    }
}

/// P5.1: a stream outside a turn fails without appends. So does one whose body died with the
/// process that carried it (P5.5).
fn fail_idle(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let (now, wait) = (cx.engine.now, cx.engine.settings.stream_idle_ms());
    let is_idle = |stream: &Stream| stream.is_alone() && after(stream.heard_at, wait) <= now;
    let streams = cx.engine.rollup.streams.iter();
    let idle = streams.filter(|(_, stream)| is_idle(stream));
    let idle: Vec<Place> = idle.map(|(place, _)| *place).collect();
    if idle.is_empty() {
        return Ok(());
    }
    cx.engine.settle()?;
    let rollup = &mut cx.engine.state.rollup;
    for place in idle {
        if let Some(stream) = rollup.streams.get_mut(&place) {
            // No client's own append: everybody is told.
            stream.origin = None;
        }
        rollup.close(place, Closing::failed());
    }
    cx.engine.settle()
}

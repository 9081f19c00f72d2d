//! The inputs and turns that an agent may take now.

use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;
use crate::protocol::turn::Turn;
use crate::session::context::Context;
use crate::session::waking::owe::WAKE;

/// An input, or a turn that waits for its next agent, that is to be taken now.
#[derive(Debug)]
pub(super) struct Work<'a> {
    /// Its place, by which it is known while it waits: that of the input, or of the turn.
    pub(super) place: Place,
    /// The input.
    pub(super) input: Option<Place>,
    /// The queued turn, if there is one.
    pub(super) turn: Option<&'a Turn>,
    /// The time of its cause.
    pub(super) at: Timestamp,
    /// The end of the log when its turn came.
    pub(super) since: Place,
}

/// Everything that is to be taken now, in order (P15.3).
pub(super) fn work<'a>(cx: &'a Context<'_>) -> Vec<Work<'a>> {
    let owed = cx.memory.deliveries.subjects(WAKE);
    let work = owed.filter_map(|(place, at)| {
        let turn = turn_at(cx, place);
        Some(Work {
            place,
            input: turn.map_or(Some(place), |turn| turn.input),
            turn,
            at,
            since: *cx.memory.wakes.ready.get(&place)?,
        })
    });
    work.collect()
}

/// The open turn at a place.
pub(super) fn turn_at<'a>(cx: &'a Context<'_>, place: Place) -> Option<&'a Turn> {
    let mut open = cx.memory.turns.values().map(|open| &open.turn);
    open.find(|turn| turn.place == place)
}

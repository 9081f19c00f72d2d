//! `state` (P9.1): a change of the tree, all of it or nothing.

use super::form::check_form;
use super::memory::{Known as State, counted};
use crate::protocol::data::Data;
use crate::protocol::decode::{ChangeState, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, Placed, ServerFrame, encode};
use crate::protocol::limits::STATE_JOURNAL_BYTES;
use crate::protocol::serial::{Place, Serial};
use crate::protocol::state::Op;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender};
use crate::store::{StateChange, StateTree, StateWrite};

const VERB: &str = "change the state";

/// Answers a change whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    _: &ChangeState,
    known: &Known,
) -> Result<Answer, Error> {
    Ok(answer(cx, known.place, true))
}

fn answer(cx: &Context<'_>, place: Place, duplicate: bool) -> Answer {
    let serial = cx.engine.epoch.at(place);
    Answer::Now(Outcome::Changed(Placed {
        duplicate,
        ..Placed::new(serial, serial)
    }))
}

/// Applies the operations of a change.
pub(crate) fn change(
    cx: &mut Context<'_>,
    sender: &Sender,
    change: ChangeState,
) -> Result<Answer, Error> {
    let adds = |op: &Op| !matches!(op, Op::Remove { .. } | Op::Reset);
    match change.ops.iter().any(adds) {
        true => cx.engine.check_room(VERB)?,
        false => cx.engine.check_space(VERB)?,
    }
    let known = cx.memory.state.known(cx.engine.store)?;
    let version = known.version;
    check_version(cx, change.if_version, version)?;
    let ops = apply(cx, change.ops)?;
    cx.engine.settle()?;
    let place = cx.engine.next_place();
    let mut step = cx.engine.step_by(sender);
    step.stands_for(place);
    let change = StateChange {
        place,
        prior: version,
        client: sender.client.clone(),
        ops,
    };
    if let Some(ops) = Data::from_json(change.ops.clone()) {
        step.tell(ServerFrame::State {
            serial: cx.engine.epoch.at(place),
            client: sender.client.clone(),
            ops,
        });
    }
    let (at, store) = (cx.engine.now, cx.engine.store);
    let known = cx.memory.state.known_mut(store)?;
    step.write(StateWrite::Change {
        slot: known.slot,
        change: change.clone(),
        at,
    });
    known.journal += counted(&change.ops);
    known.slot += 1;
    known.note(change);
    if STATE_JOURNAL_BYTES.max(known.tree.bytes()) < known.journal {
        step.write(StateWrite::Tree {
            slots: known.slot - 1,
            tree: StateTree {
                place,
                client: sender.client.clone(),
                tree: encode(known.tree.root()),
            },
            at,
        });
        known.journal = 0;
        known.slot = 1;
    }
    cx.engine.commit(step)?;
    Ok(answer(cx, place, false))
}

fn check_version(
    cx: &Context<'_>,
    wanted: Option<Serial>,
    version: Place,
) -> Result<(), ErrorInfo> {
    let stands = cx.engine.epoch.at(version);
    match wanted {
        Some(wanted) if wanted != stands && wanted.place | version != 0 => {
            let message = format!("unable to {VERB}; it has version {stands}, not {wanted}");
            Err(ErrorInfo::new(ErrorCode::Conflict, message))
        }
        Some(_) | None => Ok(()),
    }
}

/// Changes the tree in memory, and returns the results of the operations; a refused change leaves
/// it as it was.
fn apply(cx: &mut Context<'_>, ops: Vec<Op>) -> Result<String, Error> {
    let most = cx.engine.limits.state_bytes();
    let known: &mut State = cx.memory.state.known_mut(cx.engine.store)?;
    let (results, undo) = known.tree.apply(ops).map_err(|(index, reason)| {
        let message = format!("unable to {VERB}; ops[{index}]: {reason}");
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    })?;
    let bytes = known.tree.bytes();
    let fits = match most < bytes {
        true => Err(too_large(VERB, bytes, most)),
        false => check_form(&mut cx.engine, VERB, known),
    };
    match fits {
        Ok(()) => Ok(results),
        Err(error) => {
            known.tree.undo(undo);
            Err(error.into())
        }
    }
}

//! Messages are deleted (P4.3).

use crate::protocol::decode::Delete;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender};
use crate::session::messages::standing::{
    changed_turn, check_version, deleted, outcome, repeat_message, standing,
};
use crate::session::turns::leader::{Claim, fence};
use crate::session::waking::owe::taken;

/// Answers a deletion whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    delete: &Delete,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_message(cx, delete.serial, None, known)
}

/// Reduces a message to its tombstone.
pub(crate) fn delete(
    cx: &mut Context<'_>,
    sender: &Sender,
    delete: Delete,
) -> Result<Answer, Error> {
    let head = standing(cx, "delete", delete.serial)?;
    let turn = head.turn.as_deref();
    let drives = fence(
        cx,
        &Claim {
            verb: "delete",
            sender,
            attempt: delete.attempt,
        },
        turn,
    )?;
    cx.engine.may_change("delete", sender, &head.client)?;
    if head.is_deleted {
        return Err(deleted("delete", delete.serial).into());
    }
    check_version(cx, "delete", delete.serial, delete.if_version, &head)?;
    cx.engine.check_space("delete")?;
    cx.engine.settle()?;
    let (mut step, place) = (cx.engine.step_by(sender), head.place);
    step.stands_for(place);
    let version = cx.engine.delete_message(&mut step, &head, false);
    taken(cx, &mut step, place);
    cx.engine.commit(step)?;
    changed_turn(cx, sender, &head, drives)?;
    Ok(Answer::Now(outcome(cx, place, version, None)))
}

//! `turn.usage` (P6.12): an entry of the log, and three rows.

use super::add::{add, check_usage};
use super::stop::stop;
use crate::protocol::turn::Event;
use crate::protocol::usage::ReportUsage;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender};
use crate::session::turns::change::change_turn;
use crate::session::turns::leader::{Claim, check_leader};
use crate::session::turns::lease::{note_alive, renew_lease};
use crate::session::turns::shown::{answer_stored, find, repeat_by_id};

const VERB: &str = "report usage";

/// Answers a report whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    report: &ReportUsage,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_by_id(cx, &report.turn, known)
}

/// Adds what a turn has used since its last report.
pub(crate) fn report(
    cx: &mut Context<'_>,
    sender: &Sender,
    report: ReportUsage,
) -> Result<Answer, Error> {
    let id = &report.turn;
    let claim = Claim {
        verb: VERB,
        sender,
        attempt: report.attempt,
    };
    check_leader(cx, &claim, id)?;
    check_usage(cx, VERB, id, &report.usage)?;
    let mut step = cx.engine.step_by(sender);
    if let Some(open) = cx.memory.turns.get(id) {
        step.stands_for(open.turn.place);
    }
    if !report.usage.is_empty() {
        cx.engine.settle()?;
        note_alive(cx, id);
        change_turn(cx, &mut step, id, Event::Usage, |turn| {
            turn.usage.add(&report.usage);
        });
        if add(cx, &mut step, &report.usage)? {
            stop(cx, &mut step)?;
        }
    }
    cx.engine.commit(step)?;
    renew_lease(cx, sender, id)?;
    let turn = find(cx, VERB, id)?;
    Ok(answer_stored(cx, &turn, false))
}

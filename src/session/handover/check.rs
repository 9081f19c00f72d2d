//! The refusals during a hand-over and the inputs that wait for its end, for other features (P8.8).

use crate::protocol::capability;
use crate::protocol::error::{Details, ErrorCode, ErrorInfo};
use crate::protocol::limits::HANDOVER_INPUTS;
use crate::protocol::message::Role;
use crate::protocol::serial::Place;
use crate::session::context::Context;
use crate::session::engine::{Sender, Step};
use crate::store::HandoverWrite;

/// Refuses what only agents do while no person leads.
pub(crate) fn check_unled(cx: &Context<'_>, verb: &str) -> Result<(), ErrorInfo> {
    match &cx.memory.handover {
        Some(held) => Err(led(verb, &held.handover.lead.client)),
        None => Ok(()),
    }
}

/// Refuses a new message outside of a turn that speaks in the agents' place, by anybody but the
/// person who leads.
pub(crate) fn check_speaker(
    cx: &Context<'_>,
    sender: &Sender,
    role: Role,
    is_in_turn: bool,
) -> Result<(), ErrorInfo> {
    if role == Role::User {
        return check_output(cx, "publish", sender, is_in_turn);
    }
    match &cx.memory.handover {
        Some(held) if !is_in_turn && !held.is_by(&sender.client) => {
            Err(led("publish", &held.handover.lead.client))
        }
        _ => Ok(()),
    }
}

/// Refuses an agent's output outside of a turn.
pub(crate) fn check_output(
    cx: &Context<'_>,
    verb: &str,
    sender: &Sender,
    is_in_turn: bool,
) -> Result<(), ErrorInfo> {
    let Some(held) = &cx.memory.handover else {
        return Ok(());
    };
    let is_agent = sender.role == capability::Role::Agent && !held.is_by(&sender.client);
    match is_agent && !is_in_turn {
        true => Err(led(verb, &held.handover.lead.client)),
        false => Ok(()),
    }
}

/// Whether this client leads: it may speak as an assistant without a turn.
pub(crate) fn is_led_by(cx: &Context<'_>, client: &str) -> bool {
    let held = cx.memory.handover.as_ref();
    held.is_some_and(|held| held.is_by(client))
}

/// Inputs wait from now on: a person answers most of them, so the oldest beyond the bound are
/// messages like any other.
pub(crate) fn keep_inputs(cx: &mut Context<'_>, step: &mut Step, inputs: Vec<Place>) {
    let Some(held) = cx.memory.handover.as_mut().filter(|_| !inputs.is_empty()) else {
        return;
    };
    let waiting = &mut held.handover.waiting;
    waiting.extend(inputs);
    let excess = waiting.len().saturating_sub(HANDOVER_INPUTS);
    waiting.drain(..excess);
    held.kept_at = held.heard_at;
    step.write(HandoverWrite::Row {
        handover: held.handover.clone(),
        heard_at: held.heard_at,
    });
}

pub(super) fn led(verb: &str, who: &str) -> ErrorInfo {
    let message = format!("unable to {verb}; {who} leads the session, wait for lead.return");
    ErrorInfo {
        details: Some(Details::Led {
            client: who.to_owned(),
        }),
        ..ErrorInfo::new(ErrorCode::LedByPerson, message)
    }
}

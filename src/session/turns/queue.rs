//! Inputs during an active turn: they wait, go first, or are refused (P10.3).

use crate::protocol::capability::Operation;
use crate::protocol::decode::Interrupt;
use crate::protocol::decode::NewMessage;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::limits::TURN_STEERS;
use crate::protocol::message::{Role, Status};
use crate::protocol::settings::OnInput;
use crate::protocol::turn::{State, Turn};
use crate::session::context::Context;
use crate::session::engine::{Sender, Step};
use crate::session::handover::check::is_led_by;
use crate::session::turns::cancel::active_turns;
use crate::session::turns::change::{asked, cancel_turn, check_open_turns};
use crate::session::turns::steer::check_waiting_steers;
use crate::store::{Head, StoreError};

/// Whether a message is for an agent to answer.
pub(crate) fn is_input(sender: &Sender, new: &NewMessage) -> bool {
    let is_by_user = !sender.operations.contains(Operation::Turn);
    new.role == Role::User && new.turn.is_none() && new.wake.unwrap_or(is_by_user)
}

fn answers(turn: &Turn) -> bool {
    turn.input.is_some() && turn.cancel.is_none()
}

/// Whether a message is an input that waits for the return of the person who leads (P8.8).
pub(crate) fn waits_for_return(cx: &Context<'_>, sender: &Sender, new: &NewMessage) -> bool {
    let is_own = is_led_by(cx, &sender.client) && new.wake != Some(true);
    cx.memory.handover.is_some() && !is_own && is_input(sender, new)
}

/// The decision about a message while turns are active that `stays` keeps.
fn on_input(
    cx: &Context<'_>,
    sender: &Sender,
    new: &NewMessage,
    stays: impl Fn(&Turn) -> bool,
) -> OnInput {
    let on_input = cx.engine.settings.on_input();
    let is_led = cx.memory.handover.is_some();
    let is_moot = is_led || on_input == OnInput::Parallel || !is_input(sender, new);
    let is_answering = |turn: &Turn| answers(turn) && stays(turn);
    if is_moot || active_turns(cx, is_answering).is_empty() {
        return OnInput::Parallel;
    }
    on_input
}

/// Whether an input may come now, after what it interrupts itself; so many come with it that
/// have to wait, it among them.
pub(crate) fn check_input(
    cx: &Context<'_>,
    sender: &Sender,
    new: &NewMessage,
    interrupt: &Interrupt,
    waiting: &mut usize,
) -> Result<(), ErrorInfo> {
    let stays = |turn: &Turn| match interrupt {
        Interrupt::None => true,
        Interrupt::All => false,
        Interrupt::Turn(id) => turn.id != *id,
    };
    match on_input(cx, sender, new, stays) {
        OnInput::Reject => {
            let id = &cx.engine.id;
            let message = format!("unable to publish; session {id} answers another input");
            Err(ErrorInfo::new(ErrorCode::Busy, message))
        }
        OnInput::Queue | OnInput::Steer => {
            *waiting += 1;
            check_open_turns(cx, "publish", *waiting)
        }
        OnInput::Parallel | OnInput::Interrupt => Ok(()),
    }
}

/// Cancels what inputs interrupt by the session's settings.
pub(crate) fn interrupt_by_settings(
    cx: &mut Context<'_>,
    step: &mut Step,
    sender: &Sender,
    messages: &[NewMessage],
) -> Result<(), StoreError> {
    let mut inputs = messages
        .iter()
        .map(|new| on_input(cx, sender, new, |_| true));
    if !inputs.any(|on_input| on_input == OnInput::Interrupt) {
        return Ok(());
    }
    let cancel = asked(sender, cx.engine.now, None);
    for id in active_turns(cx, answers) {
        cancel_turn(cx, step, &id, &cancel)?;
    }
    Ok(())
}

/// Whether an input of a publish interrupts, by the session's settings, a turn.
pub(crate) fn is_interrupted_by_settings(
    cx: &Context<'_>,
    sender: &Sender,
    messages: &[NewMessage],
) -> impl Fn(&Turn) -> bool + use<> {
    let interrupts = cx.engine.settings.on_input() == OnInput::Interrupt
        && messages
            .iter()
            .any(|new| on_input(cx, sender, new, |_| true) == OnInput::Interrupt);
    move |turn| interrupts && matches!(turn.state, State::Active(_)) && answers(turn)
}

/// How an input waits that may not be answered now.
pub(crate) enum Waits {
    /// It does not wait.
    No,
    /// As a queued turn.
    Queued,
    /// As an instruction to this turn.
    Steers(String),
}

/// How a message has to wait.
pub(crate) fn waits(cx: &Context<'_>, sender: &Sender, new: &NewMessage) -> Waits {
    match on_input(cx, sender, new, |_| true) {
        OnInput::Queue => Waits::Queued,
        OnInput::Steer => steered(cx, new).map_or(Waits::Queued, Waits::Steers),
        OnInput::Parallel | OnInput::Interrupt | OnInput::Reject => Waits::No,
    }
}

/// The turn that an input steers: the last that began of those that answer. A message that is not
/// whole yet, and one too many, is queued.
fn steered(cx: &Context<'_>, new: &NewMessage) -> Option<String> {
    let turn = active_turns(cx, answers).pop()?;
    let open = cx.memory.turns.get(&turn)?;
    let has_room = open.turn.steers.len() < TURN_STEERS && check_waiting_steers(cx).is_ok();
    (has_room && new.status != Some(Status::Streaming)).then_some(turn)
}

/// Whether an earlier attempt left a message unfinished: its id is free for the current one (P6.8).
pub(crate) fn is_left_behind(cx: &Context<'_>, head: &Head) -> bool {
    let turn = head
        .turn
        .as_ref()
        .and_then(|turn| cx.memory.turns.get(turn));
    let is_before = turn.is_some_and(|open| head.place < open.turn.attempt_place);
    is_before && head.status == Some(Status::Failed) && !head.is_deleted
}

//! Frames: one table of their permissions, costs and handlers, applied in one order: permission,
//! rate, repeat, handler, answer.

use super::annotations::annotate;
use super::approvals::{ask, decide, revoke};
use super::calls;
use super::calls::{call, claim, settle};
use super::context::Context;
use super::engine::{Answer, Chains, Error, FrameId, Known, Reply, Sender, misplaced};
use super::full;
use super::handover::{heard, lead};
use super::marks::read as mark;
use super::messages::{append, delete, publish, signal, update};
use super::notices::notify;
use super::presence::members;
use super::readers::probe;
use super::state::change as state;
use super::turns::{adopt, cancel, drive, start, steer};
use super::usage::report;
use crate::machine::Carrier;
use crate::protocol::capability::Operation;
use crate::protocol::decode::{self, Auth, ClientFrame, Received};
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::FRAME_BYTES_MIN;
use crate::store::{Kind, StoreError};

/// A frame's cost in its client's rates, beside the message that carried it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rate {
    /// One frame that goes to everybody.
    Frame,
    /// The same if it has an id, which is stored at once; else nothing.
    FrameWithId,
    /// One signal, or one notice of an agent.
    Signal,
    /// Nothing.
    Free,
}

type Handler<F> = fn(&mut Context<'_>, &Sender, F) -> Result<Answer, Error>;

/// Answers a frame whose id was taken before: with the current state of its target, or `conflict`
/// if the frame has another target.
type Repeat<F> = fn(&mut Context<'_>, &F, &Known) -> Result<Answer, Error>;

/// How a repeated frame is recognised (P13.1).
struct Once<F> {
    kind: Kind,
    id: fn(&F) -> Option<&String>,
    repeat: Repeat<F>,
}

struct Rule<F> {
    /// The operation that the token must grant; `None` where the frame's target decides.
    operation: Option<Operation>,
    rate: Rate,
    once: Option<Once<F>>,
    handler: Handler<F>,
}

macro_rules! rules {
    ($($name:ident($frame:ty) = $operation:expr, $rate:expr, $once:expr, $handler:expr;)*) => {
        fn decide(
            cx: &mut Context<'_>,
            sender: &Sender,
            frame: ClientFrame,
        ) -> Result<Answer, Error> {
            let verb = frame.verb();
            match frame {
                $(ClientFrame::$name(frame) => {
                    let rule: Rule<$frame> = Rule {
                        operation: $operation,
                        rate: $rate,
                        once: $once,
                        handler: $handler,
                    };
                    apply(cx, sender, verb, rule, frame)
                })*
            }
        }
    };
}

/// A frame's own id, neither a message's nor a turn's, and the answer to its repeat.
macro_rules! once {
    ($kind:ident, $repeat:expr) => {
        Some(Once {
            kind: Kind::$kind,
            id: |frame| frame.id.as_ref(),
            repeat: $repeat,
        })
    };
}

use Operation::{Approve, Cancel, Lead, Presence, Publish, State, Steer, Turn};
use Rate::{Frame, FrameWithId, Free, Signal};

rules! {
    Append(decode::Append) =
        None, FrameWithId, once!(Append, append::repeat), append::append;
    Publish(decode::Publish) =
        Some(Publish), Frame, None, publish::publish;
    Update(decode::Update) =
        None, Frame, once!(Update, update::repeat), update::update;
    Delete(decode::Delete) =
        None, Frame, once!(Delete, delete::repeat), delete::delete;
    Signal(decode::Signal) =
        Some(Publish), Signal, once!(Signal, signal::repeat), signal::signal;
    StartTurn(decode::StartTurn) =
        Some(Turn), Frame, None, start::start_turn;
    EndTurn(decode::EndTurn) =
        Some(Turn), Frame, once!(EndTurn, drive::repeat_end), drive::end_turn;
    SuspendTurn(decode::DriveTurn) =
        Some(Turn), Frame, once!(SuspendTurn, drive::repeat), drive::suspend_turn;
    ResumeTurn(decode::DriveTurn) =
        Some(Turn), Frame, once!(ResumeTurn, drive::repeat), drive::resume_turn;
    Heartbeat(decode::DriveTurn) =
        Some(Turn), FrameWithId, once!(Heartbeat, drive::repeat), drive::keep_turn;
    ReportUsage(decode::ReportUsage) =
        Some(Turn), Frame, once!(Usage, report::repeat), report::report;
    AdoptTurn(decode::AdoptTurn) =
        Some(Turn), Frame, once!(AdoptTurn, adopt::repeat), adopt::adopt;
    Steered(decode::Steered) =
        Some(Turn), Frame, once!(Steered, steer::repeat_steered), steer::steered;
    Cancel(decode::CancelTurns) =
        Some(Cancel), Frame, once!(Cancel, cancel::repeat), cancel::cancel;
    Steer(decode::Steer) =
        Some(Steer), Frame, once!(Steer, steer::repeat), steer::steer;
    RequestApproval(Box<decode::RequestApproval>) =
        Some(Turn), Frame, None, |cx, sender, frame| ask::request(cx, sender, *frame);
    DecideApproval(decode::DecideApproval) =
        Some(Approve), Frame, once!(DecideApproval, decide::repeat), decide::decide;
    WithdrawApproval(decode::WithdrawApproval) =
        Some(Turn), Frame, once!(WithdrawApproval, decide::repeat_withdraw), decide::withdraw;
    RevokeGrant(decode::RevokeGrant) =
        Some(Approve), Frame, once!(RevokeGrant, revoke::repeat), revoke::revoke;
    CallTool(Box<decode::CallTool>) =
        Some(Turn), Frame, None, |cx, sender, frame| call::call(cx, sender, *frame);
    ClaimCall(decode::ClaimCall) =
        Some(Publish), Frame, None, claim::claim;
    SettleCall(decode::SettleCall) =
        Some(Publish), Frame, once!(SettleCall, settle::repeat), settle::settle;
    WithdrawCall(decode::WithdrawCall) =
        Some(Turn), Frame, once!(WithdrawCall, settle::repeat_withdraw), settle::withdraw;
    Notify(decode::Notify) =
        Some(Turn), Signal, once!(Notify, notify::repeat), notify::notify;
    TakeLead(decode::TakeLead) =
        Some(Lead), Frame, once!(TakeLead, lead::repeat), lead::take;
    ReturnLead(decode::ReturnLead) =
        Some(Lead), Frame, once!(ReturnLead, lead::repeat), lead::give;
    ChangeState(decode::ChangeState) =
        Some(State), Frame, once!(State, state::repeat), state::change;
    Annotate(decode::Annotate) =
        Some(Operation::Annotate), Frame, once!(Annotate, annotate::repeat), annotate::annotate;
    Unannotate(decode::Unannotate) =
        Some(Operation::Annotate), Frame, once!(Unannotate, annotate::repeat_taking),
        annotate::unannotate;
    Read(decode::ReadUpTo) =
        Some(Operation::Read), Frame, None, mark::read;
    SetPresence(decode::SetPresence) =
        Some(Presence), Frame, None, members::set_presence;
    LeavePresence(decode::LeavePresence) =
        Some(Presence), Frame, None, members::leave_presence;
    Seen(decode::Seen) =
        None, Free, None, probe::seen;
    // The platform checks tokens, and gives what they grant as an input of its own.
    Auth(Auth) =
        None, Free, None, |_, _, _| Err(misplaced("auth").into());
}

/// Decides about one frame, in the same order for all.
#[inline(always)]
fn apply<F>(
    cx: &mut Context<'_>,
    sender: &Sender,
    verb: &'static str,
    rule: Rule<F>,
    frame: F,
) -> Result<Answer, Error> {
    permit(cx, sender, verb, rule.operation)?;
    let known = rule
        .once
        .and_then(|once| Some((once.kind, (once.id)(&frame)?, once.repeat)));
    take_rate(cx, sender, verb, rule.rate, known.is_some())?;
    let Some((kind, id, repeat)) = known else {
        return (rule.handler)(cx, sender, frame);
    };
    if let Some(place) = cx.engine.once(sender, kind, id)? {
        let id = id.clone();
        return repeat(cx, &frame, &Known { verb, id, place });
    }
    cx.engine.frame_id = Some(FrameId::new(sender, kind, id));
    let answer = (rule.handler)(cx, sender, frame);
    cx.engine.frame_id = None;
    answer
}

fn permit(
    cx: &Context<'_>,
    sender: &Sender,
    verb: &str,
    operation: Option<Operation>,
) -> Result<(), ErrorInfo> {
    match operation {
        Some(operation) => sender.must(operation, verb, &cx.engine.id),
        None => Ok(()),
    }
}

fn take_rate(
    cx: &mut Context<'_>,
    sender: &Sender,
    verb: &str,
    rate: Rate,
    has_id: bool,
) -> Result<(), ErrorInfo> {
    match rate {
        Rate::FrameWithId if !has_id => Ok(()),
        Rate::Frame | Rate::FrameWithId => {
            cx.engine.limit(sender, |rates, now| rates.frame(now, verb))
        }
        Rate::Signal => cx
            .engine
            .limit(sender, |rates, now| rates.signal(now, verb)),
        Rate::Free => Ok(()),
    }
}

/// The frames of one WebSocket message.
pub(super) fn take_message(
    cx: &mut Context<'_>,
    connection: &ConnectionId,
    frames: Vec<Received>,
    bytes: usize,
) -> Result<(), StoreError> {
    let Some(live) = cx.engine.connections.get(connection) else {
        return Ok(());
    };
    if live.connection.is_expired(cx.engine.now) {
        cx.engine
            .shut(connection, close::UNAUTHORIZED, "the token expired"); // P2.6
        return Ok(());
    }
    let (sender, carrier) = (live.connection.sender(), live.connection.carrier);
    let mut chains = live.connection.chains.clone();
    let were_whole = chains.are_whole();
    let counted = bytes.max(frames.len().saturating_mul(FRAME_BYTES_MIN));
    let mut too_much = Ok(());
    let limited = cx.engine.limit(&sender, |rates, now| {
        rates.message(now)?;
        if too_much.is_ok() {
            too_much = rates.text(now, counted).and_then(|()| rates.may_act(now));
        }
        Ok(())
    });
    let (is_fast, too_much) = (limited.is_err(), too_much.err());
    if carrier == Carrier::Events || is_fast {
        let reason = "too many messages";
        return cx.engine.dismiss(connection, close::TOO_FAST, reason);
    }
    cx.engine.heard_frame(connection);
    heard::note_heard(cx, &sender.client)?;
    calls::lease::note_heard(cx, connection);
    let frames = frames.into_iter().map(|received| Received {
        frame: too_much.clone().map_or(received.frame, Err),
        ..received
    });
    let are_answered = take_frames(cx, &sender, Some(carrier), frames.collect(), &mut chains)?;
    if !were_whole || !chains.are_whole() {
        cx.engine.keep_chains(connection, chains);
    }
    cx.engine.charge(&sender, cx.engine.out.made);
    if !are_answered {
        let reason = "too much that is refused";
        return cx.engine.dismiss(connection, close::TOO_FAST, reason);
    }
    Ok(())
}

/// Takes consecutive frames, each in its place, until so many are refused that the rest is not even
/// answered. Returns whether all were taken or answered.
pub(super) fn take_frames(
    cx: &mut Context<'_>,
    sender: &Sender,
    carrier: Option<Carrier>,
    frames: Vec<Received>,
    chains: &mut Chains,
) -> Result<bool, StoreError> {
    for received in frames {
        let reply = Reply::new(sender, carrier, received.reference);
        let frame = chains.check(received.chain, received.frame);
        let frame = check_effects(cx, frame);
        if !take_frame(cx, sender, frame, &reply)? {
            chains.end(received.chain);
            let limited = cx.engine.limit(sender, |rates, now| rates.refusal(now));
            // A request has an answer for each of its frames, and none follows it (P12.1).
            if limited.is_err() && sender.connection.is_some() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Earlier frames of the same message have used up its effects.
fn check_effects(
    cx: &Context<'_>,
    frame: Result<ClientFrame, ErrorInfo>,
) -> Result<ClientFrame, ErrorInfo> {
    let most = cx.engine.limits.effect_bytes;
    match frame {
        Ok(frame) if most <= u64::try_from(cx.engine.out.made).unwrap_or(u64::MAX) => {
            let verb = frame.verb();
            let message = format!(
                "unable to {verb}; what came with it made more than {most} bytes already, \
                 send it again"
            );
            // By itself it may come at once.
            Err(ErrorInfo::rate_limited(message, 1))
        }
        frame => frame,
    }
}

/// One frame and its one answer. Returns whether it was taken.
fn take_frame(
    cx: &mut Context<'_>,
    sender: &Sender,
    frame: Result<ClientFrame, ErrorInfo>,
    reply: &Reply,
) -> Result<bool, StoreError> {
    let decided = match frame {
        Ok(frame) => decide(cx, sender, frame),
        Err(error) => Err(error.into()),
    };
    match decided {
        Ok(Answer::Now(outcome)) => cx.engine.answer(reply, Ok(outcome)),
        Ok(Answer::Pending(append)) => {
            // If the frame cannot be stored, it is refused with all that wait.
            if let Err(error) = cx.engine.answer_append(reply, append) {
                full::survive(cx, error)?;
                return Ok(false);
            }
        }
        Err(Error::Refused(error)) => {
            cx.engine.answer(reply, Err(error));
            return Ok(false);
        }
        Err(Error::Store(error)) => {
            full::survive(cx, error)?;
            let error = cx.engine.full();
            cx.engine.answer(reply, Err(error));
            return Ok(false);
        }
    }
    Ok(true)
}

/// P13.6: one nack for a message that cannot be read at all.
pub(super) fn refuse_message(
    cx: &mut Context<'_>,
    connection: &ConnectionId,
    error: ErrorInfo,
) -> Result<(), StoreError> {
    let Some(live) = cx.engine.connections.get(connection) else {
        return Ok(());
    };
    let (sender, carrier) = (live.connection.sender(), live.connection.carrier);
    let limited = cx.engine.limit(&sender, |rates, now| {
        rates.message(now)?;
        rates.refusal(now)
    });
    let is_fast = limited.is_err();
    let reply = Reply::new(&sender, Some(carrier), None);
    let is_huge = error.code == ErrorCode::TooLarge;
    cx.engine.answer(&reply, Err(error));
    if is_fast {
        let reason = "too many messages";
        return cx.engine.dismiss(connection, close::TOO_FAST, reason);
    }
    if is_huge {
        let reason = "the message is too large";
        return cx.engine.dismiss(connection, close::TOO_LARGE, reason);
    }
    Ok(())
}

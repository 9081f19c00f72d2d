//! Messages are created (P4.1, P4.2).

use crate::protocol::capability::Operation;
use crate::protocol::data::{Data, units};
use crate::protocol::decode::{Interrupt, NewMessage, Publish, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, Placed, ServerFrame};
use crate::protocol::message::{DEFAULT_NAME, Message, Role, Status};
use crate::protocol::serial::{Epoch, Place, Serial};
use crate::protocol::traceparent;
use crate::protocol::turn::Turn;
use crate::session::approvals::words::dismiss_by_input;
use crate::session::context::Context;
use crate::session::engine::{Answer, Created, Error, Sender, Step, Stream};
use crate::session::handover::check::{check_speaker, is_led_by, keep_inputs};
use crate::session::inboxes::follow::follow_author;
use crate::session::messages::edits::check_edits;
use crate::session::messages::silence::STREAMS;
use crate::session::turns::cancel::{check_interrupt, check_outlives, interrupt, is_interrupted};
use crate::session::turns::change::queue_input;
use crate::session::turns::leader::{Claim, check_leader};
use crate::session::turns::lease::renew_lease;
use crate::session::turns::queue::{
    Waits, check_input, interrupt_by_settings, is_input, is_interrupted_by_settings,
    is_left_behind, waits, waits_for_return,
};
use crate::session::turns::steer::{steer_by_input, steering_headers};
use crate::session::waking::owe::owe_input;
use crate::store::{Head, Kind, MessageWrite, StoreError, Streaming, Tail};

/// The decision about one message of a publish.
enum Verdict {
    /// It is created.
    New,
    /// It replaces one that an earlier attempt left unfinished (P6.8).
    Instead(Head),
    /// It was created before.
    Known(Head),
    /// It repeats the id of an earlier one in the same publish.
    Twin(usize),
}

/// Creates messages: all of them or none.
pub(crate) fn publish(
    cx: &mut Context<'_>,
    sender: &Sender,
    publish: Publish,
) -> Result<Answer, Error> {
    let no_interrupt = Interrupt::None;
    let interrupts = publish.interrupt.as_ref().unwrap_or(&no_interrupt);
    check_interrupt(cx, sender, interrupts)?;
    let verdicts = judge(cx, sender, &publish, interrupts)?;
    cx.engine.check_room("publish")?;
    // From here on the publish is taken: a refused one must end nobody's window.
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    if verdicts.iter().any(Verdict::is_new) {
        interrupt(cx, &mut step, sender, interrupts)?;
        interrupt_by_settings(cx, &mut step, sender, &publish.messages)?;
    }
    let mut placed: Vec<Placed> = Vec::with_capacity(verdicts.len());
    let mut driven = Vec::new();
    let mut held = Vec::new();
    let mut words = None;
    for (new, verdict) in publish.messages.into_iter().zip(verdicts) {
        let id = new.id.clone();
        if verdict.is_new() {
            driven.extend(new.turn.clone());
        }
        if let Verdict::Instead(head) = &verdict {
            cx.engine.delete_message(&mut step, head, true);
        }
        let mut result = match verdict {
            Verdict::Known(head) => {
                // Pending text of it is stored by now.
                let stream = cx.engine.rollup.streams.get(&head.place);
                let version = stream.map_or(head.version, |stream| stream.version);
                repeated(cx.engine.epoch, head.place, version)
            }
            Verdict::Twin(first) => match placed.get(first) {
                Some(first) => Placed {
                    duplicate: true,
                    ..first.clone()
                },
                None => continue,
            },
            Verdict::New | Verdict::Instead(_) => {
                let is_held = waits_for_return(cx, sender, &new);
                let is_input = is_input(sender, &new);
                let serial = introduce(cx, &mut step, sender, new);
                if is_held {
                    held.push(serial.place);
                }
                if is_input {
                    words.get_or_insert(serial.place);
                }
                Placed::new(serial, serial)
            }
        };
        result.id = id;
        placed.push(result);
    }
    // P8.7: to a person who leads, words answer nothing that an agent asked.
    if let Some(input) = words.filter(|_| cx.memory.handover.is_none()) {
        dismiss_by_input(cx, &mut step, sender, input)?;
    }
    keep_inputs(cx, &mut step, held);
    cx.engine.commit(step)?;
    driven.dedup();
    for turn in driven {
        renew_lease(cx, sender, &turn)?;
    }
    Ok(Answer::Now(Outcome::Published { messages: placed }))
}

/// Decides about every message before anything is written.
fn judge(
    cx: &Context<'_>,
    sender: &Sender,
    publish: &Publish,
    interrupt: &Interrupt,
) -> Result<Vec<Verdict>, Error> {
    let messages = &publish.messages;
    let mut verdicts = Vec::with_capacity(messages.len());
    let mut waiting = 0;
    let mut streaming = cx.engine.rollup.streams.len();
    let is_by_settings = is_interrupted_by_settings(cx, sender, messages);
    let claim = |attempt| Claim {
        verb: "publish",
        sender,
        attempt,
    };
    for (index, new) in messages.iter().enumerate() {
        let earlier = messages.iter().take(index);
        let twin = earlier
            .enumerate()
            .find(|(_, earlier)| new.id.is_some() && earlier.id == new.id)
            .map(|(first, _)| first);
        if let Some(first) = twin {
            verdicts.push(Verdict::Twin(first));
            continue;
        }
        let known = known(cx, sender, new)?;
        let attempt = new.attempt.or(publish.attempt);
        if let Some(turn) = &new.turn
            && (known.is_none() || cx.memory.turns.contains_key(turn))
        {
            check_leader(cx, &claim(attempt), turn)?;
            let ends = |turn: &Turn| is_interrupted(interrupt, turn) || is_by_settings(turn);
            check_outlives(cx, ends, turn)?;
        }
        let verdict = match known {
            Some(head) if !is_left_behind(cx, &head) => {
                verdicts.push(Verdict::Known(head));
                continue;
            }
            Some(head) => Verdict::Instead(head),
            None => Verdict::New,
        };
        check_new(cx, sender, new)?;
        check_input(cx, sender, new, interrupt, &mut waiting)?;
        streaming += usize::from(new.status == Some(Status::Streaming));
        let limit = cx.engine.limits.streaming_messages();
        if limit < streaming {
            let message = format!("unable to publish; {limit} messages stream already");
            return Err(ErrorInfo::new(ErrorCode::OverLimit, message).into());
        }
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// The message that an id already stands for.
pub(crate) fn known(
    cx: &Context<'_>,
    sender: &Sender,
    new: &NewMessage,
) -> Result<Option<Head>, StoreError> {
    let Some(id) = &new.id else { return Ok(None) };
    let Some(place) = cx.engine.once(sender, Kind::Message, id)? else {
        return Ok(None);
    };
    let head = cx.engine.store.head(place)?;
    // The id of a streamed body that failed is free again (P4.2).
    let is_failed_body = |head: &Head| {
        head.status == Some(Status::Failed)
            && head
                .connection
                .as_ref()
                .is_some_and(|connection| connection.is_body())
    };
    Ok(head.filter(|head| !is_failed_body(head)))
}

fn check_new(cx: &Context<'_>, sender: &Sender, new: &NewMessage) -> Result<(), Error> {
    let may_speak = [Operation::Turn, Operation::Edit]
        .iter()
        .any(|operation| sender.operations.contains(*operation))
        || is_led_by(cx, &sender.client);
    if new.role != Role::User && !may_speak {
        let message = format!(
            "unable to publish with role {}; the token lacks turn or edit on session {}",
            new.role.as_str(),
            cx.engine.id
        );
        return Err(ErrorInfo::new(ErrorCode::Forbidden, message).into());
    }
    check_speaker(cx, sender, new.role, new.turn.is_some())?;
    if let Some(parent) = new.parent {
        let place = cx.engine.place("publish after parent", parent)?;
        cx.engine.existing("publish after parent", place)?;
    }
    check_edits(cx, "publish", new.headers.as_ref(), &sender.client)?;
    if new.status == Some(Status::Streaming) && !matches!(new.data, Data::Text(_)) {
        let message = "unable to publish; only text can stream, data is not text";
        return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message).into());
    }
    let limit = cx.engine.limits.data_bytes();
    if limit < new.data.bytes() {
        return Err(too_large("publish", new.data.bytes(), limit).into());
    }
    Ok(())
}

fn create(cx: &mut Context<'_>, sender: &Sender, new: NewMessage) -> Message {
    cx.engine.state.end += 1;
    let serial = cx.engine.epoch.at(cx.engine.end);
    Message {
        serial,
        version: serial,
        id: new.id,
        name: new.name.unwrap_or_else(|| DEFAULT_NAME.to_owned()),
        client: sender.client.clone(),
        connection: sender.connection.clone(),
        role: new.role,
        turn: new.turn,
        parent: new.parent,
        data: Some(new.data),
        headers: new.headers,
        status: new.status,
        seq: None,
        created_at: cx.engine.now,
        updated_at: cx.engine.now,
        annotations: None,
        deleted_at: None,
    }
}

/// Creates a message; an input that may not be answered now waits from then on (P10.3).
fn introduce(cx: &mut Context<'_>, step: &mut Step, sender: &Sender, new: NewMessage) -> Serial {
    let waits = waits(cx, sender, &new);
    let is_owed = is_input(sender, &new) && cx.memory.handover.is_none();
    let mut message = create(cx, sender, new);
    let serial = message.serial;
    let place = serial.place;
    let traceparent = traceparent::of(message.headers.as_ref());
    follow_author(cx, step, sender, &message);
    match waits {
        Waits::No => {
            announce(cx, message, step);
            if is_owed {
                owe_input(cx, step, place, traceparent.as_deref());
            }
        }
        Waits::Queued => {
            announce(cx, message, step);
            queue_input(cx, step, place, traceparent);
        }
        Waits::Steers(turn) => {
            message.headers = steering_headers(message.headers, &turn);
            let data = message.data.clone();
            announce(cx, message, step);
            steer_by_input(cx, step, &turn, place, data);
        }
    }
    serial
}

/// Sends a new message to its readers, and follows it if it streams.
pub(crate) fn announce(cx: &mut Context<'_>, message: Message, step: &mut Step) {
    let place = message.serial.place;
    step.write(MessageWrite::Create(message.clone()));
    if let (Some(Status::Streaming), Some(Data::Text(text))) = (message.status, &message.data) {
        let head = Head {
            place,
            version: place,
            seq: 0,
            status: message.status,
            client: message.client.clone(),
            connection: message.connection.clone(),
            name: message.name.clone(),
            id: message.id.clone(),
            turn: message.turn.clone(),
            is_deleted: false,
            updated_at: cx.engine.now,
        };
        let bytes = text.len();
        let tail = Tail { segment: 0, bytes };
        let streaming = Streaming {
            head,
            units: units(text),
            bytes,
            tail,
        };
        cx.engine
            .state
            .rollup
            .streams
            .insert(place, Stream::new(streaming));
        if message.turn.is_none() {
            cx.engine.state.clock.stir(STREAMS);
        }
    } else if message.turn.is_none() {
        let created = &mut cx.engine.state.news.created;
        created.get_or_insert_with(|| Created {
            place,
            at: cx.engine.now,
            client: message.client.clone(),
        });
    }
    let name = message.name.clone();
    step.tell_of(&name, ServerFrame::Create { message });
}

impl Verdict {
    fn is_new(&self) -> bool {
        matches!(self, Self::New | Self::Instead(_))
    }
}

fn repeated(epoch: Epoch, place: Place, version: Place) -> Placed {
    let mut placed = Placed::new(epoch.at(place), epoch.at(version));
    placed.duplicate = true;
    placed
}

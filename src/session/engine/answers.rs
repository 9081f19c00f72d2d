//! Acks and nacks, in the order of the frames that they answer (P13.1).

use super::connection::Sender;
use super::outbox::Outbox;
use crate::machine::Carrier;
use crate::ordered::Set;
use crate::protocol::decode::Ref;
use crate::protocol::error::ErrorInfo;
use crate::protocol::frame::{Outcome, Placed, ServerFrame};
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::PENDING_APPENDS_MAX;
use crate::protocol::serial::{Epoch, Place};

/// The destination of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// A connection, or the HTTP request at hand.
    to: Option<ConnectionId>,
    reference: Option<Ref>,
    /// Whether a frame without a `ref` is answered too, as every frame of an HTTP body is.
    is_always: bool,
}

impl Reply {
    pub(crate) fn new(sender: &Sender, carrier: Option<Carrier>, reference: Option<Ref>) -> Self {
        let is_always = matches!(carrier, None | Some(Carrier::Lines));
        Self {
            to: sender.connection.clone(),
            reference,
            is_always,
        }
    }

    /// The connection; `None` for an HTTP request.
    pub(super) fn connection(&self) -> Option<&ConnectionId> {
        self.to.as_ref()
    }

    /// Whether success is answered too.
    fn is_wanted(&self) -> bool {
        self.is_always || self.reference.is_some()
    }

    fn frame(&self, result: Result<Outcome, ErrorInfo>) -> Option<ServerFrame> {
        let reference = self.reference.clone();
        match result {
            Err(error) => Some(ServerFrame::Nack {
                r#ref: reference,
                error,
            }),
            Ok(result) if self.is_wanted() => Some(ServerFrame::Ack {
                r#ref: reference,
                result,
            }),
            Ok(_) => None,
        }
    }
}

/// Answers that wait until their facts are stored (P3.2).
#[derive(Debug, Default)]
pub(super) struct Answers {
    waiting: Vec<Waiting>,
    /// Their recipients: a search among many answers would cost too much for each.
    to: Set<Option<ConnectionId>>,
}

#[derive(Debug)]
enum Waiting {
    /// An append that is not stored yet.
    Append { reply: Reply, append: Pending },
    /// An answer that must not overtake one.
    Ready {
        reply: Reply,
        result: Result<Outcome, ErrorInfo>,
    },
}

impl Waiting {
    fn reply(&self) -> &Reply {
        match self {
            Self::Append { reply, .. } | Self::Ready { reply, .. } => reply,
        }
    }
}

impl Answers {
    fn push(&mut self, waiting: Waiting) {
        let to = &waiting.reply().to;
        if !self.to.contains(to) {
            self.to.insert(to.clone());
        }
        self.waiting.push(waiting);
    }

    /// Whether an answer waits for a connection, or for the request at hand.
    pub(super) fn are_owed_to(&self, connection: Option<&ConnectionId>) -> bool {
        self.to.iter().any(|to| to.as_ref() == connection)
    }

    /// Whether so many answers wait that they must be released at once.
    pub(super) fn are_many(&self) -> bool {
        PENDING_APPENDS_MAX <= self.waiting.len()
    }

    /// An append that is pending, or a repeat of one that is.
    pub(super) fn push_append(&mut self, reply: &Reply, append: Pending) {
        if reply.is_wanted() {
            self.push(Waiting::Append {
                reply: reply.clone(),
                append,
            });
        }
    }

    /// Refuses the waiting appends: they cannot be stored.
    pub(crate) fn refuse(&mut self, error: &ErrorInfo, out: &mut Outbox) {
        self.to.clear();
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Ready { reply, result } => out.answer(&reply, result),
                Waiting::Append { reply, .. } => out.answer(&reply, Err(error.clone())),
            }
        }
    }

    /// Sends all waiting answers: everything pending is stored. `version` gives a message's latest
    /// version.
    pub(super) fn release(
        &mut self,
        epoch: Epoch,
        out: &mut Outbox,
        version: impl Fn(Place) -> Option<Place>,
    ) {
        self.to.clear();
        for waiting in std::mem::take(&mut self.waiting) {
            let (reply, result) = match waiting {
                Waiting::Ready { reply, result } => (reply, result),
                Waiting::Append { reply, append } => {
                    let version = version(append.place).unwrap_or(append.place);
                    (reply, Ok(append.outcome(epoch, version)))
                }
            };
            out.answer(&reply, result);
        }
    }
}

/// The answer to a frame that was taken (P13.1): a handler returns exactly one.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The outcome, at once.
    Now(Outcome),
    /// The answer follows once pending text is stored: for an append only.
    Pending(Pending),
}

/// An append that is taken, or a repeat of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    /// The message.
    pub(crate) place: Place,
    /// The append's number.
    pub(crate) seq: Option<u64>,
    /// Whether it had been taken before.
    pub(crate) is_duplicate: bool,
}

impl Pending {
    /// The answer, once the message is stored at a version.
    pub(crate) fn outcome(self, epoch: Epoch, version: Place) -> Outcome {
        let mut placed = Placed::new(epoch.at(self.place), epoch.at(version));
        placed.seq = self.seq;
        placed.duplicate = self.is_duplicate;
        Outcome::Changed(placed)
    }
}

impl Answers {
    /// Answers a frame: at once, or behind the answers that wait for the same connection.
    pub(super) fn answer(
        &mut self,
        reply: &Reply,
        result: Result<Outcome, ErrorInfo>,
        out: &mut Outbox,
    ) {
        if self.to.contains(&reply.to) {
            self.push(Waiting::Ready {
                reply: reply.clone(),
                result,
            });
        } else {
            out.answer(reply, result);
        }
    }
}

impl Outbox {
    fn answer(&mut self, reply: &Reply, result: Result<Outcome, ErrorInfo>) {
        let Some(frame) = reply.frame(result) else {
            return;
        };
        match &reply.to {
            Some(connection) => self.send(connection, &frame),
            None => {
                let text = frame.encode();
                self.made += text.len();
                self.answers.push((frame, text));
            }
        }
    }
}

//! A turn: one agent answer to one input (P6).

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::data::Data;
use super::ids::{ConnectionId, Timestamp};
use super::limits::LEASE_MS_DEFAULT;
use super::milestone::Milestone;
use super::object::{Object, read_fields, words};
use super::serial::{Epoch, Place, Serial};
use super::usage::Usage;

/// The status of a turn (P6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits for an agent.
    Queued,
    /// An agent works on it.
    Active,
    /// It waits for something outside.
    Suspended,
    /// Its agent ended it.
    Complete,
    /// A client cancelled it.
    Cancelled,
    /// It failed, or its agent was lost.
    Failed,
}

words!(Status {
    Queued = "queued",
    Active = "active",
    Suspended = "suspended",
    Complete = "complete",
    Cancelled = "cancelled",
    Failed = "failed",
});

/// How a turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its agent ended it.
    Complete,
    /// A client cancelled it.
    Cancelled,
    /// It failed, or its agent was lost.
    Failed,
}

words!(Ending {
    Complete = "complete",
    Cancelled = "cancelled",
    Failed = "failed",
});

/// The leader of a turn, and its lease (P6.8).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lead {
    /// The connection that started or adopted it; `None` for a single HTTP request.
    pub connection: Option<ConnectionId>,
    /// The lease in milliseconds.
    pub lease_ms: u64,
    /// When its lease began anew, since it had run out while the session was not there to hear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prolonged_at: Option<Timestamp>,
}

read_fields!(Lead {
    connection,
    lease_ms,
    prolonged_at,
});

impl Lead {
    /// A lead that begins.
    pub fn new(connection: Option<ConnectionId>, lease_ms: u64) -> Self {
        Self {
            connection,
            lease_ms,
            prolonged_at: None,
        }
    }
}

/// The state of a turn, with the data of that state alone (P6.1).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has no leader.
    Queued,
    /// It has a leader, under a lease.
    Active(Lead),
    /// It has a leader, without a lease.
    Suspended {
        /// The leader.
        lead: Lead,
        /// The reason for waiting.
        reason: Option<String>,
        /// When it was suspended.
        at: Timestamp,
    },
    /// It is final.
    Ended {
        /// How it ended.
        ending: Ending,
        /// `agent-lost` or `abandoned`, if the session ended it.
        reason: Option<String>,
        /// The error that it failed with.
        error: Option<Data>,
        /// When it ended.
        at: Timestamp,
    },
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(source)?;
        Self::read(raw.get()).ok_or_else(|| Error::custom("it is no state of a turn"))
    }
}

impl State {
    /// Reads the word of a state, or an object with that word and its fields.
    fn read(text: &str) -> Option<Self> {
        let Some(object) = Object::read(text) else {
            return (text == "\"queued\"").then_some(Self::Queued);
        };
        if let Some(lead) = object.raw("active") {
            return serde_json::from_str(lead.get()).ok().map(Self::Active);
        }
        if let Some(suspended) = object.raw("suspended") {
            let fields = Object::read(suspended.get())?;
            return Some(Self::Suspended {
                lead: fields.field("lead").ok()?,
                reason: fields.field("reason").ok()?,
                at: fields.field("at").ok()?,
            });
        }
        let fields = Object::read(object.raw("ended")?.get())?;
        Some(Self::Ended {
            ending: fields.field("ending").ok()?,
            reason: fields.field("reason").ok()?,
            error: fields.field("error").ok()?,
            at: fields.field("at").ok()?,
        })
    }
}

/// A request to cancel a turn (P6.5).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cancel {
    /// The client that asked.
    pub by: String,
    /// When it asked.
    pub at: Timestamp,
    /// Its reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

read_fields!(Cancel { by, at, reason });

/// The latest event of a turn, named as its frame (P6.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An agent started it.
    Start,
    /// It waits for something outside.
    Suspend,
    /// It was resumed.
    Resume,
    /// A client cancelled it.
    Cancel,
    /// A client steered it.
    Steer,
    /// It waits for an agent.
    Queue,
    /// Another process took it over.
    Adopt,
    /// It has used more (P6.12).
    Usage,
    /// It ended.
    End,
}

words!(Event {
    Start = "turn.start",
    Suspend = "turn.suspend",
    Resume = "turn.resume",
    Cancel = "turn.cancel",
    Steer = "turn.steer",
    Queue = "turn.queue",
    Adopt = "turn.adopt",
    Usage = "turn.usage",
    End = "turn.end",
});

/// The place of a turn among others (P6.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Within {
    /// The turn within which it runs.
    pub turn: String,
    /// How many turns are around it.
    pub depth: usize,
    /// Whether it goes on after the end of that turn.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub detached: bool,
}

read_fields!(Within {
    turn,
    depth,
    detached: or_default,
});

/// A turn in memory and, as JSON, in its row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Turn {
    /// The place of its start in the log.
    pub place: Place,
    /// The place of its latest change.
    pub version: Place,
    /// The event of that change.
    pub event: Event,
    /// Its id, the client's own or the session's.
    pub id: String,
    /// The client that leads or led it.
    pub agent: Option<String>,
    /// The message that it answers.
    pub input: Option<Place>,
    /// The message that it follows (P6.9).
    pub parent: Option<Place>,
    /// The turn within which it runs (P6.11).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
    /// The number of its current attempt; of a queued turn, of the next one.
    pub attempt: u64,
    /// The place at which that attempt began.
    pub attempt_place: Place,
    /// Its steers, and whether each was taken (P6.7).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steers: Vec<(Place, bool)>,
    /// Those of its steers that are inputs (P10.3).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Place>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When an agent first started it.
    pub started_at: Option<Timestamp>,
    /// The request to cancel it.
    pub cancel: Option<Cancel>,
    /// The agent's own data.
    pub metadata: Option<Data>,
    /// Its trace context (P6.13).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Its use so far (P6.12).
    #[serde(skip_serializing_if = "Usage::is_empty")]
    pub usage: Usage,
    /// Its state.
    pub state: State,
}

read_fields!(Turn {
    place,
    version,
    event,
    id,
    agent,
    input,
    parent,
    within,
    attempt,
    attempt_place,
    steers: or_default,
    inputs: or_default,
    created_at,
    started_at,
    cancel,
    metadata,
    traceparent,
    usage: or_default,
    state,
});

impl Turn {
    /// Its status on the wire.
    pub fn status(&self) -> Status {
        match &self.state {
            State::Queued => Status::Queued,
            State::Active(_) => Status::Active,
            State::Suspended { .. } => Status::Suspended,
            State::Ended { ending, .. } => match ending {
                Ending::Complete => Status::Complete,
                Ending::Cancelled => Status::Cancelled,
                Ending::Failed => Status::Failed,
            },
        }
    }

    /// Whether it is not final.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Ended { .. })
    }

    /// Whether it runs directly within another turn (P6.11).
    pub fn is_within(&self, id: &str) -> bool {
        self.within.as_ref().is_some_and(|within| within.turn == id)
    }

    /// Its leader, if it has one.
    pub fn lead(&self) -> Option<&Lead> {
        match &self.state {
            State::Active(lead) | State::Suspended { lead, .. } => Some(lead),
            State::Queued | State::Ended { .. } => None,
        }
    }

    /// The same, to be changed.
    pub fn lead_mut(&mut self) -> Option<&mut Lead> {
        match &mut self.state {
            State::Active(lead) | State::Suspended { lead, .. } => Some(lead),
            State::Queued | State::Ended { .. } => None,
        }
    }

    /// The turn as sent on the wire; `lease_until` only while it is active.
    pub fn shown(&self, epoch: Epoch, lease_until: Option<Timestamp>) -> Shown {
        let (reason, error, ended_at) = match &self.state {
            State::Ended {
                reason, error, at, ..
            } => (reason.clone(), error.clone(), Some(*at)),
            State::Suspended { reason, .. } => (reason.clone(), None, None),
            State::Queued | State::Active(_) => (None, None, None),
        };
        Shown {
            id: self.id.clone(),
            status: self.status(),
            reason,
            agent: self.agent.clone(),
            input: self.input.map(|place| epoch.at(place)),
            parent: self.parent.map(|place| epoch.at(place)),
            within: self.within.as_ref().map(|within| within.turn.clone()),
            detached: self.within.as_ref().is_some_and(|within| within.detached),
            attempt: self.attempt,
            lease_ms: self.lead().map(|lead| lead.lease_ms),
            lease_until,
            cancel: self.cancel.clone(),
            created_at: self.created_at,
            started_at: self.started_at,
            ended_at,
            error,
            metadata: self.metadata.clone(),
            traceparent: self.traceparent.clone(),
            usage: self.usage.clone(),
        }
    }
}

/// A turn on the wire (P6.1). Absent fields are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    id: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Serial>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Serial>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    detached: bool,
    attempt: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel: Option<Cancel>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[serde(skip_serializing_if = "Usage::is_empty")]
    usage: Usage,
}

impl Shown {
    /// A milestone of it (P11.8). The reason of an end is the session's own, every other one is a
    /// client's.
    pub(super) fn milestone(&self, event: Event) -> Milestone {
        let ended = self.ended_at.map(|at| at.saturating_sub(self.created_at));
        Milestone {
            event: event.as_str(),
            id: Some(self.id.clone()),
            status: Some(self.status.as_str()),
            reason: self.reason.clone().filter(|_| ended.is_some()),
            ms: ended,
            count: Some(self.attempt),
            traceparent: self.traceparent.clone(),
            ..Milestone::default()
        }
    }

    /// Its id alone.
    pub fn into_id(self) -> String {
        self.id
    }

    /// Whether it was just started, by its first attempt.
    pub fn is_new(&self) -> bool {
        self.started_at == Some(self.created_at) && self.attempt == 1
    }
}

/// The requested lease or the default, in milliseconds.
pub fn lease(asked: Option<u64>) -> u64 {
    asked.unwrap_or(LEASE_MS_DEFAULT)
}

//! A turn: one agent answer to one input (P6).

use serde::{Deserialize, Serialize};

use super::data::Data;
use super::ids::{ConnectionId, Timestamp};
use super::limits::LEASE_MS_DEFAULT;
use super::serial::{Epoch, Place, Serial};

/// How far a turn has come (P6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It waits for an agent.
    Queued,
    /// An agent works on it.
    Active,
    /// It waits for something outside.
    Suspended,
    /// Its agent ended it.
    Complete,
    /// Somebody stopped it.
    Cancelled,
    /// It came to nothing.
    Failed,
}

/// How a turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// Its agent ended it.
    Complete,
    /// Somebody stopped it.
    Cancelled,
    /// It came to nothing.
    Failed,
}

/// Who leads a turn, and how long that is believed without a word (P6.8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lead {
    /// The connection that started or adopted it, if it came over one.
    pub connection: Option<ConnectionId>,
    /// The lease in milliseconds.
    pub lease_ms: u64,
}

/// What a turn is at the moment, with what belongs to that alone (P6.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// Without a leader.
    Queued,
    /// Led, under a lease.
    Active(Lead),
    /// Led, without a lease.
    Suspended {
        /// By whom.
        lead: Lead,
        /// What it waits for.
        reason: Option<String>,
        /// Since when.
        at: Timestamp,
    },
    /// Final.
    Ended {
        /// How.
        ending: Ending,
        /// Why, in a word, where nobody asked for it.
        reason: Option<String>,
        /// What went wrong.
        error: Option<Data>,
        /// When.
        at: Timestamp,
    },
}

/// Who asked for a turn to be cancelled (P6.5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cancel {
    /// The client.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What last happened to a turn: the frame that tells it (P6.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An agent began.
    #[serde(rename = "turn.start")]
    Start,
    /// It waits for something outside.
    #[serde(rename = "turn.suspend")]
    Suspend,
    /// It goes on.
    #[serde(rename = "turn.resume")]
    Resume,
    /// Somebody asked for its end.
    #[serde(rename = "turn.cancel")]
    Cancel,
    /// Somebody gave an instruction.
    #[serde(rename = "turn.steer")]
    Steer,
    /// It waits for an agent.
    #[serde(rename = "turn.queue")]
    Queue,
    /// Another process took it.
    #[serde(rename = "turn.adopt")]
    Adopt,
    /// It is over.
    #[serde(rename = "turn.end")]
    End,
}

/// A turn as the session knows it, and as its row keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Its place in the log: where it was begun.
    pub place: Place,
    /// The place of its latest change.
    pub version: Place,
    /// What that change was.
    pub event: Event,
    /// Its id, the client's own or the session's.
    pub id: String,
    /// The client that leads or led it.
    pub agent: Option<String>,
    /// The message that it answers.
    pub input: Option<Place>,
    /// The message that it follows (P6.9).
    pub parent: Option<Place>,
    /// Counts the processes that led it; of a queued one, which will be the next.
    pub attempt: u64,
    /// Where that attempt began.
    pub attempt_place: Place,
    /// Its instructions, and whether each was taken (P6.7).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steers: Vec<(Place, bool)>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When an agent first began to work on it.
    pub started_at: Option<Timestamp>,
    /// Who wants it to end.
    pub cancel: Option<Cancel>,
    /// Anything the agent wants to travel along.
    pub metadata: Option<Data>,
    /// What it is at the moment.
    pub state: State,
}

impl Turn {
    /// Its status, as everybody sees it.
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

    /// Who leads it.
    pub fn lead(&self) -> Option<&Lead> {
        match &self.state {
            State::Active(lead) | State::Suspended { lead, .. } => Some(lead),
            State::Queued | State::Ended { .. } => None,
        }
    }

    /// As it goes over the wire; `lease_until` while it is active.
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
            attempt: self.attempt,
            lease_ms: self.lead().map(|lead| lead.lease_ms),
            lease_until,
            cancel: self.cancel.clone(),
            created_at: self.created_at,
            started_at: self.started_at,
            ended_at,
            error,
            metadata: self.metadata.clone(),
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
}

impl Shown {
    /// Its id alone.
    pub fn into_id(self) -> String {
        self.id
    }

    /// Whether nothing happened to it but that it was begun.
    pub fn is_new(&self) -> bool {
        self.started_at == Some(self.created_at) && self.attempt == 1
    }
}

/// The lease that is asked for, or the default.
pub fn lease(asked: Option<u64>) -> u64 {
    asked.unwrap_or(LEASE_MS_DEFAULT)
}

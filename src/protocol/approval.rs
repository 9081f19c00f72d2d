//! Approvals and questions, for people to answer (P8).

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::data::Data;
use super::grant::Scope;
use super::ids::Timestamp;
use super::news::{Asking, ItemKind};
use super::object::{Object, read_fields, words};
use super::serial::Place;

/// The kind of a request (P8.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    #[default]
    Approval,
    /// An option, a text or a form.
    Question,
}

words!(Kind {
    Approval = "approval",
    Question = "question",
});

/// The state of an approval (P8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits for an answer.
    Pending,
    /// Approved, by a client or by the deadline.
    Approved,
    /// Rejected, by a client or by the deadline.
    Rejected,
    /// The question has an answer.
    Answered,
    /// Dismissed without an answer.
    Dismissed,
    /// Nobody answered before the deadline.
    Expired,
    /// The requester took it back, or its turn ended.
    Withdrawn,
}

words!(Status {
    Pending = "pending",
    Approved = "approved",
    Rejected = "rejected",
    Answered = "answered",
    Dismissed = "dismissed",
    Expired = "expired",
    Withdrawn = "withdrawn",
});

/// A decision (P8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, to an approval.
    Approve,
    /// No, to an approval.
    Reject,
    /// The answer to a question.
    Answer,
    /// Neither, to either kind.
    Dismiss,
}

words!(Decision {
    Approve = "approve",
    Reject = "reject",
    Answer = "answer",
    Dismiss = "dismiss",
});

impl Decision {
    /// The status after it.
    pub const fn status(self) -> Status {
        match self {
            Self::Approve => Status::Approved,
            Self::Reject => Status::Rejected,
            Self::Answer => Status::Answered,
            Self::Dismiss => Status::Dismissed,
        }
    }
}

/// The effect of the deadline (P8.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDeadline {
    /// The approval expires.
    #[default]
    Expire,
    /// It is approved.
    Approve,
    /// It is rejected.
    Reject,
    /// The question is answered with this option.
    Option(String),
}

impl<'de> Deserialize<'de> for OnDeadline {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        const WORDS: &[&str] = &["expire", "approve", "reject", "option"];
        let raw = <&RawValue>::deserialize(source)?.get();
        if let Some(object) = Object::read(raw) {
            return object
                .field("option")
                .map(Self::Option)
                .map_err(D::Error::custom);
        }
        let word: String = serde_json::from_str(raw).map_err(D::Error::custom)?;
        match word.as_str() {
            "expire" => Ok(Self::Expire),
            "approve" => Ok(Self::Approve),
            "reject" => Ok(Self::Reject),
            other => Err(D::Error::unknown_variant(other, WORDS)),
        }
    }
}

impl OnDeadline {
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::Expire
    }
}

/// The effect of an input by somebody who may decide (P8.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMessage {
    /// None.
    #[default]
    Keep,
    /// It dismisses the approval.
    Dismiss,
}

words!(OnMessage {
    Keep = "keep",
    Dismiss = "dismiss",
});

impl OnMessage {
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::Keep
    }
}

/// One of the options of a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// Its id among the options.
    pub id: String,
    /// The text for people.
    pub label: String,
    /// The value that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
}

read_fields!(Choice { id, label, data });

/// More assignees after some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Escalation {
    /// Milliseconds after the request.
    pub after_ms: u64,
    /// The clients and roles asked in addition.
    pub assignees: Vec<String>,
}

read_fields!(Escalation {
    after_ms as "afterMs",
    assignees,
});

/// The latest event of an approval, named as its frame (P8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was asked for.
    Request,
    /// More people were asked.
    Escalate,
    /// Somebody decided.
    Decide,
    /// The deadline passed.
    Expire,
    /// It was taken back, or its turn ended.
    Withdraw,
}

words!(Event {
    Request = "approval.request",
    Escalate = "approval.escalate",
    Decide = "approval.decide",
    Expire = "approval.expire",
    Withdraw = "approval.withdraw",
});

impl Event {
    /// Its word in the history.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Escalate => "escalate",
            Self::Decide => "decide",
            Self::Expire => "expire",
            Self::Withdraw => "withdraw",
        }
    }
}

/// An entry of the history of an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Past {
    /// When it was due, which the clock may have passed since.
    pub at: Timestamp,
    /// The event.
    pub what: Event,
    /// The client that did it; `None` for the session itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The approval by whose grant it happened (P8.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

read_fields!(Past { at, what, who, by });

/// The request, as received.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// Its kind.
    pub kind: Kind,
    /// The question in one line.
    pub title: String,
    /// The question at length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The schema of an answer's data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Data>,
    /// The options of a question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// The clients and roles that may decide; without any, those of P8.2.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<String>,
    /// The effect of the deadline.
    #[serde(skip_serializing_if = "OnDeadline::is_usual")]
    pub on_deadline: OnDeadline,
    /// The effect of an input.
    #[serde(skip_serializing_if = "OnMessage::is_usual")]
    pub on_message: OnMessage,
    /// The key under which its approval may be remembered (P8.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

read_fields!(Asked {
    kind,
    title,
    description,
    data,
    schema,
    options: or_default,
    assignees: or_default,
    on_deadline: or_default,
    on_message: or_default,
    grant,
});

/// The outcome of a decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// The decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The option that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// The data of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Data>,
    /// A comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// How far it is remembered (P8.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

read_fields!(Verdict {
    decision,
    option,
    answer,
    comment,
    scope,
});

/// An approval in memory and, as JSON, in its row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Approval {
    /// The place of its request in the log.
    pub place: Place,
    /// The place of its latest change.
    pub version: Place,
    /// The event of that change.
    pub event: Event,
    /// Its id, the client's own or the session's.
    pub id: String,
    /// The turn that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// The client that asked.
    pub client: String,
    /// The client whose message the turn answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asker: Option<String>,
    /// Whether it was asked without assignees: clients named later may decide as well.
    pub is_open: bool,
    /// The request.
    pub asked: Asked,
    /// When its deadline is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_at: Option<Timestamp>,
    /// The future escalations, the next first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalate: Vec<Escalation>,
    /// Its state.
    pub status: Status,
    /// The decision.
    pub verdict: Verdict,
    /// Its history.
    pub history: Vec<Past>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

read_fields!(Approval {
    place,
    version,
    event,
    id,
    turn,
    client,
    asker,
    is_open,
    asked,
    deadline_at,
    escalate: or_default,
    status,
    verdict,
    history,
    created_at,
});

impl Asking for Approval {
    const KIND: ItemKind = ItemKind::Approval;

    fn id(&self) -> &str {
        &self.id
    }

    fn turn(&self) -> Option<&str> {
        self.turn.as_deref()
    }

    fn places(&self) -> (Place, Place) {
        (self.place, self.version)
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }

    fn is_open(&self) -> bool {
        self.is_pending()
    }
}

impl Approval {
    /// Whether it waits for an answer.
    pub fn is_pending(&self) -> bool {
        self.status == Status::Pending
    }

    /// Those that it was asked of, and will be asked of by escalations; a name may come twice.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let later = self.escalate.iter().flat_map(|it| &it.assignees);
        self.asked.assignees.iter().chain(later).map(String::as_str)
    }

    /// When its next escalation is.
    pub fn escalates_at(&self) -> Option<Timestamp> {
        let next = self.escalate.first()?;
        let wait = Timestamp::try_from(next.after_ms).unwrap_or(Timestamp::MAX);
        Some(self.created_at.saturating_add(wait))
    }

    /// The client that decided, if one did.
    pub(super) fn decided_by(&self) -> Option<String> {
        let last = self.history.last()?;
        last.who.clone().filter(|_| last.what == Event::Decide)
    }
}

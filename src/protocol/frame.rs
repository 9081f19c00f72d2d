//! The frames that a session sends (P3.4, P4.4, P13.1), and their encoding.

use serde::Serialize;
use serde_json::value::RawValue;

use super::approval::Event as ApprovalEvent;
use super::approval_shown::Shown as Approval;
pub use super::attached::{Attached, Lists, Presence};
use super::call::{Event as CallEvent, Shown as Call};
use super::data::Data;
use super::decode::Ref;
use super::error::ErrorInfo;
use super::grant::{RevokeFrame, ShownGrant};
use super::handover::{HandoverFrame, Leading};
use super::ids::{ConnectionId, Timestamp};
use super::message::{Headers, Message, Status};
use super::milestone::Milestone;
use super::presence::Member;
use super::serial::Serial;
use super::turn::{Event, Shown as Turn};
use super::usage::{OverBudget, Usage};

/// Every frame that a session may send.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ServerFrame {
    /// The first frame of a connection (P3.4).
    #[serde(rename = "attached")]
    Attached(Box<Attached>),
    /// The replay is over; live frames follow (P3.4).
    #[serde(rename = "caught-up")]
    CaughtUp {
        /// The reader's position from here on.
        serial: Serial,
    },
    /// A message, whole.
    #[serde(rename = "message.create")]
    Create {
        /// The message.
        message: Message,
    },
    /// More text of a streaming message (P3.10).
    #[serde(rename = "message.append")]
    Append {
        /// The message.
        serial: Serial,
        /// The serial of this change.
        version: Serial,
        /// The length of the text before it, in UTF-16 code units.
        offset: u64,
        /// The text from there on.
        data: String,
        /// Its final status, if it was closed.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<Status>,
        /// Its new headers, if the closing append had any.
        #[serde(skip_serializing_if = "Option::is_none")]
        headers: Option<Headers>,
    },
    /// Any other change: the whole message, without data that did not change.
    #[serde(rename = "message.update")]
    Update {
        /// The message.
        message: Message,
    },
    /// A message was deleted; its tombstone stays.
    #[serde(rename = "message.delete")]
    Delete {
        /// The message.
        serial: Serial,
        /// The serial of its deletion.
        version: Serial,
        /// Whether another attempt at its turn replaces it (P6.8).
        #[serde(skip_serializing_if = "is_false")]
        superseded: bool,
    },
    /// The annotations of a message changed; nothing else of it did (P9.3).
    #[serde(rename = "message.summary")]
    Summary {
        /// The message.
        serial: Serial,
        /// The serial of the change; the message keeps its version.
        version: Serial,
        /// The sums.
        annotations: Data,
    },
    /// Older messages were trimmed (P11.2).
    #[serde(rename = "log.trim")]
    Trim {
        /// The oldest place that may still be read.
        before: Serial,
        /// Older messages that stay: they streamed, or their turn was open.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        keep: Vec<Serial>,
    },
    /// A member entered (P7.3).
    #[serde(rename = "presence.enter")]
    Enter {
        /// The member.
        member: Member,
    },
    /// A member's data changed (P7.3).
    #[serde(rename = "presence.update")]
    Present {
        /// The member.
        member: Member,
    },
    /// A member left (P7.3).
    #[serde(rename = "presence.leave")]
    Leave {
        /// The member.
        member: Member,
    },
    /// The number of members, where not all are listed (P7.3).
    #[serde(rename = "presence.count")]
    Count {
        /// All of them.
        presence_count: usize,
    },
    /// Data relayed and not stored (P4.5).
    #[serde(rename = "signal")]
    Signal {
        /// Its sender.
        client: String,
        /// The sender's connection; absent for a single HTTP request.
        #[serde(skip_serializing_if = "Option::is_none")]
        connection: Option<ConnectionId>,
        /// The application's event name.
        name: String,
        /// Its content.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Data>,
    },
    /// A frame was accepted (P13.1).
    #[serde(rename = "ack")]
    Ack {
        /// The frame's `ref`.
        r#ref: Option<Ref>,
        /// Its result (P13.5).
        result: Outcome,
    },
    /// A frame was refused (P13.1).
    #[serde(rename = "nack")]
    Nack {
        /// The frame's `ref`; `null` if it has none or is unreadable.
        r#ref: Option<Ref>,
        /// The reason.
        error: ErrorInfo,
    },
    /// The token is about to expire (P2.6).
    #[serde(rename = "token-expiring")]
    TokenExpiring {
        /// When it expires.
        expires_at: Timestamp,
    },
    /// Asks the reader to confirm what it has processed (P13.7).
    #[serde(rename = "probe")]
    Probe {
        /// The number that `seen` echoes.
        n: u64,
    },
    /// Grants of a key have ended (P8.6).
    #[serde(rename = "grant.revoke")]
    Revoke(RevokeFrame),
    /// The shared state changed (P9.2).
    #[serde(rename = "state.change")]
    State {
        /// The serial of the change.
        serial: Serial,
        /// The client that made it, or the last of several.
        client: String,
        /// The results of its operations, in order.
        ops: Data,
    },
    /// A client has read so far (P9.5). It has no place in the log.
    #[serde(rename = "read.mark")]
    Marked {
        /// The client.
        client: String,
        /// The last entry that it has read.
        serial: Serial,
    },
    /// The session's sums have grown, or its budget is spent or no longer (P6.12). It has no place
    /// in the log.
    #[serde(rename = "usage")]
    Usage {
        /// The sums that have grown.
        #[serde(skip_serializing_if = "Usage::is_empty")]
        usage: Usage,
        /// The sum that is beyond the budget, if it is spent.
        #[serde(skip_serializing_if = "Option::is_none")]
        over_budget: Option<OverBudget>,
    },
    /// A person took over, or agents answer again (P8.8).
    #[serde(untagged)]
    Handover(HandoverFrame),
    /// A turn changed (P6.10).
    #[serde(untagged)]
    Turn(TurnFrame),
    /// An approval changed (P8.5).
    #[serde(untagged)]
    Approval(ApprovalFrame),
    /// A call changed (P8.9).
    #[serde(untagged)]
    Call(CallFrame),
}

/// A change of a call (P8.9).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallFrame {
    /// The event.
    pub r#type: CallEvent,
    /// The serial of the change.
    pub serial: Serial,
    /// The call after it.
    pub call: Box<Call>,
}

/// A change of an approval (P8.5).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApprovalFrame {
    /// The event.
    pub r#type: ApprovalEvent,
    /// The serial of the change.
    pub serial: Serial,
    /// The approval after it.
    pub approval: Box<Approval>,
}

/// A change of a turn (P6.10).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TurnFrame {
    /// The event.
    pub r#type: Event,
    /// The serial of the change; of a steer, of its message.
    pub serial: Serial,
    /// The turn after it.
    pub turn: Turn,
    /// The message of a steer (P6.7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Serial>,
    /// The instruction of a steer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
}

impl ServerFrame {
    /// The milestone that it tells of (P11.8), if it is one.
    pub fn milestone(&self) -> Option<Milestone> {
        match self {
            Self::Turn(frame) => frame.milestone(),
            Self::Approval(frame) => Some(frame.approval.milestone(frame.r#type.as_str())),
            Self::Handover(frame) => Some(Milestone {
                event: frame.r#type.as_str(),
                ..Milestone::default()
            }),
            _ => None,
        }
    }
}

impl TurnFrame {
    /// The milestone that it tells of (P11.8): that a turn waits for its agents, begins, is
    /// cancelled or ends.
    fn milestone(&self) -> Option<Milestone> {
        match self.r#type {
            Event::Steer | Event::Usage | Event::Suspend | Event::Resume => None,
            event => Some(self.turn.milestone(event)),
        }
    }
}

/// The result of a frame (P13.5).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// Of `publish`.
    Published {
        /// One for each message, in order.
        messages: Vec<Placed>,
    },
    /// Of `append`, `update` and `delete`.
    Changed(Placed),
    /// Of frames that drive a turn.
    Turn {
        /// The turn as it now stands.
        turn: Box<Turn>,
        /// Whether the frame is a repeat.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of `cancel`.
    Turns {
        /// The turns meant, as they now stand.
        turns: Vec<Turn>,
        /// Whether the frame is a repeat.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of a `cancel` of more turns than an ack can hold.
    #[serde(rename_all = "camelCase")]
    TurnIds {
        /// The ids of the turns meant.
        turn_ids: Vec<String>,
        /// Whether the frame is a repeat.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of `steer`.
    Steered {
        /// The steer's message.
        serial: Serial,
        /// The turn.
        turn: Box<Turn>,
        /// Whether the frame is a repeat.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of frames about an approval.
    Approval {
        /// The approval as it now stands.
        approval: Box<Approval>,
        /// Whether the frame is a repeat.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of `grant.revoke`.
    Grants {
        /// The grants that are in force after it.
        grants: Vec<ShownGrant>,
        /// Whether the frame is a repeat.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of frames about a call.
    Call {
        /// The call as it now stands.
        call: Box<Call>,
        /// Whether the frame is a repeat.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of `lead.take` and `lead.return`.
    Lead {
        /// The person who leads from then on, if anybody does.
        lead: Option<Leading>,
        /// Whether the frame is a repeat.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of presence frames.
    Member {
        /// The member that entered, changed or left.
        member: Member,
    },
    /// Of `auth`.
    #[serde(rename_all = "camelCase")]
    Renewed {
        /// When the fresh token expires.
        expires_at: Timestamp,
        /// The session's time.
        at: Timestamp,
    },
    /// Of `signal` and `seen`.
    Nothing {
        /// Whether it is a repeat.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
}

/// A message's place in the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Placed {
    /// The message.
    pub serial: Serial,
    /// The serial of its latest change.
    pub version: Serial,
    /// The client's own id of a published message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The append's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Whether it is a repeat.
    #[serde(skip_serializing_if = "is_false")]
    pub duplicate: bool,
}

impl Placed {
    /// A serial and a version alone.
    pub fn new(serial: Serial, version: Serial) -> Self {
        Self {
            serial,
            version,
            id: None,
            seq: None,
            duplicate: false,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

impl ServerFrame {
    /// The frame as JSON.
    pub fn encode(&self) -> String {
        // Strings, numbers and JSON checked on input always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A body as JSON.
pub fn encode(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

/// One WebSocket message of encoded frames: the frame itself, or an array (P13.6).
pub fn join<S: AsRef<str>>(frames: &[S]) -> String {
    if let [only] = frames {
        return only.as_ref().to_owned();
    }
    let bytes: usize = frames.iter().map(|frame| frame.as_ref().len() + 1).sum();
    let mut array = String::with_capacity(bytes + 1);
    array.push('[');
    for (index, frame) in frames.iter().enumerate() {
        if 0 < index {
            array.push(',');
        }
        array.push_str(frame.as_ref());
    }
    array.push(']');
    array
}

/// The frames of one WebSocket message, as they stand in it; none where it is no JSON (P13.6).
pub fn split(message: &str) -> Vec<&RawValue> {
    match message.starts_with('[') {
        true => serde_json::from_str(message).unwrap_or_default(),
        false => serde_json::from_str(message).into_iter().collect(),
    }
}

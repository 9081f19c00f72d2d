//! The frames that a session sends (P3.4, P4.4, P13.1), and how they are written.

use serde::Serialize;
use serde_json::value::RawValue;

use super::data::Data;
use super::decode::Ref;
use super::error::ErrorInfo;
use super::ids::{ConnectionId, Timestamp};
use super::limits::Limits;
use super::message::{Headers, Message, Status};
use super::presence::Member;
use super::serial::Serial;
use super::turn::{Event, Shown as Turn};

/// Everything that a session may say.
///
/// Approvals, state and annotations add theirs here.
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
    /// The end of a streaming message (P3.10).
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
        /// What the message has become, if it was closed.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<Status>,
        /// Its headers from now on, if its end brought them.
        #[serde(skip_serializing_if = "Option::is_none")]
        headers: Option<Headers>,
    },
    /// A message that changed otherwise, whole but for data that did not change.
    #[serde(rename = "message.update")]
    Update {
        /// The message.
        message: Message,
    },
    /// A message that is gone but for its tombstone.
    #[serde(rename = "message.delete")]
    Delete {
        /// The message.
        serial: Serial,
        /// The serial of its deletion.
        version: Serial,
        /// Whether another attempt at its turn takes its place (P6.8).
        #[serde(skip_serializing_if = "is_false")]
        superseded: bool,
    },
    /// Messages up to here are no longer kept (P11.2).
    #[serde(rename = "log.trim")]
    Trim {
        /// The oldest place that may still be read.
        before: Serial,
        /// Older messages that stay, since they streamed when their time came.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        keep: Vec<Serial>,
    },
    /// Somebody is there (P7.3).
    #[serde(rename = "presence.enter")]
    Enter {
        /// Who.
        member: Member,
    },
    /// What somebody who is there tells of itself has changed (P7.3).
    #[serde(rename = "presence.update")]
    Present {
        /// Who.
        member: Member,
    },
    /// Somebody is there no longer (P7.3).
    #[serde(rename = "presence.leave")]
    Leave {
        /// Who it was.
        member: Member,
    },
    /// Something passed on without being kept (P4.5).
    #[serde(rename = "signal")]
    Signal {
        /// Who sent it.
        client: String,
        /// Over which connection, if over one.
        #[serde(skip_serializing_if = "Option::is_none")]
        connection: Option<ConnectionId>,
        /// The application's event name.
        name: String,
        /// What it says.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Data>,
    },
    /// A frame was taken (P13.1).
    #[serde(rename = "ack")]
    Ack {
        /// The frame's own mark.
        r#ref: Option<Ref>,
        /// What came of it (P13.5).
        result: Outcome,
    },
    /// A frame was refused (P13.1).
    #[serde(rename = "nack")]
    Nack {
        /// The frame's own mark, `null` if it has none or could not be read.
        r#ref: Option<Ref>,
        /// Why.
        error: ErrorInfo,
    },
    /// The token is about to expire (P2.6).
    #[serde(rename = "token-expiring")]
    TokenExpiring {
        /// When.
        expires_at: Timestamp,
    },
    /// Asks how far the reader has come (P13.7).
    #[serde(rename = "probe")]
    Probe {
        /// What `seen` answers with.
        n: u64,
    },
    /// What happened to a turn (P6.10).
    #[serde(untagged)]
    Turn(TurnFrame),
}

/// A turn that changed (P6.10).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TurnFrame {
    /// What happened.
    pub r#type: Event,
    /// The place of it; of a steer, that of its message.
    pub serial: Serial,
    /// The turn as it is then.
    pub turn: Turn,
    /// The message of a steer (P6.7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Serial>,
    /// The instruction of a steer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
}

/// What a connection is told first (P3.4).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attached {
    /// The version of the protocol.
    pub protocol: u32,
    /// The session's id.
    pub session: String,
    /// This connection.
    pub connection: ConnectionId,
    /// Who is behind it.
    pub client: String,
    /// When its token expires.
    pub expires_at: Timestamp,
    /// The time by the session's clock: a device's own clock may be hours away.
    pub at: Timestamp,
    /// The log's end as of attaching.
    pub serial: Serial,
    /// Whether the replay goes on after `since`; if not, drop everything held (P3.6).
    pub resumed: bool,
    /// Why it does not, though it was asked to: for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether there is more in history than the replay brings.
    pub has_older: bool,
    /// Who is there.
    #[serde(flatten)]
    pub presence: Presence,
    /// The open turns; absent when they are too long for this frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<Vec<Turn>>,
    /// The bounds that hold here (P14).
    pub limits: Limits,
}

/// Who is there (P7.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// The members; absent when they are too long for the frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Vec<Member>>,
    /// How many there are, where the list does not hold all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_count: Option<usize>,
}

/// What came of a frame (P13.5).
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
        /// The turn as it is then.
        turn: Box<Turn>,
        /// Whether the frame had been taken before.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of `cancel`.
    Turns {
        /// Those that were meant, as they are then.
        turns: Vec<Turn>,
        /// Whether the frame had been taken before.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of a `cancel` that meant more than an ack can hold.
    #[serde(rename_all = "camelCase")]
    TurnIds {
        /// The ids of those that were meant.
        turn_ids: Vec<String>,
        /// Whether the frame had been taken before.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of `steer`.
    Steered {
        /// The message that it is.
        serial: Serial,
        /// The turn.
        turn: Box<Turn>,
        /// Whether the frame had been taken before.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    /// Of presence frames.
    Member {
        /// Who came, changed or left.
        member: Member,
    },
    /// Of `auth`.
    #[serde(rename_all = "camelCase")]
    Renewed {
        /// When the fresh token expires.
        expires_at: Timestamp,
        /// The time by the session's clock.
        at: Timestamp,
    },
    /// Of `signal` and `seen`.
    Nothing {
        /// Whether it had been taken before.
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
}

/// Where something stands in the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Placed {
    /// The message.
    pub serial: Serial,
    /// Its latest change.
    pub version: Serial,
    /// The client's own id of a message that was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The append's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Whether it had been taken before.
    #[serde(skip_serializing_if = "is_false")]
    pub duplicate: bool,
}

impl Placed {
    /// A place and a version alone.
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
        // Strings, numbers and JSON that was checked when it came in: nothing here can fail.
        serde_json::to_string(self).unwrap_or_default()
    }
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

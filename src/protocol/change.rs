//! The frames that create, grow, change and delete messages (P4.2, P4.3, P5.1).

use serde::{Deserialize, Deserializer, de};

use super::check::{Check, bound, countable, counted_from_one, headers, length};
use super::data::{Data, present};
use super::error::{ErrorCode, ErrorInfo};
use super::limits::Limits;
use super::message::{Headers, Role, Status};
use super::serial::Serial;

/// `publish` (P4.2).
#[derive(Debug, Deserialize)]
pub struct Publish {
    /// What to create: all of it or none.
    pub messages: Vec<NewMessage>,
    /// Which turns to cancel in the same step (P6.6).
    pub interrupt: Option<Interrupt>,
    /// The attempt that messages of a turn belong to (P6.8).
    pub attempt: Option<u64>,
}

/// Which turns a `publish` cancels (P6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// None.
    None,
    /// Every active one.
    All,
    /// This one.
    Turn(String),
}

impl<'de> Deserialize<'de> for Interrupt {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Word {
            Flag(bool),
            Turn(String),
        }
        match Word::deserialize(source) {
            Ok(Word::Flag(true)) => Ok(Self::All),
            Ok(Word::Flag(false)) => Ok(Self::None),
            Ok(Word::Turn(turn)) => Ok(Self::Turn(turn)),
            Err(_) => Err(de::Error::custom("it is neither true nor the id of a turn")),
        }
    }
}

/// One message of a `publish` (P4.2).
#[derive(Clone, Debug, Deserialize)]
pub struct NewMessage {
    /// Makes sending again safe.
    pub id: Option<String>,
    /// The application's event name.
    pub name: Option<String>,
    /// In whose voice it speaks.
    #[serde(default)]
    pub role: Role,
    /// The turn that it belongs to (P6).
    pub turn: Option<String>,
    /// The attempt of that turn, where the frame does not say.
    pub attempt: Option<u64>,
    /// The message that it follows.
    pub parent: Option<Serial>,
    /// What it says.
    pub data: Data,
    /// Anything the application wants to travel along.
    pub headers: Option<Headers>,
    /// `streaming` to append to it later.
    pub status: Option<Status>,
    /// Whether it is an input for an agent, whoever sends it (P10.3).
    #[serde(default)]
    pub wake: bool,
}

/// `append` (P5.1).
#[derive(Debug, Deserialize)]
pub struct Append {
    /// The streaming message.
    pub serial: Serial,
    /// The text to add; only an append that closes the message may be without.
    pub data: Option<String>,
    /// The number of this append within the message, from 1 (P5.3).
    #[serde(default, deserialize_with = "counted_from_one")]
    pub seq: Option<u64>,
    /// Closes the message, if given.
    pub status: Option<Status>,
    /// The attempt of the message's turn (P6.8).
    pub attempt: Option<u64>,
    /// Makes sending again safe (P13.1).
    pub id: Option<String>,
}

/// `update` (P4.3).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// The message.
    pub serial: Serial,
    /// Its new data.
    #[serde(default, deserialize_with = "present")]
    pub data: Option<Data>,
    /// Its new headers.
    pub headers: Option<Headers>,
    /// The last append that `data` contains (P5.3).
    #[serde(default, deserialize_with = "countable")]
    pub seq: Option<u64>,
    /// Only if this still is the message's version.
    pub if_version: Option<Serial>,
    /// The attempt of the message's turn (P6.8).
    pub attempt: Option<u64>,
    /// Makes sending again safe (P13.1).
    pub id: Option<String>,
}

/// `delete` (P4.3).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delete {
    /// The message.
    pub serial: Serial,
    /// Only if this still is the message's version.
    pub if_version: Option<Serial>,
    /// The attempt of the message's turn (P6.8).
    pub attempt: Option<u64>,
    /// Makes sending again safe (P13.1).
    pub id: Option<String>,
}

impl Append {
    /// The text to add.
    pub fn text(&self) -> &str {
        self.data.as_deref().unwrap_or_default()
    }
}

impl Check for Publish {
    fn check(&self, verb: &str, limits: &Limits) -> Result<(), ErrorInfo> {
        let most = bound(limits.publish_messages);
        if self.messages.is_empty() || most < self.messages.len() {
            let count = self.messages.len();
            let message = format!("unable to {verb}; messages holds {count}, it takes 1 to {most}");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        if let Some(Interrupt::Turn(turn)) = &self.interrupt {
            length(verb, "interrupt", Some(turn), limits)?;
        }
        for message in &self.messages {
            length(verb, "id", message.id.as_ref(), limits)?;
            length(verb, "name", message.name.as_ref(), limits)?;
            length(verb, "turn", message.turn.as_ref(), limits)?;
            headers(verb, message.headers.as_ref(), limits)?;
        }
        Ok(())
    }
}

impl Check for Append {
    fn check(&self, verb: &str, limits: &Limits) -> Result<(), ErrorInfo> {
        if self.data.is_none() && self.status.is_none() {
            let message = "unable to append; data is missing, it is the text to add";
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        length(verb, "id", self.id.as_ref(), limits)
    }
}

impl Check for Update {
    fn check(&self, verb: &str, limits: &Limits) -> Result<(), ErrorInfo> {
        headers(verb, self.headers.as_ref(), limits)?;
        length(verb, "id", self.id.as_ref(), limits)
    }
}

impl Check for Delete {
    fn check(&self, verb: &str, limits: &Limits) -> Result<(), ErrorInfo> {
        length(verb, "id", self.id.as_ref(), limits)
    }
}

//! The frames that publish, append to, update and delete messages (P4.2, P4.3, P5.1).

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::data::Data;
use super::error::{ErrorCode, ErrorInfo};
use super::fields::{Fields, FromFields};
use super::limits::Limits;
use super::message::{Headers, Role, Status};
use super::serial::Serial;
use super::size::headers;

/// `publish` (P4.2).
#[derive(Debug)]
pub struct Publish {
    /// The messages to create, all or none.
    pub messages: Vec<NewMessage>,
    /// The turns to cancel in the same step (P6.6).
    pub interrupt: Option<Interrupt>,
    /// The attempt that messages of a turn belong to (P6.8).
    pub attempt: Option<u64>,
}

/// The turns that a `publish` cancels (P6.6).
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
        match <&RawValue>::deserialize(source)?.get() {
            "true" => Ok(Self::All),
            "false" => Ok(Self::None),
            text => serde_json::from_str(text)
                .map(Self::Turn)
                .map_err(|_| de::Error::custom("it is neither true nor the id of a turn")),
        }
    }
}

/// One message of a `publish` (P4.2).
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Makes a resend safe (P4.2).
    pub id: Option<String>,
    /// The application's event name.
    pub name: Option<String>,
    /// The role in which it speaks.
    pub role: Role,
    /// The turn that it belongs to (P6).
    pub turn: Option<String>,
    /// The attempt at that turn; overrides the frame's.
    pub attempt: Option<u64>,
    /// The message that it follows.
    pub parent: Option<Serial>,
    /// Its content.
    pub data: Data,
    /// The application's own metadata.
    pub headers: Option<Headers>,
    /// `streaming` to append to it later.
    pub status: Option<Status>,
    /// Whether it is an input for an agent; by default its sender decides (P10.3).
    pub wake: Option<bool>,
}

/// `append` (P5.1).
#[derive(Debug)]
pub struct Append {
    /// The streaming message.
    pub serial: Serial,
    /// The text to add; only an append with a `status` may omit it.
    pub data: Option<String>,
    /// The number of this append within the message, from 1 (P5.3).
    pub seq: Option<u64>,
    /// The new status; any but `streaming` closes the message.
    pub status: Option<Status>,
    /// Its new headers; only an append that closes the message may have them.
    pub headers: Option<Headers>,
    /// The attempt at the message's turn (P6.8).
    pub attempt: Option<u64>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `update` (P4.3).
#[derive(Debug)]
pub struct Update {
    /// The message.
    pub serial: Serial,
    /// Its new data.
    pub data: Option<Data>,
    /// Its new headers.
    pub headers: Option<Headers>,
    /// Its final status, if the update closes it.
    pub status: Option<Status>,
    /// The last append that `data` contains (P5.3).
    pub seq: Option<u64>,
    /// The version that the message must still have.
    pub if_version: Option<Serial>,
    /// The attempt at the message's turn (P6.8).
    pub attempt: Option<u64>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `delete` (P4.3).
#[derive(Debug)]
pub struct Delete {
    /// The message.
    pub serial: Serial,
    /// The version that the message must still have.
    pub if_version: Option<Serial>,
    /// The attempt at the message's turn (P6.8).
    pub attempt: Option<u64>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

impl NewMessage {
    /// Whether it is an input, if its sender's are (P10.3).
    pub fn may_be_input(&self) -> bool {
        self.role == Role::User && self.turn.is_none() && self.wake.unwrap_or(true)
    }
}

impl Append {
    /// The text to add.
    pub fn text(&self) -> &str {
        self.data.as_deref().unwrap_or_default()
    }

    /// The final status, if this append closes the message.
    pub fn end(&self) -> Option<Status> {
        self.status.filter(|status| *status != Status::Streaming)
    }
}

impl FromFields for Publish {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let verb = fields.verb();
        let messages = fields.list("messages")?;
        let most = limits.publish_messages();
        if messages.is_empty() || most < messages.len() {
            let count = messages.len();
            let message = format!("unable to {verb}; messages has {count} items, not 1 to {most}");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        let messages = messages.iter().map(|new| NewMessage::read(new, limits));
        Ok(Self {
            messages: messages.collect::<Result<_, _>>()?,
            interrupt: fields.get("interrupt")?,
            attempt: fields.count("attempt")?,
        })
    }
}

impl FromFields for NewMessage {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let new = Self {
            id: fields.name("id", limits)?,
            name: fields.name("name", limits)?,
            role: fields.get("role")?.unwrap_or_default(),
            turn: fields.name("turn", limits)?,
            attempt: fields.count("attempt")?,
            parent: fields.get("parent")?,
            data: fields.need("data")?,
            headers: fields.get("headers")?,
            status: fields.get("status")?,
            wake: fields.get("wake")?,
        };
        headers(fields, new.headers.as_ref(), limits)?;
        Ok(new)
    }
}

impl FromFields for Append {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let append = Self {
            serial: fields.need("serial")?,
            data: fields.get("data")?,
            seq: fields.count_from_one("seq")?,
            status: fields.get("status")?,
            headers: fields.get("headers")?,
            attempt: fields.count("attempt")?,
            id: fields.name("id", limits)?,
        };
        if append.data.is_none() && append.status.is_none() {
            let message = "unable to append; data, the text to add, is missing";
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        if append.headers.is_some() && append.end().is_none() {
            let message = "unable to append; only an append that closes the message may have \
                           headers, send an update instead";
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        headers(fields, append.headers.as_ref(), limits)?;
        Ok(append)
    }
}

impl FromFields for Update {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let update = Self {
            serial: fields.need("serial")?,
            data: fields.present("data")?,
            headers: fields.get("headers")?,
            status: fields.get("status")?,
            seq: fields.count("seq")?,
            if_version: fields.get("ifVersion")?,
            attempt: fields.count("attempt")?,
            id: fields.name("id", limits)?,
        };
        if update.status == Some(Status::Streaming) {
            let message =
                "unable to update; status is streaming, not complete, cancelled or failed";
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        headers(fields, update.headers.as_ref(), limits)?;
        Ok(update)
    }
}

impl FromFields for Delete {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            serial: fields.need("serial")?,
            if_version: fields.get("ifVersion")?,
            attempt: fields.count("attempt")?,
            id: fields.name("id", limits)?,
        })
    }
}

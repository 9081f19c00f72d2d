//! Notices: the words for a client that is away, on its devices (P10.2).

use serde::Serialize;
use serde_json::value::RawValue;

use super::asking::{refused, text};
use super::capability::Role;
use super::data::Data;
use super::error::ErrorInfo;
use super::fields::{Fields, FromFields};
use super::ids::Timestamp;
use super::limits::{Limits, NOTICE_BODY_LENGTH, NOTICE_DATA_BYTES, TITLE_LENGTH};
use super::object::read_fields;
use super::serial::Place;
use super::size::size;
use super::turn::Ending;

/// The news of a session for a client that is away: the answers that ended (P10.2).
#[derive(Debug, Default, Serialize)]
pub struct Away {
    /// Turns that ended since the place that was told before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<Ended>,
}

read_fields!(Away { ended: or_default });

/// A turn that has ended.
#[derive(Debug, Serialize)]
pub struct Ended {
    /// The turn.
    pub turn: String,
    /// The place of its end.
    pub place: Place,
    /// When it ended.
    pub at: Timestamp,
    /// How it ended.
    pub status: Ending,
}

read_fields!(Ended {
    turn,
    place,
    at,
    status
});

/// The words of an agent for a client that is away, as its session passes them on.
#[derive(Debug, Serialize)]
pub struct Said {
    /// The session.
    pub session: String,
    /// The notice's id, the same at each attempt.
    pub id: String,
    /// When it was said.
    pub at: Timestamp,
    /// Its title.
    pub title: String,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The application's own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
}

read_fields!(Said {
    session,
    id,
    at,
    title,
    body,
    data,
});

/// A button of a notice.
#[derive(Debug, Serialize)]
pub struct Action {
    /// The decision or the option that it stands for.
    pub action: String,
    /// Its label.
    pub title: String,
}

/// A notice as the device's application gets it, but for the addresses and the token.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Notice<'a> {
    /// Its cause.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its id: one for each device and event.
    pub id: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a str>,
    /// The session.
    pub session: &'a str,
    /// When it happened.
    pub at: Timestamp,
    /// The turn that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<&'a str>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Ending>,
    /// The approval that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<&'a str>,
    /// Its kind: `approval` or `question`.
    #[serde(rename = "kind", skip_serializing_if = "Option::is_none")]
    pub asked: Option<&'a str>,
    /// The application's own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<&'a Data>,
    /// Its buttons.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub actions: &'a [Action],
}

/// A notice that an inbox owes a device.
#[derive(Debug, Serialize)]
pub struct Letter {
    /// The notice, as JSON.
    pub notice: Box<RawValue>,
    /// The session that it is about.
    pub session: String,
    /// The approval that it asks for: the notice is stale once that is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// Whether its buttons may decide that.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub decides: bool,
    /// A newer notice with the same takes its place.
    pub collapse: String,
    /// When it is stale.
    pub until: Timestamp,
}

read_fields!(Letter {
    notice,
    session,
    approval,
    decides: or_default,
    collapse,
    until,
});

/// A text as a segment of an address.
pub fn percent_encoded(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match is_plain(&byte) {
            true => encoded.push(byte.into()),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// `notify` (P10.2).
#[derive(Debug)]
pub struct Notify {
    /// The client that is told.
    pub client: String,
    /// The title.
    pub title: String,
    /// The text.
    pub body: Option<String>,
    /// The application's own data.
    pub data: Option<Data>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

impl FromFields for Notify {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let client = fields.need_name("client", limits)?;
        if client.strip_prefix("role:").and_then(Role::parse).is_some() {
            return Err(refused(fields, "client is a role, which has no devices"));
        }
        let title = text(fields, "title", TITLE_LENGTH)?;
        let data: Option<Data> = fields.get("data")?;
        let bytes = data.as_ref().map(Data::bytes);
        size(fields.verb(), "data", bytes, NOTICE_DATA_BYTES)?;
        Ok(Self {
            client,
            title: title.ok_or_else(|| refused(fields, "title is missing"))?,
            body: text(fields, "body", NOTICE_BODY_LENGTH)?,
            data,
            id: fields.name("id", limits)?,
        })
    }
}

//! Annotations of messages, and their sums (P9.3).

use serde::Serialize;
use serde_json::Value;

use super::data::Data;
use super::error::{ErrorCode, ErrorInfo};
use super::fields::{Fields, FromFields};
use super::ids::Timestamp;
use super::limits::{ANNOTATION_BYTES, ANNOTATION_PAGE, Limits, PAGE_MESSAGES};
use super::query::{Parts, Query, find, number, refused};
use super::serial::{Place, Serial};
use super::size::size;
use crate::ordered::Map;

/// How annotations of a kind are counted: the last part of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Each client once per name.
    Distinct,
    /// Each client once in all: the newest name wins.
    Unique,
    /// Every count of every client.
    Multiple,
}

/// A kind: `TOPIC:METHOD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The whole of it.
    pub text: String,
    /// Its method.
    pub method: Method,
}

/// `annotate` (P9.3).
#[derive(Debug)]
pub struct Annotate {
    /// The message.
    pub serial: Serial,
    /// The kind.
    pub kind: Kind,
    /// The name; empty if none is given.
    pub name: String,
    /// The count; 1 but for `multiple`.
    pub count: u64,
    /// Content of the application's own.
    pub data: Option<Data>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `unannotate` (P9.3).
#[derive(Debug)]
pub struct Unannotate {
    /// The message.
    pub serial: Serial,
    /// The kind.
    pub kind: Kind,
    /// The name; all of the client's without.
    pub name: Option<String>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// The sum of the annotations of one kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// All counts.
    pub total: u64,
    /// The counts of clients, though not of all if there are many.
    pub clients: Map<String, u64>,
    /// Whether some clients are not listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clipped: bool,
}

/// The sums of a kind, by name.
pub type Names = Map<String, Sum>;

/// The sums of a message, by kind.
pub type Sums = Map<String, Names>;

/// One annotation, in a page of them and in its row.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// Its place in the log.
    pub place: Place,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The client.
    pub client: String,
    /// The count.
    pub count: u64,
    /// Content of the application's own.
    pub data: Option<Data>,
    /// When.
    pub at: Timestamp,
}

/// A place among the annotations of a message: kind, name, client and place of the last one seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cursor(pub String, pub String, pub String, pub Place);

/// Reads sums back from a row, as JSON; `None` if they are none. Written by hand: a derived reader
/// is longer in wasm.
pub fn sums_of_row(text: &str) -> Option<Sums> {
    let value: Value = serde_json::from_str(text).ok()?;
    let mut sums = Sums::new();
    for (kind, named) in value.as_object()? {
        let mut names = Names::new();
        for (name, sum) in named.as_object()? {
            let clients = sum.get("clients")?.as_object()?.iter();
            let clients = clients.map(|(client, count)| Some((client.clone(), count.as_u64()?)));
            let sum = Sum {
                total: sum.get("total")?.as_u64()?,
                clients: clients.collect::<Option<_>>()?,
                clipped: sum.get("clipped").is_some(),
            };
            names.insert(name.clone(), sum);
        }
        sums.insert(kind.clone(), names);
    }
    Some(sums)
}

impl Cursor {
    /// Reads the `next` of a page.
    pub fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let [kind, name, client, place] = value.as_array()?.as_slice() else {
            return None;
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self(
            text(kind)?,
            text(name)?,
            text(client)?,
            place.as_u64()?,
        ))
    }
}

/// The query of a page of annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotations {
    /// The message.
    pub serial: String,
    /// Only those after this one.
    pub cursor: Cursor,
    /// Annotations, at most.
    pub limit: usize,
}

impl Query for Annotations {
    const NAMES: &'static [&'static str] = &["cursor", "limit"];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        const VERB: &str = "read annotations";
        let cursor = find(parts.pairs, "cursor").filter(|cursor| !cursor.is_empty());
        let wrong = || refused(VERB, "cursor is not the next of a page");
        let cursor = cursor
            .map(|text| Cursor::parse(text).ok_or_else(wrong))
            .transpose()?;
        Ok(Self {
            serial: parts.serial(),
            cursor: cursor.unwrap_or_default(),
            limit: number(
                parts.pairs,
                VERB,
                "limit",
                1,
                ANNOTATION_PAGE,
                PAGE_MESSAGES,
            )?,
        })
    }
}

impl FromFields for Annotate {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let kind = kind(fields, limits)?;
        let count = fields.count_from_one("count")?;
        if count.is_some() && kind.method != Method::Multiple {
            return Err(wrong(fields, "count", "only a kind of multiple takes one"));
        }
        let data: Option<Data> = fields.get("data")?;
        let bytes = data.as_ref().map(Data::json_bytes);
        size(fields.verb(), "data", bytes, ANNOTATION_BYTES)?;
        Ok(Self {
            serial: fields.need("serial")?,
            kind,
            name: name(fields, limits)?.unwrap_or_default(),
            count: count.unwrap_or(1),
            data,
            id: fields.name("id", limits)?,
        })
    }
}

impl FromFields for Unannotate {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            serial: fields.need("serial")?,
            kind: kind(fields, limits)?,
            name: name(fields, limits)?,
            id: fields.name("id", limits)?,
        })
    }
}

fn kind(fields: &Fields<'_>, limits: &Limits) -> Result<Kind, ErrorInfo> {
    let text = fields.need_name("kind", limits)?;
    let (topic, method) = text.rsplit_once(':').unwrap_or_default();
    let method = match method {
        "distinct" => Some(Method::Distinct),
        "unique" => Some(Method::Unique),
        "multiple" => Some(Method::Multiple),
        _ => None,
    };
    match method.filter(|_| !topic.is_empty()) {
        Some(method) => Ok(Kind { text, method }),
        None => {
            let reason = "it is not TOPIC:METHOD, whose method is distinct, unique or multiple";
            Err(wrong(fields, "kind", reason))
        }
    }
}

/// A name, which may be empty.
fn name(fields: &Fields<'_>, limits: &Limits) -> Result<Option<String>, ErrorInfo> {
    match fields.raw("name").map(|raw| raw.get()) {
        Some("\"\"") => Ok(Some(String::new())),
        _ => fields.name("name", limits),
    }
}

fn wrong(fields: &Fields<'_>, name: &str, reason: &str) -> ErrorInfo {
    let (verb, place) = (fields.verb(), fields.at(name));
    let message = format!("unable to {verb}; {place}: {reason}");
    ErrorInfo::new(ErrorCode::InvalidFrame, message)
}

//! The frames that clients send, and how they are read (P4, P5, P13).
//!
//! Reading never fails as a whole: whatever comes gives a list of [`Received`], each a frame
//! or the refusal that answers it, so that one bad frame of an array harms none of the others.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::data::{Data, present};
use super::error::{ErrorCode, ErrorInfo};
use super::limits::Limits;
use super::message::{Headers, Role, Status};
use super::serial::Serial;

/// What came in one place of a WebSocket message or of an HTTP body.
#[derive(Debug)]
pub struct Received {
    /// What its answer refers to (P13.1).
    pub reference: Option<Ref>,
    /// The frame, or why there is none.
    pub frame: Result<ClientFrame, ErrorInfo>,
}

/// The client's own mark on a frame: text or a number, given back as it came (P13.1).
#[derive(Clone, Debug)]
pub struct Ref(Box<RawValue>);

impl PartialEq for Ref {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Serialize for Ref {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Everything that a client may ask of a session.
///
/// Turns, control, presence, approvals, state and annotations add theirs here.
#[derive(Debug)]
pub enum ClientFrame {
    /// Create messages (P4.2).
    Publish(Publish),
    /// Grow a streaming message (P5.1).
    Append(Append),
    /// Replace fields of a message (P4.3).
    Update(Update),
    /// Leave a tombstone (P4.3).
    Delete(Delete),
    /// Pass something on without keeping it (P4.5).
    Signal(Signal),
    /// Go on with a fresh token (P2.6). The platform checks the token first.
    Auth(Auth),
    /// Everything up to a probe was processed (P13.7).
    Seen(Seen),
}

/// `publish` (P4.2).
#[derive(Debug, Deserialize)]
pub struct Publish {
    /// What to create: all of it or none.
    pub messages: Vec<NewMessage>,
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
    /// The message that it follows.
    pub parent: Option<Serial>,
    /// What it says.
    pub data: Data,
    /// Anything the application wants to travel along.
    pub headers: Option<Headers>,
    /// `streaming` to append to it later.
    pub status: Option<Status>,
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
    /// Makes sending again safe (P13.1).
    pub id: Option<String>,
}

/// The largest number that rows and every client count exactly.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// A number to count from, if there is one.
fn countable<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<u64>::deserialize(source)?;
    match number {
        Some(number) if NUMBER_MAX < number => Err(de::Error::custom(format!(
            "it is {number}, at most {NUMBER_MAX} can be counted"
        ))),
        counted => Ok(counted),
    }
}

/// The same where the first is 1: a 0 would pass for one that was taken long ago, and what
/// came with it would be lost.
fn counted_from_one<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    match countable(source)? {
        Some(0) => Err(de::Error::custom("it is 0, the first append is 1")),
        counted => Ok(counted),
    }
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
    /// Makes sending again safe (P13.1).
    pub id: Option<String>,
}

/// `signal` (P4.5).
#[derive(Debug, Deserialize)]
pub struct Signal {
    /// The application's event name.
    pub name: String,
    /// What it says.
    pub data: Option<Data>,
    /// One connection, or all of one client.
    pub to: Option<String>,
    /// Makes sending again safe (P13.1).
    pub id: Option<String>,
}

/// `auth` (P2.6).
#[derive(Debug, Deserialize)]
pub struct Auth {
    /// The fresh token.
    pub token: String,
}

/// `seen` (P13.7).
#[derive(Debug, Deserialize)]
pub struct Seen {
    /// The probe's number.
    pub n: u64,
}

/// How much larger than a frame a message may be and still be answered by its `ref`.
const OVERSIZE_READ: usize = 4;

/// Reads one WebSocket message: a frame, or an array of frames (P13.6).
///
/// # Errors
/// The answer to a message that cannot be read at all; it goes out with `ref: null`.
pub fn decode(text: &str, limits: &Limits) -> Result<Vec<Received>, ErrorInfo> {
    check_depth(text, limits)?;
    let limit = bound(limits.frame_bytes);
    if limit < text.len() {
        let error = too_large("read the message", text.len(), limit);
        let reference = (text.len() <= limit.saturating_mul(OVERSIZE_READ))
            .then(|| {
                serde_json::from_str::<Head<'_>>(text)
                    .ok()?
                    .reference(limits)
                    .ok()?
            })
            .flatten();
        return match reference {
            Some(reference) => Ok(vec![Received {
                reference: Some(reference),
                frame: Err(error),
            }]),
            None => Err(error),
        };
    }
    if text.trim_start().starts_with('[') {
        let parts: Vec<&RawValue> = parse("read the message", text)?;
        return Ok(parts
            .iter()
            .map(|part| decode_frame(part.get(), limits))
            .collect());
    }
    Ok(vec![decode_frame(text, limits)])
}

/// Reads one frame whose size and depth are within bounds.
pub fn decode_frame(text: &str, limits: &Limits) -> Received {
    let head: Head<'_> = match parse("read the frame", text) {
        Ok(head) => head,
        Err(error) => {
            return Received {
                reference: None,
                frame: Err(error),
            };
        }
    };
    match head.reference(limits) {
        Ok(reference) => Received {
            reference,
            frame: decode_kind(&head.kind, text, limits),
        },
        Err(error) => Received {
            reference: None,
            frame: Err(error),
        },
    }
}

fn decode_kind(kind: &str, text: &str, limits: &Limits) -> Result<ClientFrame, ErrorInfo> {
    let frame = match kind {
        "append" => ClientFrame::Append(parse("append", text)?),
        "publish" => ClientFrame::Publish(parse("publish", text)?),
        "update" => ClientFrame::Update(parse("update", text)?),
        "delete" => ClientFrame::Delete(parse("delete", text)?),
        "signal" => ClientFrame::Signal(parse("signal", text)?),
        "auth" => ClientFrame::Auth(parse("renew the token", text)?),
        "seen" => ClientFrame::Seen(parse("take the answer to a probe", text)?),
        unknown => {
            let shown: String = unknown.chars().take(40).collect();
            let message = format!(
                "unable to read the frame; there is no type {shown:?}, only publish, append, \
                 update, delete, signal, auth and seen"
            );
            return Err(ErrorInfo::new(ErrorCode::UnknownFrame, message));
        }
    };
    frame.check(limits)?;
    Ok(frame)
}

/// What every frame has, read before the rest so that a bad frame can be answered by name.
#[derive(Deserialize)]
#[serde(expecting = "an object with a type")]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(rename = "ref", borrow)]
    reference: Option<&'a RawValue>,
}

impl Head<'_> {
    fn reference(&self, limits: &Limits) -> Result<Option<Ref>, ErrorInfo> {
        let Some(raw) = self.reference else {
            return Ok(None);
        };
        let text = raw.get();
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        if is_number || text.starts_with('"') {
            let shown = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
            check_length("read the frame", "ref", &shown, limits)?;
            return Ok(Some(Ref(raw.to_owned())));
        }
        let message = "unable to read the frame; ref is neither text nor a number";
        Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
    }
}

impl ClientFrame {
    /// The bounds on what the client names (P14).
    fn check(&self, limits: &Limits) -> Result<(), ErrorInfo> {
        let names: &[(&str, Option<&String>)] = match self {
            Self::Publish(publish) => return publish.check(limits),
            Self::Append(append) => {
                if append.data.is_none() && append.status.is_none() {
                    let message = "unable to append; data is missing, it is the text to add";
                    return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
                }
                &[("id", append.id.as_ref())]
            }
            Self::Update(update) => {
                check_headers("update", update.headers.as_ref(), limits)?;
                &[("id", update.id.as_ref())]
            }
            Self::Delete(delete) => &[("id", delete.id.as_ref())],
            Self::Signal(signal) => &[("id", signal.id.as_ref()), ("name", Some(&signal.name))],
            Self::Auth(_) | Self::Seen(_) => &[],
        };
        for (field, value) in names {
            if let Some(value) = value {
                check_length(self.verb(), field, value, limits)?;
            }
        }
        Ok(())
    }

    /// What the frame does, as its refusals say it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Publish(_) => "publish",
            Self::Append(_) => "append",
            Self::Update(_) => "update",
            Self::Delete(_) => "delete",
            Self::Signal(_) => "signal",
            Self::Auth(_) => "renew the token",
            Self::Seen(_) => "take the answer to a probe",
        }
    }
}

impl Append {
    /// The text to add.
    pub fn text(&self) -> &str {
        self.data.as_deref().unwrap_or_default()
    }
}

impl Publish {
    fn check(&self, limits: &Limits) -> Result<(), ErrorInfo> {
        let most = bound(limits.publish_messages);
        if self.messages.is_empty() || most < self.messages.len() {
            let count = self.messages.len();
            let message =
                format!("unable to publish; messages holds {count}, it takes 1 to {most}");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        for message in &self.messages {
            for (field, value) in [("id", &message.id), ("name", &message.name)] {
                if let Some(value) = value {
                    check_length("publish", field, value, limits)?;
                }
            }
            check_headers("publish", message.headers.as_ref(), limits)?;
        }
        Ok(())
    }
}

fn check_length(verb: &str, field: &str, value: &str, limits: &Limits) -> Result<(), ErrorInfo> {
    let most = bound(limits.name_length);
    if !value.is_empty() && value.chars().count() <= most {
        return Ok(());
    }
    let message = format!("unable to {verb}; {field} is not 1 to {most} characters");
    Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
}

fn check_headers(verb: &str, headers: Option<&Headers>, limits: &Limits) -> Result<(), ErrorInfo> {
    let Some(headers) = headers else {
        return Ok(());
    };
    let (keys, most) = (bound(limits.header_keys), bound(limits.header_bytes));
    let bytes: usize = headers
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if headers.len() <= keys && bytes <= most {
        return Ok(());
    }
    let message =
        format!("unable to {verb}; headers are more than {keys} keys or {most} bytes of UTF-8");
    Err(ErrorInfo::new(ErrorCode::TooLarge, message))
}

/// The refusal of something larger than a limit.
pub fn too_large(verb: &str, bytes: usize, limit: usize) -> ErrorInfo {
    let message = format!("unable to {verb}; {bytes} bytes of UTF-8 are more than {limit}");
    ErrorInfo::new(ErrorCode::TooLarge, message)
}

/// Refuses JSON that is nested too deeply, before anything reads it by recursion.
///
/// # Errors
/// `invalid-frame` naming the depth that is allowed.
pub fn check_depth(text: &str, limits: &Limits) -> Result<(), ErrorInfo> {
    let most = bound(limits.frame_depth);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if most < depth {
            let message = format!("unable to read the message; it nests deeper than {most}");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
    }
    Ok(())
}

/// Parses, and on failure parses again to name the field that is wrong.
///
/// # Errors
/// `invalid-frame`, reading "unable to {verb}; {path}: {what is wrong}".
pub fn parse<'a, T: Deserialize<'a>>(verb: &str, text: &'a str) -> Result<T, ErrorInfo> {
    serde_json::from_str(text).map_err(|plain| {
        let mut source = serde_json::Deserializer::from_str(text);
        let reason = match serde_path_to_error::deserialize::<_, T>(&mut source) {
            Err(error) if !matches!(error.path().to_string().as_str(), "." | "?") => {
                format!("{}: {}", error.path(), without_place(error.inner()))
            }
            _ => without_place(&plain),
        };
        ErrorInfo::new(
            ErrorCode::InvalidFrame,
            format!("unable to {verb}; {reason}"),
        )
    })
}

/// A parser's sentence without the line and column, which mean nothing within a frame, and
/// without more of the input than helps.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let sentence = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(sentence, _)| sentence);
    sentence.chars().take(200).collect()
}

fn bound(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_seq_that_nobody_could_count_on_from_is_refused() {
        for (seq, is_taken) in [("9007199254740991", true), ("9007199254740992", false)] {
            let text =
                format!(r#"{{"type":"update","serial":"abcd00000001","data":"x","seq":{seq}}}"#);
            let received = decode_frame(&text, &Limits::default());
            assert_eq!(received.frame.is_ok(), is_taken, "{seq}");
            if let Err(error) = received.frame {
                assert!(error.message.contains("seq"), "{}", error.message);
            }
        }
    }
}

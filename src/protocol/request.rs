//! Requests by HTTP, as a session takes them (P12).

use super::agent::AskWake;
use super::decode::{ClientFrame, Received, check_depth, decode, parse, shorthand, shorthand_list};
use super::error::{ErrorCode, ErrorInfo};
use super::limits::Limits;
use super::object::read_fields;
use super::query::{self, Parts};
use super::reads::Read;

/// A request, decoded once.
#[derive(Debug)]
pub enum Request {
    /// `POST …/frames` with one frame: the answer is its ack or nack (P12.1).
    Frame(Received),
    /// `POST …/frames` with an array: the answer is one ack or nack for each (P12.1).
    Frames(Vec<Received>),
    /// A shorthand: the answer is the ack's result alone (P12.2).
    Shorthand(Result<ClientFrame, ErrorInfo>),
    /// Something that is only looked at.
    Read(Read),
    /// The message that a streamed body has written, without its data (P5.5).
    Written(String),
    /// `PATCH …`: the value of `settings` (P11.2).
    Settings(serde_json::Value),
    /// `DELETE …` (P11.2).
    Erase,
    /// `POST …/wake` (P10.3).
    Wake(AskWake),
}

/// `POST …/wake` (P10.3); the body may be empty.
pub(super) fn wake(parts: &Parts<'_>, limits: &Limits) -> Result<Request, ErrorInfo> {
    const VERB: &str = "wake the agent";
    let body = match parts.body.trim() {
        "" => "{}",
        body => body,
    };
    check_depth(VERB, body, limits)?;
    parse(VERB, body).map(Request::Wake)
}

/// `POST …/frames` (P12.1).
pub(super) fn frames(parts: &Parts<'_>, limits: &Limits) -> Result<Request, ErrorInfo> {
    let mut list = decode(parts.body, limits)?;
    if parts.body.trim_start().starts_with('[') {
        return Ok(Request::Frames(list));
    }
    let only = list.pop();
    only.map(Request::Frame)
        .ok_or_else(|| ErrorInfo::new(ErrorCode::InvalidFrame, "unable to read the frame"))
}

/// `POST …/messages` (P12.2).
pub(super) fn publish(parts: &Parts<'_>, limits: &Limits) -> Result<Request, ErrorInfo> {
    let frame = shorthand_list("publish", "messages", parts.body, limits)?;
    Ok(Request::Shorthand(Ok(frame)))
}

/// `PATCH …/state` (P12.2): its operations.
pub(super) fn state(parts: &Parts<'_>, limits: &Limits) -> Result<Request, ErrorInfo> {
    let frame = shorthand_list("state", "ops", parts.body, limits)?;
    Ok(Request::Shorthand(Ok(frame)))
}

/// A shorthand whose body has the fields of a frame; `field` is the one that the address names.
pub(super) fn frame(
    kind: &'static str,
    field: Option<&str>,
    parts: &Parts<'_>,
    limits: &Limits,
) -> Result<Request, ErrorInfo> {
    let serial = parts.serial();
    let value = |field| match field {
        "serial" => serial.as_str(),
        _ => parts.named(),
    };
    let named = field.map(|field| (field, value(field)));
    let frame = shorthand(kind, parts.fields(), named.as_slice(), limits)?;
    Ok(Request::Shorthand(Ok(frame)))
}

/// `DELETE …/messages/{serial}` (P12.2): what it depends on may stand in the query.
pub(super) fn delete(parts: &Parts<'_>, limits: &Limits) -> Result<Request, ErrorInfo> {
    let serial = parts.serial();
    let version = query::find(parts.pairs, "ifVersion").map(query::position);
    let mut named = vec![("serial", serial.as_str())];
    named.extend(version.as_deref().map(|version| ("ifVersion", version)));
    let frame = shorthand("delete", parts.fields(), &named, limits)?;
    Ok(Request::Shorthand(Ok(frame)))
}

/// `PATCH …` (P11.2).
pub(super) fn settings(parts: &Parts<'_>, limits: &Limits) -> Result<Request, ErrorInfo> {
    struct Patch {
        settings: serde_json::Value,
    }
    read_fields!(Patch { settings });
    check_depth("change the settings", parts.body, limits)?;
    let patch: Patch = parse("change the settings", parts.body)?;
    Ok(Request::Settings(patch.settings))
}

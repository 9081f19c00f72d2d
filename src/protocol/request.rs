//! Requests by HTTP, as a session takes them (P12).

use super::agent::AskWake;
use super::decode::{ClientFrame, Received, check_depth, decode, parse, shorthand, shorthand_list};
use super::error::{ErrorCode, ErrorInfo};
use super::file::{Arrived, NewFile};
use super::limits::Limits;
use super::object::read_fields;
use super::query::{self, Parts};
use super::reads::Read;
use super::revocation::Revocation;
use super::size;
use super::traceparent::TRACEPARENT;
use super::transfer::{Batch, Page};

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
    /// A page of `GET …/export` (P11.6).
    Export(Page),
    /// Lines of `PUT …/import` (P11.6).
    Import(Batch),
    /// `DELETE …` (P11.2).
    Erase,
    /// `POST …/wake` (P10.3).
    Wake(AskWake),
    /// A file begins to arrive (P11.7). Only the Worker says so.
    Upload(NewFile),
    /// It has arrived with so many bytes, or broken off. Only the Worker says so.
    Arrived(String, Option<u64>),
    /// Where the bytes of a file are. Only the Worker asks.
    File(String),
    /// `DELETE …/files/{id}` (P11.7).
    DeleteFile(String),
    /// Tokens are revoked (P11.5). No client's request is this one.
    Revoked(Revocation),
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

/// A revocation that a session is told (P11.5).
pub(super) fn revoked(parts: &Parts<'_>) -> Result<Request, ErrorInfo> {
    parse("revoke", parts.body).map(Request::Revoked)
}

/// `POST …/frames` (P12.1).
pub(super) fn frames(parts: &Parts<'_>, limits: &Limits) -> Result<Request, ErrorInfo> {
    let mut list = decode(parts.body, limits)?;
    for frame in list.iter_mut().filter_map(|it| it.frame.as_mut().ok()) {
        trace(frame, parts, limits);
    }
    if parts.body.trim_start().starts_with('[') {
        return Ok(Request::Frames(list));
    }
    let only = list.pop();
    only.map(Request::Frame)
        .ok_or_else(|| ErrorInfo::new(ErrorCode::InvalidFrame, "unable to read the frame"))
}

/// `POST …/messages` (P12.2).
pub(super) fn publish(parts: &Parts<'_>, limits: &Limits) -> Result<Request, ErrorInfo> {
    let mut frame = shorthand_list("publish", "messages", parts.body, limits)?;
    trace(&mut frame, parts, limits);
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
    let mut frame = shorthand(kind, parts.fields(), named.as_slice(), limits)?;
    trace(&mut frame, parts, limits);
    Ok(Request::Shorthand(Ok(frame)))
}

/// Gives the trace context of a request, which the Worker adds to its query, to the turn that it
/// starts and to the inputs that it brings, unless they have their own (P6.13).
fn trace(frame: &mut ClientFrame, parts: &Parts<'_>, limits: &Limits) {
    let Some(value) = query::find(parts.pairs, TRACEPARENT) else {
        return;
    };
    match frame {
        ClientFrame::StartTurn(start) => {
            start.traceparent.get_or_insert_with(|| value.to_owned());
        }
        ClientFrame::Publish(publish) => {
            let inputs = publish.messages.iter_mut();
            for new in inputs.filter(|new| new.may_be_input()) {
                let own = new.headers.as_ref();
                let is_own = own.is_some_and(|headers| headers.contains_key(TRACEPARENT));
                let more = TRACEPARENT.len() + value.len();
                if !is_own && size::has_room(own, more, limits) {
                    let headers = new.headers.get_or_insert_default();
                    headers.insert(TRACEPARENT.to_owned(), value.to_owned());
                }
            }
        }
        _ => {}
    }
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

/// The beginning of an upload (P11.7).
pub(super) fn upload(parts: &Parts<'_>) -> Result<Request, ErrorInfo> {
    parse("upload", parts.body).map(Request::Upload)
}

/// The end of an upload (P11.7).
pub(super) fn arrived(parts: &Parts<'_>) -> Result<Request, ErrorInfo> {
    let arrived: Arrived = parse("upload", parts.body)?;
    Ok(Request::Arrived(parts.named().to_owned(), arrived.bytes))
}

/// A page of `GET …/export`: its first line is the cursor of the next page, empty after the last.
pub(super) fn export(parts: &Parts<'_>, _: &Limits) -> Result<Request, ErrorInfo> {
    Page::read(parts.pairs, false).map(Request::Export)
}

/// The same for a fork, which may end before the log does.
pub(super) fn page(parts: &Parts<'_>, _: &Limits) -> Result<Request, ErrorInfo> {
    Page::read(parts.pairs, true).map(Request::Export)
}

/// Lines of `PUT …/import`, or of a fork.
pub(super) fn import(parts: &Parts<'_>, _: &Limits) -> Result<Request, ErrorInfo> {
    let named = |name| query::find(parts.pairs, name).map(str::to_owned);
    Ok(Request::Import(Batch {
        after: named("after"),
        from: named("from"),
        at: named("at"),
        lines: parts.body.to_owned(),
    }))
}

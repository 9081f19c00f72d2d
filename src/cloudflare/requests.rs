//! What a request asks of the session, from its action and its body (P12).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::call::Action;
use crate::protocol::decode::{check_depth, decode, decode_frame, parse};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::limits::Limits;
use crate::session::{Read, Request};

/// Fields of a JSON object, not looked into.
type Fields = BTreeMap<String, Box<RawValue>>;

/// Reads a request.
///
/// # Errors
/// What is wrong with its body.
pub(super) fn read(action: Action, body: &str, limits: &Limits) -> Result<Request, ErrorInfo> {
    match action {
        Action::Frames => frames(body, limits),
        Action::Publish => publish(body, limits),
        Action::Update(serial) => {
            check_depth("update", body, limits)?;
            let fields: Fields = parse("update", body)?;
            change("update", &serial, fields, limits)
        }
        Action::StartTurn => {
            let fields = optional("start the turn", body, limits)?;
            frame("turn.start", fields, limits)
        }
        Action::EndTurn(id) => {
            check_depth("end the turn", body, limits)?;
            about_turn("turn.end", &id, parse("end the turn", body)?, limits)
        }
        Action::CancelTurn(id) => {
            about_turn("cancel", &id, optional("cancel", body, limits)?, limits)
        }
        Action::Turns { all, before, limit } => {
            Ok(Request::Read(Read::Turns { all, before, limit }))
        }
        Action::Turn(id) => Ok(Request::Read(Read::Turn { id })),
        Action::Presence => Ok(Request::Read(Read::Presence {})),
        Action::Delete(serial, version) => {
            let version = version.map(|version| quoted(&version));
            let version = version
                .as_deref()
                .map(|version| parse("delete", version))
                .transpose()?;
            let mut fields = optional("delete", body, limits)?;
            if let Some(version) = version {
                fields.insert("ifVersion".to_owned(), version);
            }
            change("delete", &serial, fields, limits)
        }
        Action::History {
            before,
            after,
            limit,
        } => Ok(Request::Read(Read::History {
            before,
            after,
            limit,
        })),
        Action::Conversation { to, before, limit } => {
            Ok(Request::Read(Read::Conversation { to, before, limit }))
        }
        Action::Message(serial, without_data) => Ok(Request::Read(match without_data {
            true => Read::Body { serial },
            false => Read::Message { serial },
        })),
        Action::Snapshot(rewind) => Ok(Request::Read(Read::Snapshot { rewind })),
        Action::Settings => settings(body, limits),
        Action::Erase => Ok(Request::Erase),
        Action::Open(_) | Action::Diagnostics => Err(ErrorInfo::new(
            ErrorCode::Internal,
            "unable to read the request; it is none",
        )),
    }
}

fn frames(body: &str, limits: &Limits) -> Result<Request, ErrorInfo> {
    let mut list = decode(body, limits)?;
    if body.trim_start().starts_with('[') {
        return Ok(Request::Frames(list));
    }
    let only = list.pop();
    only.map(Request::Frame)
        .ok_or_else(|| ErrorInfo::new(ErrorCode::InvalidFrame, "unable to read the frame"))
}

/// One message or an array of them, as the frame that it stands for (P12.2).
fn publish(body: &str, limits: &Limits) -> Result<Request, ErrorInfo> {
    check_depth("publish", body, limits)?;
    let messages: &RawValue = parse("publish", body)?;
    let messages = messages.get();
    let list = match messages.starts_with('[') {
        true => messages.to_owned(),
        false => format!("[{messages}]"),
    };
    let frame = format!("{{\"type\":\"publish\",\"messages\":{list}}}");
    Ok(Request::Shorthand(decode_frame(&frame, limits).frame))
}

/// The fields of an update or a deletion, as the frame that they stand for.
fn change(
    kind: &str,
    serial: &str,
    mut fields: Fields,
    limits: &Limits,
) -> Result<Request, ErrorInfo> {
    fields.insert("serial".to_owned(), parse(kind, &quoted(serial))?);
    frame(kind, fields, limits)
}

/// The fields of a frame about a turn.
fn about_turn(
    kind: &str,
    id: &str,
    mut fields: Fields,
    limits: &Limits,
) -> Result<Request, ErrorInfo> {
    fields.insert("turn".to_owned(), parse(kind, &quoted(id))?);
    frame(kind, fields, limits)
}

/// The fields of a body that may be empty.
fn optional(verb: &str, body: &str, limits: &Limits) -> Result<Fields, ErrorInfo> {
    check_depth(verb, body, limits)?;
    let is_empty = body.trim().is_empty();
    parse(verb, if is_empty { "{}" } else { body })
}

/// The frame that fields stand for; it is answered without a `ref`.
fn frame(kind: &str, mut fields: Fields, limits: &Limits) -> Result<Request, ErrorInfo> {
    fields.insert("type".to_owned(), parse(kind, &quoted(kind))?);
    fields.remove("ref");
    let frame = serde_json::to_string(&fields).unwrap_or_default();
    Ok(Request::Shorthand(decode_frame(&frame, limits).frame))
}

fn settings(body: &str, limits: &Limits) -> Result<Request, ErrorInfo> {
    #[derive(Deserialize)]
    struct Patch {
        settings: serde_json::Value,
    }
    check_depth("change the settings", body, limits)?;
    let patch: Patch = parse("change the settings", body)?;
    Ok(Request::Settings(patch.settings))
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

//! Addresses and methods (P1.1).

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::query::position;

/// What may be asked, by address and method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `GET …/connect` (P3.3).
    Connect,
    /// `GET …/events` (P3.8).
    Events,
    /// `POST …/frames` (P12.1).
    Frames,
    /// `GET …/messages` (P3.9).
    History,
    /// `POST …/messages` (P12.2), also of a streamed body (P5.5).
    Publish,
    /// `GET …/messages/{serial}`.
    Message(String),
    /// `PATCH …/messages/{serial}`.
    Update(String),
    /// `DELETE …/messages/{serial}`.
    Delete(String),
    /// `GET …/turns`.
    Turns,
    /// `POST …/turns` (P12.2).
    StartTurn,
    /// `GET …/turns/{id}`.
    Turn(String),
    /// `POST …/turns/{id}/end` (P12.2).
    EndTurn(String),
    /// `POST …/turns/{id}/cancel` (P12.2).
    CancelTurn(String),
    /// `GET …/presence` (P7.4).
    Presence,
    /// `GET …` (P11.1).
    Snapshot,
    /// `PATCH …` (P11.2).
    Settings,
    /// `DELETE …` (P11.2).
    Erase,
    /// `GET …/diagnostics` (P11.4).
    Diagnostics,
}

/// The session that a path names, percent-decoded but not checked, and what is asked of it.
///
/// # Errors
/// `not-found`, saying which methods there are.
pub(super) fn endpoint(method: &str, path: &str) -> Result<(String, Endpoint), ErrorInfo> {
    let rest = path.strip_prefix("/v1/sessions/").ok_or_else(nowhere)?;
    let (session, rest) = match rest.split_once('/') {
        Some((session, rest)) => (session, Some(rest)),
        None => (rest, None),
    };
    let session = percent_decoded(session);
    let (found, methods) = match rest {
        None => (
            match method {
                "GET" => Some(Endpoint::Snapshot),
                "PATCH" => Some(Endpoint::Settings),
                "DELETE" => Some(Endpoint::Erase),
                _ => None,
            },
            "GET, PATCH and DELETE",
        ),
        Some("connect") => ((method == "GET").then_some(Endpoint::Connect), "GET"),
        Some("events") => ((method == "GET").then_some(Endpoint::Events), "GET"),
        Some("frames") => ((method == "POST").then_some(Endpoint::Frames), "POST"),
        Some("diagnostics") => ((method == "GET").then_some(Endpoint::Diagnostics), "GET"),
        Some("presence") => ((method == "GET").then_some(Endpoint::Presence), "GET"),
        Some("turns") => (
            match method {
                "GET" => Some(Endpoint::Turns),
                "POST" => Some(Endpoint::StartTurn),
                _ => None,
            },
            "GET and POST",
        ),
        Some("messages") => (
            match method {
                "GET" => Some(Endpoint::History),
                "POST" => Some(Endpoint::Publish),
                _ => None,
            },
            "GET and POST",
        ),
        Some(rest) => match rest.split_once('/') {
            Some(("messages", serial)) => message(method, serial).ok_or_else(nowhere)?,
            Some(("turns", turn)) => self::turn(method, turn).ok_or_else(nowhere)?,
            _ => return Err(nowhere()),
        },
    };
    let wrong = || {
        let shown: String = method.chars().take(10).collect();
        let message = format!("unable to {shown} this address; it takes {methods}");
        ErrorInfo::new(ErrorCode::NotFound, message)
    };
    Ok((session, found.ok_or_else(wrong)?))
}

/// What is asked of a message, and what may be.
fn message(method: &str, serial: &str) -> Option<(Option<Endpoint>, &'static str)> {
    if serial.is_empty() || serial.contains('/') {
        return None;
    }
    let serial = position(serial);
    let found = match method {
        "GET" => Some(Endpoint::Message(serial)),
        "PATCH" => Some(Endpoint::Update(serial)),
        "DELETE" => Some(Endpoint::Delete(serial)),
        _ => None,
    };
    Some((found, "GET, PATCH and DELETE"))
}

/// What is asked of a turn, and what may be.
fn turn(method: &str, rest: &str) -> Option<(Option<Endpoint>, &'static str)> {
    let (id, action) = match rest.split_once('/') {
        Some((id, action)) => (id, Some(action)),
        None => (rest, None),
    };
    if id.is_empty() {
        return None;
    }
    let id = percent_decoded(id);
    match (action, method) {
        (None, "GET") => Some((Some(Endpoint::Turn(id)), "GET")),
        (None, _) => Some((None, "GET")),
        (Some("end"), "POST") => Some((Some(Endpoint::EndTurn(id)), "POST")),
        (Some("cancel"), "POST") => Some((Some(Endpoint::CancelTurn(id)), "POST")),
        (Some("end" | "cancel"), _) => Some((None, "POST")),
        _ => None,
    }
}

/// The refusal of an address that stands for nothing.
pub(super) fn nowhere() -> ErrorInfo {
    let message = "unable to find this address; a session is at /v1/sessions/ID, and below it \
                   are connect, events, messages, messages/SERIAL, turns, turns/ID, \
                   turns/ID/end, turns/ID/cancel, presence, frames and diagnostics";
    ErrorInfo::new(ErrorCode::NotFound, message)
}

/// The path and the query of an address, as the runtime writes it: nothing that parses
/// addresses is needed, and such a thing is large.
pub(super) fn split(url: &str) -> (&str, &str) {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = behind_scheme
        .find('/')
        .and_then(|at| behind_scheme.get(at..));
    (path.unwrap_or("/"), query)
}

/// The decoded pairs of a query.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decoded(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

/// Decodes once. What is no escape, or no UTF-8, stays as something that no id may contain.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut ahead = rest.clone();
        let mut digit = || {
            ahead
                .next()
                .and_then(|digit| char::from(digit).to_digit(16))
        };
        match (digit(), digit()) {
            (Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                rest = ahead;
            }
            _ => bytes.push(b'%'),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

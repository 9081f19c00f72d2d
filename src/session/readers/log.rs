//! The log as a record (P11.4).

use serde::Serialize;

use crate::protocol::frame::encode;
use crate::protocol::ids::Timestamp;
use crate::protocol::log_query::Log;
use crate::protocol::message::{Role, Status};
use crate::protocol::serial::Serial;
use crate::session::context::Context;
use crate::session::engine::Error;
use crate::store::Logged;

/// An entry on the wire.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    serial: Option<Serial>,
    r#type: &'a str,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Serial>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    /// The highest number that its appends have taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// Its latest change, where it has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Serial>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
}

/// `GET …/log`: the entries after a serial, in order.
pub(crate) fn log(cx: &Context<'_>, asked: &Log) -> Result<String, Error> {
    let after = asked.after.as_deref();
    let after = after
        .map(|text| cx.engine.cursor("after", text))
        .transpose()?
        .unwrap_or(0);
    let (epoch, store, floor) = (cx.engine.epoch, cx.engine.store, cx.engine.floor);
    let (entries, has_more) = store.logged(epoch, after, asked.limit)?;
    let entries = entries.iter().map(|it| (it.place, encode(&shown(cx, it))));
    let mut page = cx.engine.page("entries", (entries.collect(), has_more));
    if after < floor {
        page.pop();
        page.push_str(&format!(r#","trimmed":"{}"}}"#, epoch.at(floor + 1)));
    }
    Ok(page)
}

fn shown<'a>(cx: &Context<'_>, logged: &'a Logged) -> Entry<'a> {
    let entry = Entry {
        serial: Some(cx.engine.epoch.at(logged.place)),
        r#type: logged.what,
        at: logged.at,
        client: logged.client.as_deref(),
        message: logged.message.map(|place| cx.engine.epoch.at(place)),
        turn: logged.turn.as_deref(),
        approval: logged.approval.as_deref(),
        call: logged.call.as_deref(),
        bytes: logged.bytes,
        ..Entry::default()
    };
    let Some(message) = &logged.created else {
        return entry;
    };
    let is_changed = message.version != message.serial;
    Entry {
        id: message.id.as_deref(),
        name: Some(&message.name),
        role: Some(message.role),
        status: message.status,
        seq: message.seq,
        version: is_changed.then_some(message.version),
        updated_at: is_changed.then_some(message.updated_at),
        deleted_at: message.deleted_at,
        ..entry
    }
}

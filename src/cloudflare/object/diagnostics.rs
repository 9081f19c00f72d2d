//! An administrator's view of a session's object (P11.4), kept in memory.

use serde::Serialize;
use worker::js_sys::{Reflect, WebAssembly};
use worker::wasm_bindgen::JsCast;

use super::loaded::Core;
use crate::protocol::serial::Serial;
use crate::session::{Carrier, Coming, DeliveryReport, Session, Trace, Traces};
use crate::store::sql::Sql;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    session: String,
    /// The end of the log.
    serial: Serial,
    /// Since the object woke, as the storage counts.
    rows_written: u64,
    rows_read: u64,
    database_bytes: u64,
    /// Of the wasm instance shared by all sessions of an isolate.
    memory_bytes: u64,
    connections: Vec<Attached<'a>>,
    traces: &'a Traces,
    /// Recent members that came or left, since the object woke (P7.3).
    presence: Vec<&'a Coming>,
    /// Pending deliveries, and dead letters (P10.4); absent when the storage fails.
    deliveries: Option<DeliveryReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attached<'a> {
    connection: String,
    client: String,
    kind: Carrier,
    window: u64,
    /// Unsent bytes.
    unsent: u64,
    trace: Option<&'a Trace>,
}

/// The report as JSON.
pub(super) fn report(session: String, core: &Core<Session>) -> String {
    let connections = core.machine.connections().map(|connection| {
        let (trace, unseen) = core.machine.trace(&connection.id).unzip();
        let unsent = core.sockets.unsent(&connection.id).or(unseen);
        Attached {
            connection: connection.id.to_string(),
            client: connection.client.clone(),
            kind: connection.carrier,
            window: connection.window_ms,
            unsent: unsent.unwrap_or_default(),
            trace,
        }
    });
    let (traces, serial) = core.machine.traces();
    let report = Report {
        session,
        serial,
        rows_written: core.sql.rows_written(),
        rows_read: core.store.rows_read(),
        database_bytes: core.sql.bytes().unwrap_or_default(),
        memory_bytes: memory_bytes(),
        connections: connections.collect(),
        traces,
        presence: core.machine.comings().collect(),
        deliveries: core.machine.deliveries(&core.store).ok(),
    };
    serde_json::to_string(&report).unwrap_or_default()
}

fn memory_bytes() -> u64 {
    let memory = worker::wasm_bindgen::memory().unchecked_into::<WebAssembly::Memory>();
    let length = Reflect::get(&memory.buffer(), &"byteLength".into());
    length
        .ok()
        .and_then(|length| length.as_f64())
        .unwrap_or_default() as u64
}

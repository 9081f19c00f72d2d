//! One run: rounds of trouble, each followed by calm, in which everybody must come to agree.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sessile::protocol::capability::Operations;
use sessile::session::{Input, Request, Sender};

use crate::client::{Client, Kind};
use crate::draft::Draft;
use crate::reader::Held;
use crate::sim::{Event, Sim, note};

/// How long things go wrong.
const TROUBLE_MS: u64 = 6_000;
/// How long it may take from then on until everything has come to rest.
const CALM_MS: u64 = 60_000;

pub fn run(seed: u64) {
    let mut sim = Sim::new(seed);
    settings(&mut sim);
    people(&mut sim);
    let rounds = if sim.random.chance(200) { 2 } else { 1 };
    for round in 0..rounds {
        if 0 < round {
            erase(&mut sim);
        }
        sim.is_calm = false;
        drafts(&mut sim, round);
        sim.schedule(1, Event::Trouble);
        let until = sim.time + TROUBLE_MS;
        while sim.step(until) {}
        calm(&mut sim);
        agree(&sim);
    }
}

fn settings(sim: &mut Sim) {
    let patch = json!({
        "retentionMs": sim.plan.retention_ms,
        "minRollupMs": if sim.random.chance(100) { 100 } else { 0 },
        "unwatchedWindowMs": *sim.random.pick(&[0, 250, 500]),
    });
    if sim.plan.retention_ms.is_some() || sim.random.chance(300) {
        admin(sim, Request::Settings(patch));
    }
}

fn admin(sim: &mut Sim, request: Request) {
    let sender = Sender {
        connection: None,
        client: "admin".into(),
        operations: Operations::ALL,
    };
    let was_calm = std::mem::replace(&mut sim.is_calm, true);
    sim.handle(Input::Request { sender, request });
    sim.is_calm = was_calm;
}

fn people(sim: &mut Sim) {
    let mut kinds = vec![
        Kind::Agent,
        Kind::Reader,
        Kind::Reader,
        Kind::Reader,
        Kind::Reader,
    ];
    let more = [
        Kind::Agent,
        Kind::Agent,
        Kind::Caller,
        Kind::Body,
        Kind::Editor,
    ];
    kinds.extend(more.into_iter().filter(|_| sim.random.chance(500)));
    for (index, kind) in kinds.into_iter().enumerate() {
        let window_ms = *sim.random.pick(&[0, 0, 40, 40, 160, 500]);
        let names = (kind == Kind::Reader && sim.random.chance(200))
            .then(|| vec!["answer".to_owned(), "message".to_owned()]);
        let rewind = *sim.random.pick(&[50, 1000, 2, 0]);
        let name = format!("{kind:?}{index}").to_lowercase();
        sim.clients
            .push(Client::new(index, name, kind, window_ms, names, rewind));
        let first = sim.random.between(0, 2_000);
        sim.schedule(first, Event::Tick(index));
    }
}

fn drafts(sim: &mut Sim, round: u64) {
    for index in 0..sim.clients.len() {
        let kind = sim.clients[index].kind;
        let count = match kind {
            Kind::Reader | Kind::Editor => 0,
            Kind::Agent | Kind::Caller | Kind::Body => sim.random.between(1, 6),
        };
        let mut drafts = Vec::new();
        for number in 0..count {
            let id = format!("{}-{round}-{number}", sim.clients[index].name);
            let is_body = kind == Kind::Body;
            let is_whole = !is_body && sim.random.chance(250);
            let is_numbered = is_body || sim.random.chance(800);
            drafts.push(Draft::new(&mut sim.random, id, is_whole, is_numbered));
        }
        sim.clients[index].drafts = drafts;
    }
}

/// Everything is deleted; whoever comes back finds another life (P11.2).
fn erase(sim: &mut Sim) {
    admin(sim, Request::Erase);
    assert!(
        sim.host.disk.0.tables().is_empty(),
        "nothing is left in storage"
    );
    sim.touched.clear();
}

/// Nothing breaks any more: everything comes to its end.
fn calm(sim: &mut Sim) {
    sim.is_calm = true;
    note(sim.time, "calm");
    let until = sim.time + CALM_MS;
    loop {
        let next = sim.time + 500;
        while sim.step(next) {}
        sim.time = next;
        let is_done = sim.clients.iter().all(Client::is_done);
        let is_reading = |client: &&Client| matches!(client.kind, Kind::Reader);
        let is_read = sim
            .clients
            .iter()
            .filter(is_reading)
            .all(Client::is_caught_up);
        if is_done && is_read {
            break;
        }
        assert!(
            sim.time < until,
            "it never comes to rest: {:#?}",
            sim.clients
        );
    }
    // What is still on its way arrives; windows and alarms are long over.
    let until = sim.time + 2_000;
    while sim.step(until) {}
    sim.time = until;
    while !sim
        .clients
        .iter()
        .all(|client| client.kind != Kind::Reader || client.is_caught_up())
    {
        let next = sim.time + 500;
        while sim.step(next) {}
        sim.time = next;
    }
    assert_eq!(
        sim.host.window(),
        None,
        "a timer runs though nothing is pending"
    );
}

/// Who reads holds what is stored, and what was acknowledged is stored.
fn agree(sim: &Sim) {
    let log = history(sim);
    for client in sim
        .clients
        .iter()
        .filter(|client| client.kind == Kind::Reader)
    {
        compare(client, &log);
    }
    for client in &sim.clients {
        for draft in &client.drafts {
            explain(sim, client, draft, &log);
        }
    }
    for link in sim.links.values().filter(|link| !link.is_left) {
        let is_live = sim.clients[link.client].link.is_some();
        assert!(!is_live || link.answered <= link.asked.len(), "{link:?}");
    }
}

fn history(sim: &Sim) -> BTreeMap<String, Value> {
    let sender = Sender {
        connection: None,
        client: "admin".into(),
        operations: Operations::ALL,
    };
    let store = sim.host.log();
    let page = sessile::store::Span {
        after: 0,
        before: 1 << 33,
        newest_first: false,
        names: None,
        limit: 1000,
        bytes: 1 << 30,
    };
    let epoch = sessile::store::Log::beginning(&store)
        .unwrap()
        .map(|beginning| beginning.epoch);
    let Some(epoch) = epoch else {
        return BTreeMap::new();
    };
    let messages = sessile::store::Log::page(&store, epoch, &page)
        .unwrap()
        .messages;
    let _ = sender;
    messages
        .into_iter()
        .map(|message| {
            (
                message.serial.to_string(),
                serde_json::to_value(message).unwrap(),
            )
        })
        .collect()
}

fn compare(client: &Client, log: &BTreeMap<String, Value>) {
    let held = &client.reader.held;
    for (serial, mine) in held {
        let stored = log
            .get(serial)
            .unwrap_or_else(|| panic!("{} holds {mine:?}", client.name));
        let mut stored = Held::of(stored);
        if stored.is_deleted {
            stored = Held {
                status: mine.status.clone(),
                headers: mine.headers.clone(),
                ..stored
            };
        }
        assert_eq!(*mine, stored, "{} holds {serial} otherwise", client.name);
    }
    let follows = |message: &Value| {
        let name = message["name"].as_str().unwrap();
        client
            .names
            .as_ref()
            .is_none_or(|names| names.iter().any(|wanted| wanted == name))
    };
    for (serial, message) in log {
        let is_owed = !client.has_older || client.reader.began_at < *serial;
        if is_owed && follows(message) {
            assert!(held.contains_key(serial), "{} lacks {message}", client.name);
        }
    }
}

fn explain(sim: &Sim, client: &Client, draft: &Draft, log: &BTreeMap<String, Value>) {
    let with_id = |message: &&Value| message["id"] == draft.id.as_str();
    let found: Vec<&Value> = log.values().filter(with_id).collect();
    let is_begun = draft.serial.is_some();
    if sim.plan.retention_ms.is_none() && is_begun && client.kind != Kind::Body {
        assert_eq!(found.len(), 1, "{} is there once: {found:#?}", draft.id);
    }
    let Some(message) = found.last() else { return };
    let is_touched = sim.touched.contains(message["serial"].as_str().unwrap());
    if is_touched || sim.plan.retention_ms.is_some() {
        return;
    }
    let text = message["data"].as_str().unwrap();
    if let Err(reason) = draft.explains(text) {
        panic!("{reason}: {draft:#?} is {message:#}");
    }
    let is_streaming = message["status"] == "streaming";
    if client.kind == Kind::Body {
        assert!(!is_streaming, "a body that broke off fails: {message}");
    }
    if !draft.is_whole && draft.dead.is_none() && draft.is_numbered {
        assert_eq!(message["status"], draft.end, "{draft:#?} is {message:#}");
    }
}

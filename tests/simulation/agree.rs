//! When everything has come to rest, everybody holds the same: who listened all the time, who
//! came back, who comes only now, and who asks by HTTP.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::ids::Timestamp;
use sessile::protocol::query;
use sessile::session::{Input, Read, Request, Sender, Start};
use sessile::store::Span;

use crate::checks::said;
use crate::client::{Client, Kind};
use crate::draft::Draft;
use crate::host::Fate;
use crate::ledger::turns;
use crate::reader::Held;
use crate::sim::{Sim, connection};

/// Every reader holds the stored state, and everything acknowledged is stored.
pub fn agree(sim: &mut Sim) {
    // The read below may be the input at which a member is silent for too long.
    for client in sim.clients.iter().filter(|client| is_attached(sim, client)) {
        compare_members(sim, client);
    }
    let log = history(sim);
    turns::check(sim, &log);
    check_ids(&log);
    for client in &sim.clients {
        if client.kind == Kind::Reader {
            compare(client, &log);
        }
        for draft in &client.drafts {
            explain(sim, client, draft, &log);
        }
    }
    for link in sim.links.values().filter(|link| !link.is_left) {
        let is_live = sim.clients[link.client].link.is_some();
        assert!(!is_live || link.answered <= link.asked.len(), "{link:?}");
    }
    let turns = all_turns(sim);
    for client in sim.clients.iter().filter(|client| client.is_caught_up()) {
        compare_turns(sim, client, &turns, &log);
    }
    let cold = newcomer(sim);
    let log = history(sim);
    compare(&cold, &log);
    compare_turns(sim, &cold, &turns, &log);
    check_snapshot(sim, &turns);
}

fn history(sim: &Sim) -> BTreeMap<String, Value> {
    let store = sim.host.log();
    let page = Span {
        after: 0,
        before: 1 << 33,
        newest_first: false,
        names: None,
        limit: 1000,
        bytes: 1 << 30,
    };
    let Some(beginning) = store.beginning().unwrap() else {
        return BTreeMap::new();
    };
    let messages = store.page(beginning.epoch, &page).unwrap().messages;
    let items = messages.into_iter().map(|message| {
        let serial = message.serial.to_string();
        (serial, serde_json::to_value(message).unwrap())
    });
    items.collect()
}

/// The answer to a request.
fn get(sim: &mut Sim, request: Request) -> Value {
    let sender = Sender {
        connection: None,
        client: "admin".into(),
        operations: Operations::ALL,
        role: Role::User,
    };
    let body = sim.handle(Input::Request { sender, request });
    serde_json::from_str(&body.unwrap()).unwrap()
}

fn all_turns(sim: &mut Sim) -> BTreeMap<String, Value> {
    let (all, before, limit) = (true, None, 1_000);
    let page = get(
        sim,
        Request::Read(Read::Turns(query::Turns { all, before, limit })),
    );
    let turns = page["turns"].as_array().unwrap().iter();
    let turns = turns.map(|turn| (turn["id"].as_str().unwrap().to_owned(), turn.clone()));
    turns.collect()
}

/// Somebody who comes only now, and is told everything that there is.
fn newcomer(sim: &mut Sim) -> Client {
    let index = sim.clients.len();
    let mut client = Client::new(index, "cold".into(), Kind::Reader, 0, None, 1_000);
    let mut connection = connection("cold", "viewer", Timestamp::MAX);
    connection.id = sessile::protocol::ids::ConnectionId::new(format!("cold-{}", sim.time));
    let id = connection.id.clone();
    let start = Start {
        since: None,
        rewind: client.rewind,
    };
    let input = Input::Open { connection, start };
    for said in said(&sim.host.handle(sim.now(), input, Fate::Lives)) {
        if said.to.as_ref().is_some_and(|to| to.contains(&id)) {
            for frame in &said.frames {
                client.has_older |= frame["hasOlder"] == true;
                client.reader.take(frame);
            }
        }
    }
    compare_members(sim, &client);
    let close = Input::Close { connection: id };
    sim.host.handle(sim.now(), close, Fate::Lives);
    assert!(
        client.reader.violations.is_empty(),
        "{:#?}",
        client.reader.violations
    );
    client
}

fn is_attached(sim: &Sim, client: &Client) -> bool {
    let is_there = |link| sim.host.attachments.contains_key(link);
    client.is_caught_up() && client.link.as_ref().is_some_and(is_there)
}

/// P3.5, P6.9: everybody knows every turn that began since, and that it holds messages of.
fn compare_turns(
    sim: &Sim,
    client: &Client,
    turns: &BTreeMap<String, Value>,
    log: &BTreeMap<String, Value>,
) {
    let known = &client.reader.turns;
    for (id, mine) in known {
        match turns.get(id) {
            Some(stored) => assert_eq!(mine, stored, "{} holds {id} otherwise", client.name),
            None => assert!(
                sim.plan.retention_ms.is_some(),
                "{} holds {mine}",
                client.name
            ),
        }
    }
    for (id, serial) in sim.ledger.begun() {
        let is_owed = client.reader.began_at < serial && turns.contains_key(&id);
        assert!(
            !is_owed || known.contains_key(&id),
            "{} lacks {id}",
            client.name
        );
    }
    for serial in client.reader.held.keys() {
        let turn = log.get(serial).and_then(|message| message["turn"].as_str());
        let turn = turn.filter(|turn| turns.contains_key(*turn));
        assert!(
            turn.is_none_or(|turn| known.contains_key(turn)),
            "P6.9: {} lacks the turn {turn:?} of {serial}",
            client.name
        );
    }
}

/// P7.3: what everybody was told of presence adds up to who is there.
fn compare_members(sim: &Sim, client: &Client) {
    let members = sim.host.attachments.values();
    let members = members.filter_map(|connection| {
        let member = connection.member.as_ref().filter(|it| !it.is_counted)?;
        let data = serde_json::to_value(&member.data).unwrap();
        Some((connection.id.as_str().to_owned(), (data, member.since)))
    });
    let told = client.reader.members.iter().map(|(id, member)| {
        let since = member["since"].as_i64().unwrap();
        (id.clone(), (member["data"].clone(), since))
    });
    let (members, told): (BTreeMap<_, _>, BTreeMap<_, _>) = (members.collect(), told.collect());
    assert_eq!(told, members, "{} was told otherwise", client.name);
    let all = sim.host.attachments.values();
    let all = all.filter(|connection| connection.member.is_some()).count() as i64;
    assert_eq!(client.reader.count, all, "{} counts", client.name);
}

/// P4.2, P6.8: an id stands for one message, however many attempts said it.
fn check_ids(log: &BTreeMap<String, Value>) {
    let mut seen = BTreeSet::new();
    for message in log.values() {
        let is_of_turn = message["turn"].is_string() && message["id"].is_string();
        let key = (message["client"].to_string(), message["id"].to_string());
        assert!(
            !is_of_turn || seen.insert(key),
            "it is there twice: {message}"
        );
    }
}

/// P11.1: the snapshot is what GET and history say.
fn check_snapshot(sim: &mut Sim, turns: &BTreeMap<String, Value>) {
    let snapshot = get(
        sim,
        Request::Read(Read::Snapshot(query::Snapshot { rewind: 1_000 })),
    );
    let log = history(sim);
    for message in snapshot["messages"].as_array().unwrap() {
        let serial = message["serial"].as_str().unwrap();
        assert_eq!(log.get(serial), Some(message));
        let turn = message["turn"]
            .as_str()
            .filter(|turn| turns.contains_key(*turn));
        let mut shown = snapshot["turns"].as_array().unwrap().iter();
        assert!(
            turn.is_none_or(|turn| shown.any(|shown| shown["id"] == turn)),
            "{message}"
        );
    }
    for turn in snapshot["turns"].as_array().unwrap() {
        assert_eq!(turns.get(turn["id"].as_str().unwrap()), Some(turn));
    }
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

//! One run: rounds of trouble, each followed by calm, in which everybody must come to agree.

use serde_json::json;
use sessile::protocol::capability::{Operations, Role};
use sessile::session::{Input, Request, Sender};

use crate::agree::agree;
use crate::client::{Client, Kind};
use crate::draft::Draft;
use crate::ledger::Ledger;
use crate::sim::{Event, Rules, Sim};

/// How long things go wrong.
const TROUBLE_MS: u64 = 6_000;
/// How long it may take from then on until everything has come to rest.
const CALM_MS: u64 = 60_000;

/// Returns how often a reader saw an interruption.
pub fn run(seed: u64) -> u64 {
    let mut sim = Sim::new(seed);
    people(&mut sim);
    settings(&mut sim);
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
        agree(&mut sim);
    }
    sim.ledger.interruptions
}

fn settings(sim: &mut Sim) {
    let random = &mut sim.random;
    let (presence_ms, grace_ms) = (
        *random.pick(&[1_000, 2_500]),
        *random.pick(&[0, 300, 2_000]),
    );
    let suspend_ms = *random.pick(&[1_000, 4_000]);
    let on_input = *random.pick(&["parallel", "steer", "queue", "interrupt", "reject", "steer"]);
    let attempts = *random.pick(&[1, 1, 2, 3]);
    let mut patch = json!({
        "retentionMs": sim.plan.retention_ms,
        "minRollupMs": if random.chance(100) { 100 } else { 0 },
        "unwatchedWindowMs": *random.pick(&[0, 250, 500]),
        "presenceTimeoutMs": presence_ms,
        "cancelGraceMs": grace_ms,
        "suspendMs": suspend_ms,
        "onInput": on_input,
        "maxAttempts": attempts,
    });
    if 1 < attempts {
        patch["agent"] = json!({ "url": "https://agent.example/wake" });
    }
    let has = |wanted: Kind| sim.clients.iter().any(|client| client.kind == wanted);
    let has_leaders = has(Kind::Leader);
    sim.ledger = Ledger::new(Rules {
        grace_ms,
        suspend_ms,
        presence_ms,
        attempts,
        on_input,
        is_trimmed: sim.plan.retention_ms.is_some(),
        is_meddled: has(Kind::Editor),
    });
    sim.settings =
        (has_leaders || sim.plan.retention_ms.is_some() || sim.random.chance(300)).then_some(patch);
    set(sim);
}

/// Each life begins with its own settings.
fn set(sim: &mut Sim) {
    if let Some(patch) = sim.settings.clone() {
        admin(sim, Request::Settings(patch));
    }
}

fn admin(sim: &mut Sim, request: Request) {
    let sender = Sender {
        connection: None,
        client: "admin".into(),
        operations: Operations::ALL,
        role: Role::User,
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
    if sim.random.chance(700) {
        kinds.extend([Kind::Leader, Kind::Leader, Kind::User]);
        let more = [Kind::Leader, Kind::Leader, Kind::User];
        kinds.extend(more.into_iter().filter(|_| sim.random.chance(300)));
    }
    let mut leaders = 0;
    for (index, kind) in kinds.into_iter().enumerate() {
        let window_ms = *sim.random.pick(&[0, 0, 40, 40, 160, 500]);
        let names = (kind == Kind::Reader && sim.random.chance(200))
            .then(|| vec!["answer".to_owned(), "message".to_owned()]);
        let rewind = *sim.random.pick(&[50, 1000, 2, 0]);
        let mut name = format!("{kind:?}{index}").to_lowercase();
        if kind == Kind::Leader {
            // Processes of two agents, in turn.
            leaders += 1;
            name = ["smith", "smith", "jones"][leaders % 3].to_owned();
        }
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
            Kind::Reader | Kind::Editor | Kind::Leader | Kind::User => 0,
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
        sim.clients[index].start_over();
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
    sim.ledger.erase();
    set(sim);
}

/// Nothing breaks any more: everything comes to its end.
fn calm(sim: &mut Sim) {
    sim.calm_down();
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
        if is_done && is_read && sim.ledger.open.is_empty() {
            break;
        }
        assert!(
            sim.time < until,
            "it never comes to rest: {:#?}",
            sim.clients
        );
    }
    // Silent members leave (P7.2).
    sim.handle(Input::Deadline);
    // Frames in flight arrive; windows and alarms are long over.
    let until = sim.time + 2_000;
    while sim.step(until) {}
    sim.time = until;
    let is_reading = |client: &Client| client.kind != Kind::Reader || client.is_caught_up();
    while sim.is_underway() || sim.host.window().is_some() || !sim.clients.iter().all(is_reading) {
        let next = sim.time + 100;
        while sim.step(next) {}
        sim.time = next;
    }
    assert_eq!(
        sim.host.window(),
        None,
        "a timer runs though nothing is pending"
    );
}

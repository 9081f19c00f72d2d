//! Usage and a budget while everything breaks (P6.12): the sums are those of a model that is too
//! simple to be wrong, every reader agrees, and a spent budget lets nothing go on.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::protocol::query;
use sessile::session::{Input, Read, Request, Sender, Start};

use crate::answer::answer;
use crate::checks::said;
use crate::host::{Fate, Host};
use crate::random::Random;
use crate::reader::{Reader, is_open};
use crate::sim::{START, connection};

const NAMES: [&str; 4] = ["tokens", "cost", "calls", "\"é"];
/// Whole and half numbers, whose sums are exact.
const AMOUNTS: [f64; 4] = [0.0, 0.5, 1.0, 40.0];

type Sums = BTreeMap<String, f64>;

struct World {
    random: Random,
    host: Host,
    time: i64,
    ids: u64,
    sums: Sums,
    turns: BTreeMap<String, Sums>,
    budget: Sums,
    readers: Vec<Follower>,
    connections: u64,
    spent: u64,
    resumed: u64,
}

#[derive(Default)]
struct Follower {
    reader: Reader,
    link: Option<ConnectionId>,
}

fn run(seed: u64) -> (u64, u64) {
    let mut world = World {
        random: Random::new(seed),
        host: Host::new(Limits::default()),
        time: 0,
        ids: 0,
        sums: Sums::new(),
        turns: BTreeMap::new(),
        budget: Sums::new(),
        readers: (0..3).map(|_| Follower::default()).collect(),
        connections: 0,
        spent: 0,
        resumed: 0,
    };
    if world.random.chance(500) {
        world.settings(json!({ "retentionMs": 5_000, "cancelGraceMs": 500 }));
    }
    for _ in 0..250 {
        world.moment();
    }
    world.agree();
    (world.spent, world.resumed)
}

impl World {
    fn now(&self) -> Timestamp {
        START + self.time
    }

    fn moment(&mut self) {
        let pause = self.random.between(0, 400) as i64;
        self.wait(pause);
        match self.random.between(0, 100) {
            0..15 => self.start(),
            15..50 => self.report(),
            50..60 => self.end(),
            60..64 => self.suspend(),
            64..68 => self.publish(),
            68..74 => self.set_budget(),
            74..79 if self.host.window().is_none() => self.host.evict(),
            79..83 => self.die(),
            83..87 => self.leave(),
            _ => self.come(),
        }
        if self.random.chance(200) {
            self.agree();
        }
    }

    /// Time passes, and timers ring.
    fn wait(&mut self, pause: i64) {
        let until = self.time + pause;
        while let Some(due) = self.host.window().filter(|due| *due - START <= until) {
            self.time = self.time.max(due - START);
            self.handle(Input::Deadline, Fate::Lives);
        }
        self.time = until;
    }

    /// The first sum beyond its limit.
    fn over(&self) -> Option<&str> {
        let sum = |name: &str| self.sums.get(name).copied().unwrap_or_default();
        let mut over = self.budget.iter();
        let over = over.find(|(name, limit)| **limit < sum(name));
        over.map(|(name, _)| name.as_str())
    }

    fn start(&mut self) {
        let id = self.next_id();
        let frame = json!({ "type": "turn.start", "id": id, "leaseMs": 600_000 });
        let is_over = self.over().is_some();
        let (status, body) = self.ask(frame);
        assert_eq!(status, if is_over { 402 } else { 200 }, "P6.12: {body}");
        if !is_over {
            self.turns.insert(id, Sums::new());
        }
    }

    fn amounts(&mut self) -> Sums {
        let count = self.random.between(0, 3);
        let amounts = (0..count).map(|_| {
            let name = (*self.random.pick(&NAMES)).to_owned();
            (name, *self.random.pick(&AMOUNTS))
        });
        amounts.collect()
    }

    fn turn(&mut self) -> Option<String> {
        let turns: Vec<String> = self.turns.keys().rev().take(6).cloned().collect();
        (!turns.is_empty()).then(|| self.random.pick(&turns).clone())
    }

    fn report(&mut self) {
        self.drive(json!({ "type": "turn.usage" }), true);
    }

    fn end(&mut self) {
        let mut frame = json!({ "type": "turn.end", "status": "complete" });
        frame["usage"] = Value::Null;
        let has_usage = self.random.chance(600);
        self.drive(frame, has_usage);
    }

    fn suspend(&mut self) {
        self.drive(json!({ "type": "turn.suspend" }), false);
    }

    /// A frame of a turn's leader, perhaps with usage: it counts once, or is refused for a turn
    /// that is over.
    fn drive(&mut self, mut frame: Value, has_usage: bool) {
        let Some(turn) = self.turn() else { return };
        let usage = match has_usage {
            true => self.amounts(),
            false => Sums::new(),
        };
        frame["turn"] = json!(turn);
        frame["attempt"] = json!(1);
        frame["id"] = json!(self.next_id());
        if has_usage {
            frame["usage"] = json!(usage);
        }
        let was_over = self.over().is_some();
        let (status, body) = self.ask(frame);
        if status != 200 {
            let code = &body["error"]["code"];
            assert!(code == "turn-closed" || code == "not-found", "{body}");
            return;
        }
        for (name, amount) in usage {
            *self.sums.entry(name.clone()).or_default() += amount;
            *self.turns.get_mut(&turn).unwrap().entry(name).or_default() += amount;
        }
        if !was_over && self.over().is_some() {
            self.check_stopped();
        }
    }

    /// P6.12: everything that was open is cancelled in the step that spends the budget.
    fn check_stopped(&mut self) {
        self.spent += 1;
        let open = query::Turns {
            all: false,
            before: None,
            limit: 100,
        };
        let open = self.get(Read::Turns(open))["turns"].clone();
        for turn in open.as_array().unwrap() {
            assert_eq!(turn["cancel"]["reason"], "budget", "{turn}");
            // One that waits ends at once, unless an earlier cancel gave it a grace (P6.5).
            let is_earlier = turn["cancel"]["at"].as_i64().unwrap() < self.now();
            assert!(turn["status"] == "active" || is_earlier, "{turn}");
        }
    }

    fn publish(&mut self) {
        let id = self.next_id();
        let messages = json!([{ "data": "m", "id": id }]);
        let (status, body) = self.ask(json!({ "type": "publish", "messages": messages }));
        assert_eq!(status, 200, "inputs are always taken: {body}");
    }

    fn set_budget(&mut self) {
        let mut budget = Sums::new();
        for name in NAMES {
            if self.random.chance(400) {
                let sum = self.sums.get(name).copied().unwrap_or_default();
                let more = *self.random.pick(&[-1.0, 0.0, 20.0, 200.0]);
                budget.insert(name.to_owned(), (sum + more).max(0.0));
            }
        }
        let was_over = self.over().is_some();
        let patch = match budget.is_empty() {
            true => Value::Null,
            false => json!(budget),
        };
        self.settings(json!({ "budget": patch }));
        self.budget = budget;
        if !was_over && self.over().is_some() {
            self.check_stopped();
        }
    }

    fn settings(&mut self, patch: Value) {
        let (status, body) = self.repeat(|| Request::Settings(patch.clone()));
        assert_eq!(status, 200, "{body}");
    }

    fn next_id(&mut self) -> String {
        self.ids += 1;
        format!("i{:04}", self.ids)
    }

    /// Asks until there is an answer: a frame with an id is taken once.
    fn ask(&mut self, frame: Value) -> (u16, Value) {
        let (text, limits) = (frame.to_string(), self.host.limits.clone());
        self.repeat(|| Request::Frame(decode_frame(&text, &limits)))
    }

    fn repeat(&mut self, request: impl Fn() -> Request) -> (u16, Value) {
        let mut fate = match self.random.between(0, 100) {
            0..6 => Fate::DiesBefore,
            6..12 => Fate::DiesAfter,
            12..16 => Fate::DiskFails(self.random.between(0, 5)),
            _ => Fate::Lives,
        };
        loop {
            let sender = Sender {
                connection: None,
                client: "agent".to_owned(),
                operations: Operations::ALL,
                role: Role::Agent,
            };
            let request = request();
            let answer = self.handle(Input::Request { sender, request }, fate);
            if let Some(answer) = answer {
                return answer;
            }
            fate = Fate::Lives;
        }
    }

    fn handle(&mut self, input: Input, fate: Fate) -> Option<(u16, Value)> {
        let effects = self.host.handle(self.now(), input, fate);
        for said in said(&effects) {
            for follower in &mut self.readers {
                let link = follower.link.as_ref();
                let is_told =
                    link.is_some_and(|id| said.to.as_ref().is_some_and(|to| to.contains(id)));
                for frame in said.frames.iter().filter(|_| is_told) {
                    follower.reader.take(frame);
                }
            }
        }
        if !self.host.is_awake() {
            self.cut();
        }
        answer(effects)
    }

    fn die(&mut self) {
        self.host.die();
        self.cut();
    }

    fn cut(&mut self) {
        for follower in &mut self.readers {
            follower.link = None;
        }
    }

    fn leave(&mut self) {
        let index = self.random.between(0, 3) as usize;
        if let Some(connection) = self.readers[index].link.take() {
            self.handle(Input::Close { connection }, Fate::Lives);
        }
    }

    fn come(&mut self) {
        let index = self.random.between(0, 3) as usize;
        if self.readers[index].link.is_some() {
            return;
        }
        self.connections += 1;
        let mut connection = connection("viewer", "viewer", Timestamp::MAX);
        connection.id = ConnectionId::new(format!("v{}", self.connections));
        let follower = &mut self.readers[index];
        follower.link = Some(connection.id.clone());
        let since = follower.reader.position.clone();
        self.resumed += u64::from(since.is_some());
        let rewind = 1_000;
        let start = Start { since, rewind };
        self.handle(Input::Open { connection, start }, Fate::Lives);
    }

    fn get(&mut self, read: Read) -> Value {
        let sender = Sender {
            connection: None,
            client: "ann".to_owned(),
            operations: Operations::ALL,
            role: Role::User,
        };
        let request = Request::Read(read);
        let answer = self.handle(Input::Request { sender, request }, Fate::Lives);
        answer.unwrap().1
    }

    /// The session, every reader and the model hold the same.
    fn agree(&mut self) {
        let snapshot = self.get(Read::Snapshot(query::Snapshot { rewind: 0 }));
        assert_eq!(sums(&snapshot["usage"]), self.sums, "P11.1");
        let over = snapshot["overBudget"]["name"].as_str();
        assert_eq!(over, self.over(), "P6.12: {snapshot}");
        let page = query::Turns {
            all: true,
            before: None,
            limit: 1_000,
        };
        let turns = self.get(Read::Turns(page))["turns"].clone();
        for turn in turns.as_array().unwrap() {
            let known = &self.turns[turn["id"].as_str().unwrap()];
            assert_eq!(sums(&turn["usage"]), *known, "P6.12: {turn}");
        }
        let over = over.map(str::to_owned);
        for follower in self.readers.iter().filter(|it| it.link.is_some()) {
            let reader = &follower.reader;
            assert!(reader.violations.is_empty(), "{:#?}", reader.violations);
            assert_eq!(sums(&json!(reader.usage)), self.sums, "P3.5");
            assert_eq!(reader.over_budget["name"].as_str(), over.as_deref());
            for turn in turns.as_array().unwrap() {
                let known = reader.turns.get(turn["id"].as_str().unwrap());
                let usage = known.map(|known| sums(&known["usage"]));
                assert!(usage.is_some() || !is_open(turn), "{turn}");
                assert!(usage.is_none_or(|it| it == sums(&turn["usage"])), "{turn}");
            }
        }
    }
}

fn sums(usage: &Value) -> Sums {
    let usage = usage.as_object().into_iter().flatten();
    usage
        .map(|(name, sum)| (name.clone(), sum.as_f64().unwrap()))
        .collect()
}

/// P6.12: sums are exact and a budget holds, over repeats, evictions, deaths and full disks.
#[test]
fn usage_is_exact_and_a_budget_holds() {
    let (mut spent, mut resumed) = (0, 0);
    for seed in 0..24 {
        let ran = run(seed);
        spent += ran.0;
        resumed += ran.1;
    }
    assert!(50 < spent && 300 < resumed, "{spent} {resumed}");
}

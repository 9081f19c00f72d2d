//! An agent that is woken while everything breaks: the process, the disk, the clock, the network
//! and the agent, which may be down, forget what it accepted, or die in the middle of a turn.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sessile::protocol::agent::{Agent, AskWake};
use sessile::protocol::capability::{Operation, Operations, Role};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::limits::Limits;
use sessile::protocol::serial::{PLACE_MAX, Place};
use sessile::protocol::turn::{Ending, State, Turn};
use sessile::session::{Delivered, Delivery, Effect, Input, Outcome, Request, Sender};

use crate::host::{Fate, Host};
use crate::random::Random;
use crate::seeds::each_seed;
use crate::sim::START;

const INPUTS: u64 = 15;
const LEASE_MS: u64 = 5_000;
const TAKE_MS: u64 = 10_000;

/// Something that happens at a time.
#[derive(Debug)]
enum Event {
    /// A call arrives at the agent, made by the process of that number.
    Arrives(Box<Delivery>, u32),
    /// Its outcome is known to that process, if it still lives.
    Ends(Delivered, u32),
    /// The agent takes what it was called for; it may have asked before.
    Takes {
        body: Value,
        is_again: bool,
    },
    /// It ends a turn.
    Answers {
        turn: String,
        attempt: u64,
    },
    Trouble,
}

struct World {
    random: Random,
    host: Host,
    is_queue: bool,
    time: u64,
    skew: i64,
    events: BTreeMap<(u64, u64), Event>,
    ties: u64,
    is_calm: bool,
    down_until: u64,
    published: u64,
    /// The ids that the agent knows, with what each was about, and those that it accepted.
    known: BTreeMap<String, (Value, Value)>,
    accepted: BTreeSet<String>,
    calls: u64,
    lost: u64,
}

fn run(seed: u64) -> [u64; 3] {
    let mut random = Random::new(seed);
    let is_queue = random.chance(500);
    let mut host = Host::new(Limits::default());
    host.outbound.agent = Some(Agent {
        queue: Some("JOBS".to_owned()),
        ..Agent::default()
    });
    let mut world = World {
        random,
        host,
        is_queue,
        time: 0,
        skew: 0,
        events: BTreeMap::new(),
        ties: 0,
        is_calm: false,
        down_until: 0,
        published: 0,
        known: BTreeMap::new(),
        accepted: BTreeSet::new(),
        calls: 0,
        lost: 0,
    };
    world.set();
    world.schedule(1, Event::Trouble);
    world.pass(90_000);
    world.calm();
    world.judge();
    [world.published, world.calls, world.lost]
}

fn sender(client: &str, operations: Operations, role: Role) -> Sender {
    Sender {
        connection: None,
        client: client.to_owned(),
        operations,
        role,
    }
}

impl World {
    fn now(&self) -> Timestamp {
        START + self.time as i64 + self.skew
    }

    fn schedule(&mut self, after: u64, event: Event) {
        self.ties += 1;
        self.events.insert((self.time + after, self.ties), event);
    }

    fn set(&mut self) {
        let on_input = if self.is_queue { "queue" } else { "parallel" };
        let patch = json!({ "onInput": on_input, "takeMs": TAKE_MS, "maxAttempts": 100 });
        while self.admin(Request::Settings(patch.clone())).is_none() {}
    }

    /// Everybody is well again, sends again what may be lost, and waits.
    fn calm(&mut self) {
        self.is_calm = true;
        self.down_until = 0;
        self.set();
        for number in 0..self.published {
            self.publish(number).expect("an answer");
        }
        self.frame(&json!({ "type": "lead.return", "wake": "all" }));
        self.pass(600_000);
        self.admin(Request::Wake(AskWake::default()));
        self.pass(3_600_000);
    }

    /// Lets time pass, with all that happens meanwhile, alarms among it.
    fn pass(&mut self, duration: u64) {
        let until = self.time + duration;
        loop {
            let event = self.events.keys().next().copied();
            let now = self.now();
            let alarm = self
                .host
                .alarm
                .map(|alarm| self.time + (alarm - now).max(0) as u64);
            let at = event.map(|(at, _)| at).into_iter().chain(alarm).min();
            let Some(at) = at.filter(|at| *at <= until) else {
                break;
            };
            self.time = self.time.max(at);
            if let Some(event) = event.filter(|(due, _)| *due <= at) {
                let event = self.events.remove(&event).unwrap();
                self.happen(event);
            } else {
                self.host.alarm = None;
                self.handle(Input::Deadline);
                // The platform rings again where a process died of it.
                if !self.host.is_awake() && self.host.alarm.is_none() {
                    self.host.alarm = Some(self.now() + 2_000);
                }
            }
        }
        self.time = until;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrives(delivery, process) => self.arrive(*delivery, process),
            Event::Ends(delivered, process) => {
                if self.host.is_awake() && self.host.loads == process {
                    self.handle(Input::Delivered(delivered));
                }
            }
            Event::Takes { body, is_again } => self.take(body, is_again),
            Event::Answers { turn, attempt } => self.answer(turn, attempt),
            Event::Trouble if self.is_calm => {}
            Event::Trouble => {
                self.trouble();
                let after = self.random.between(1, 3_000);
                self.schedule(after, Event::Trouble);
            }
        }
    }

    fn trouble(&mut self) {
        match self.random.between(0, 20) {
            0..8 if self.published < INPUTS => {
                self.publish(self.published);
                self.published += 1;
            }
            0..10 => self.host.die(),
            10 => self.host.evict(),
            11 => self.skew += self.random.between(0, 40_000) as i64 - 20_000,
            12 => self.down_until = self.time + self.random.between(0, 60_000),
            13 => self.unwanted("cancel"),
            14 => self.unwanted("delete"),
            15 => self.frame(&json!({ "type": "lead.take" })),
            16..18 => self.frame(&json!({ "type": "lead.return", "wake": "all" })),
            _ => {}
        }
    }

    /// Somebody cancels or deletes an input.
    fn unwanted(&mut self, what: &str) {
        let inputs = self.inputs();
        if inputs.is_empty() {
            return;
        }
        let place = *self.random.pick(&inputs);
        let epoch = self.host.log().beginning().unwrap().unwrap().epoch;
        let serial = epoch.at(place).to_string();
        let key = if what == "cancel" { "input" } else { "serial" };
        self.frame(&json!({ "type": what, key: serial }));
    }

    fn frame(&mut self, frame: &Value) {
        let received = decode_frame(&frame.to_string(), &self.host.limits);
        self.admin(Request::Frame(received));
    }

    fn admin(&mut self, request: Request) -> Option<Value> {
        self.ask(sender("sue", Operations::ALL, Role::Supervisor), request)
    }

    fn publish(&mut self, number: u64) -> Option<Value> {
        let id = format!("q{number}");
        let frame = json!({ "type": "publish", "messages": [{ "id": id, "data": "?" }] });
        let received = decode_frame(&frame.to_string(), &self.host.limits);
        let operations = Operations::of(&[Operation::Read, Operation::Publish]);
        let user = sender("ann", operations, Role::User);
        self.ask(user, Request::Frame(received))
    }

    fn by_agent(&mut self, frame: &Value) -> Option<Value> {
        let received = decode_frame(&frame.to_string(), &self.host.limits);
        let operations = Operations::of(&[Operation::Read, Operation::Publish, Operation::Turn]);
        let agent = sender("bot", operations, Role::Agent);
        self.ask(agent, Request::Frame(received))
    }

    /// The answer to a request, if one came.
    fn ask(&mut self, sender: Sender, request: Request) -> Option<Value> {
        let effects = self.handle(Input::Request { sender, request });
        let bodies = effects.into_iter().filter_map(|effect| match effect {
            Effect::Respond { body, .. } => serde_json::from_str(&body).ok(),
            _ => None,
        });
        bodies.last()
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let fate = match () {
            () if self.is_calm || self.random.chance(850) => Fate::Lives,
            () if self.random.chance(300) => Fate::DiskFails(self.random.between(0, 12)),
            () if self.random.chance(500) => Fate::DiesBefore,
            () => Fate::DiesAfter,
        };
        let now = self.now();
        let effects = self.host.handle(now, input, fate);
        self.check();
        for effect in &effects {
            if let Effect::Deliver(delivery) = effect {
                self.calls += 1;
                self.check_order(delivery);
                let after = self.random.between(1, 300);
                let process = self.host.loads;
                self.schedule(after, Event::Arrives(Box::new(delivery.clone()), process));
            }
        }
        effects
    }

    fn turns(&self) -> Vec<Turn> {
        self.host.log().turns_before(PLACE_MAX, 1_000).unwrap()
    }

    /// The messages that ann published, in order.
    fn inputs(&self) -> Vec<Place> {
        let store = self.host.log();
        let Some(beginning) = store.beginning().unwrap() else {
            return Vec::new();
        };
        let end = store.end().unwrap().place;
        assert!(!beginning.epoch.as_str().is_empty());
        let places = (1..=end).filter(|place| {
            let head = store.head(*place).unwrap();
            head.is_some_and(|head| head.client == "ann")
        });
        places.collect()
    }

    /// At any time: one turn for each input at most, and one delivery for each that waits.
    fn check(&self) {
        let turns = self.turns();
        // An agent that comes for a cancelled input gets a turn that is born cancelled (P6.5).
        let wanted = turns.iter().filter(|turn| turn.cancel.is_none());
        let answered: Vec<Place> = wanted.filter_map(|turn| turn.input).collect();
        let distinct: BTreeSet<&Place> = answered.iter().collect();
        assert_eq!(distinct.len(), answered.len(), "an input has two turns");
        let owed = self.host.log().deliveries().unwrap();
        let subjects: BTreeSet<Place> = owed.iter().filter_map(|owed| owed.subject).collect();
        assert_eq!(subjects.len(), owed.len(), "it is owed twice: {owed:#?}");
        for turn in turns {
            let is_owed = subjects.contains(&turn.place);
            let is_led = matches!(turn.state, State::Active(_) | State::Ended { .. });
            assert!(!(is_led && is_owed), "it was taken: {turn:?}");
            let input = turn.input.unwrap();
            assert!(!subjects.contains(&input), "its input was taken: {turn:?}");
        }
    }

    /// P10.3: with `queue`, in the order of the inputs, and never beside a turn that answers.
    fn check_order(&self, delivery: &Delivery) {
        if !self.is_queue {
            return;
        }
        let body: Value = serde_json::from_str(&delivery.body).unwrap();
        let store = self.host.log();
        let owed = store.deliveries().unwrap();
        let given_up = owed.iter().filter(|owed| owed.dead_at.is_some());
        let given_up: BTreeSet<Place> = given_up.filter_map(|owed| owed.subject).collect();
        let turns = self.turns();
        let epoch = store.beginning().unwrap().unwrap().epoch;
        for place in self.inputs() {
            if epoch.at(place).to_string() == body["input"] {
                break;
            }
            let turn = turns.iter().find(|turn| turn.input == Some(place));
            let is_over = turn.is_some_and(|turn| !turn.is_open() || turn.cancel.is_some());
            let is_dead = given_up.contains(&turn.map_or(place, |turn| turn.place));
            let is_gone = store.head(place).unwrap().unwrap().is_deleted;
            let is_cancelled = store.cancel_of_input(place).unwrap().is_some();
            assert!(
                is_over || is_dead || is_gone || is_cancelled,
                "{delivery:?} overtakes {place}: {turn:?}"
            );
        }
        let is_active = |turn: &&Turn| matches!(turn.state, State::Active(_));
        let active = turns.iter().filter(is_active);
        let answering = active.filter(|turn| turn.cancel.is_none()).count();
        assert_eq!(answering, 0, "{delivery:?} goes out beside a turn");
    }

    fn arrive(&mut self, delivery: Delivery, process: u32) {
        let number = delivery.number;
        let answered = |status| Outcome::Answered {
            status,
            retry_after_ms: None,
        };
        let failed = || Outcome::Failed {
            reason: "nobody answered".to_owned(),
        };
        let (outcome, after) = match self.random.between(0, 100) {
            _ if self.time < self.down_until => (answered(503), 50),
            0..10 if !self.is_calm => (failed(), 10_000),
            10..15 if !self.is_calm => (answered(410), 50),
            15..25 if !self.is_calm => {
                // It was accepted, and the answer is lost.
                self.accept(&delivery);
                (failed(), 10_000)
            }
            _ => {
                self.accept(&delivery);
                (answered(202), self.random.between(1, 4_000))
            }
        };
        self.schedule(after, Event::Ends(Delivered { number, outcome }, process));
    }

    /// The agent takes what it does not know, and may then forget it.
    fn accept(&mut self, delivery: &Delivery) {
        let body: Value = serde_json::from_str(&delivery.body).unwrap();
        assert_eq!(body["id"], delivery.id.as_str());
        let about = json!([body["input"], body["turn"], body["attempt"]]);
        if let Some((known, _)) = self.known.get(&delivery.id) {
            assert_eq!(*known, body, "an id means one thing");
            return;
        }
        let earlier = self.known.iter().filter(|(_, (_, it))| *it == about);
        for (id, _) in earlier {
            assert!(
                self.accepted.contains(id),
                "{id} comes again as {}",
                delivery.id
            );
        }
        self.accepted.insert(delivery.id.clone());
        self.known
            .insert(delivery.id.clone(), (body.clone(), about));
        if self.is_calm || !self.random.chance(150) {
            let after = self.random.between(1, 3_000);
            let is_again = false;
            self.schedule(after, Event::Takes { body, is_again });
        }
    }

    fn take(&mut self, body: Value, is_again: bool) {
        let mut frame = json!({ "type": "turn.start", "ref": 1, "leaseMs": LEASE_MS });
        match body["input"].is_null() {
            true => frame["id"] = body["turn"].clone(),
            false => frame["input"] = body["input"].clone(),
        }
        let Some(answer) = self.by_agent(&frame) else {
            let is_again = true;
            return self.schedule(500, Event::Takes { body, is_again });
        };
        let (result, turn) = (&answer["result"], &answer["result"]["turn"]);
        let is_taken = result["duplicate"] == true && !(is_again && turn["agent"] == "bot");
        if turn["status"] != "active" || is_taken {
            return;
        }
        if !self.is_calm && self.random.chance(200) {
            // It dies in the middle.
            self.lost += 1;
            return;
        }
        let (id, attempt) = (turn["id"].as_str().unwrap(), turn["attempt"].as_u64());
        let (turn, attempt) = (id.to_owned(), attempt.unwrap());
        let after = self.random.between(1, LEASE_MS - 1_000);
        self.schedule(after, Event::Answers { turn, attempt });
    }

    fn answer(&mut self, turn: String, attempt: u64) {
        let end = json!({ "type": "turn.end", "turn": turn, "attempt": attempt,
                          "status": "complete" });
        if self.by_agent(&end).is_none() {
            self.schedule(300, Event::Answers { turn, attempt });
        }
    }

    /// In the end each input has its one answer, unless nobody wanted it, and nothing is owed.
    fn judge(&self) {
        let store = self.host.log();
        assert_eq!(store.deliveries().unwrap(), [], "nothing is owed any more");
        let inputs = self.inputs();
        assert_eq!(inputs.len() as u64, self.published);
        let turns = self.turns();
        for input in inputs {
            let mut of_input = turns.iter().filter(|turn| turn.input == Some(input));
            let turn = of_input.next();
            let is_gone = store.head(input).unwrap().unwrap().is_deleted;
            let is_cancelled = store.cancel_of_input(input).unwrap().is_some();
            let ending = turn.map(|turn| match &turn.state {
                State::Ended { ending, .. } => *ending,
                other => panic!("{input} is {other:?}"),
            });
            let is_right = match ending {
                Some(Ending::Complete) => true,
                Some(Ending::Cancelled) => is_cancelled || turn.unwrap().cancel.is_some(),
                Some(Ending::Failed) => false,
                None => is_gone || is_cancelled,
            };
            assert!(is_right, "{input}: {turn:?}, gone {is_gone}");
        }
        assert_eq!(self.host.deadline(), None, "it sleeps");
    }
}

#[test]
fn each_input_is_taken_by_one_turn() {
    let ([inputs, calls, lost], is_whole) = each_seed("waking", 100, run);
    let has_all = 500 < inputs && inputs < calls && 50 < lost;
    assert!(
        !is_whole || has_all,
        "{inputs} inputs, {calls} calls, {lost} lost in the middle"
    );
}

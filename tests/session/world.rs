//! A session, the people at it and a clock, led by a script.
//!
//! ```text
//! alice attach window=0      a connection; alice/2 is another of the same client
//! agent publish 'Hel' streaming
//! agent append #1 'lo' seq=1; append #1 '!' seq=2      an array of frames
//! + agent append #2 'x'      in the same turn of the event loop as the line before
//! agent start t1 input=#1; publish 'a' turn=t1; end t1 complete      a turn
//! alice cancel turn=t1       and steer t1 'faster', presence data={}, absent
//! alice pings                a text ping, which wakes nobody
//! platform backlog judged alice 5000      what readers have not taken, having had time
//! alice counts               how many connections there were when it attached
//! alice brief turns          GET …/turns in a few words; get shows all of it
//! wait 40                    time passes, timers and alarms ring
//! ---                        what was sent so far is not shown
//! ```
//!
//! The output shows every connection's frames: `<` the first frame of a WebSocket message and `|`
//! those in one array with it, `x` a close, `=` an HTTP response.

mod check;
mod deliveries;
mod explore;
mod request;
mod time;

use std::collections::BTreeMap;
use std::fmt::Write;

use expect_test::Expect;
use serde_json::Value;
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::error::{ErrorCode, ErrorInfo};
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::{Limits, REWIND_MESSAGES, WINDOW_MS_DEFAULT};
use sessile::session::{Carrier, Chains, Connection, Input, Outcome, Start};
use sessile::token::Grant;

use crate::host::{Fate, Host};
use crate::reader::Reader;
use crate::show::{START, Show};
use crate::words::{Word, find, frame, frames, has, words};

/// Columns of the output.
const COLUMNS: usize = 84;
/// How long a token holds when a script does not say.
const TOKEN_MS: i64 = 365 * 24 * 60 * 60 * 1000;

#[derive(Default)]
struct Actor {
    connection: Option<ConnectionId>,
    connections: u32,
    references: u64,
    reader: Reader,
}

pub struct World {
    pub host: Host,
    pub now: Timestamp,
    /// When the timer rings, by a clock that never jumps.
    timer: Option<Timestamp>,
    passed: Timestamp,
    shown_at: Timestamp,
    actors: BTreeMap<String, Actor>,
    show: Show,
    pub output: String,
    /// The client of the last HTTP request.
    asks: String,
    /// Whether the answer to it is shown in a few words.
    is_brief: bool,
    /// The answer to the last HTTP request.
    answer: Value,
    fate: Fate,
    /// Whether a message is said to be the only one of its turn of the event loop.
    is_alone: bool,
    /// Rows that were written until they were last counted.
    rows: u64,
    /// The deliveries that were shown: their numbers and ids.
    deliveries: Vec<(u64, String)>,
    /// The milestones that were told.
    pub milestones: Vec<Value>,
    /// The outcome of every delivery, if a script does not name each.
    always: Option<Outcome>,
}

/// Runs a script and compares what everybody was sent.
pub fn check(script: &str, expected: Expect) {
    check_with(Limits::default(), script, expected);
}

/// The same after what several scripts begin with.
pub fn check_after(given: &str, script: &str, expected: Expect) {
    check(&format!("{given}{script}"), expected);
}

/// The same in a deployment with other limits.
pub fn check_with(limits: Limits, script: &str, expected: Expect) {
    let mut world = World::new(limits);
    world.run(script);
    expected.assert_eq(&shortened(&world.output));
    world.compare();
    for (name, actor) in &world.actors {
        let violations = &actor.reader.violations;
        assert!(
            violations.is_empty(),
            "{name} reads strictly: {violations:#?}"
        );
    }
}

impl World {
    pub fn new(limits: Limits) -> Self {
        Self {
            host: Host::new(limits),
            now: START,
            timer: None,
            passed: 0,
            shown_at: 0,
            actors: BTreeMap::new(),
            show: Show::default(),
            output: String::new(),
            asks: String::new(),
            is_brief: false,
            answer: Value::Null,
            fate: Fate::Lives,
            is_alone: false,
            rows: 0,
            deliveries: Vec::new(),
            milestones: Vec::new(),
            always: None,
        }
    }

    pub fn run(&mut self, script: &str) {
        let lines: Vec<&str> = script.lines().map(str::trim).collect();
        let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        for (index, line) in lines.iter().enumerate() {
            self.line(line.strip_prefix("+ ").unwrap_or(line));
            let is_same_turn = lines
                .get(index + 1)
                .is_some_and(|next| next.starts_with("+ "));
            if !is_same_turn {
                self.ring();
            }
        }
    }

    fn line(&mut self, line: &str) {
        if line == "---" {
            self.output.clear();
            return;
        }
        if let Some((name, text)) = line.split_once(" raw ") {
            return self.send(name, &self.show.fill(text));
        }
        let line_words = words(line);
        let rest = &line_words[1..];
        match line_words[0].text.as_str() {
            "wait" => self.wait(rest[0].text.parse().unwrap()),
            "deployment" => self.deployment(rest),
            "hook" => self.outcome(rest),
            "clock" => self.now += rest[0].text.parse::<Timestamp>().unwrap(),
            "ring" => self.handle(Input::Deadline),
            "evict" => {
                assert_eq!(self.host.window(), None, "a timer keeps the session awake");
                self.host.evict();
            }
            "crash" => {
                self.host.die();
                self.timer = None;
                for actor in self.actors.values_mut() {
                    actor.connection = None;
                }
            }
            "dies" => {
                self.fate = match rest[0].text.as_str() {
                    "before" => Fate::DiesBefore,
                    _ => Fate::DiesAfter,
                };
            }
            "tables" => {
                let tables = self.host.disk.0.tables();
                let _ = writeln!(self.output, "tables: {}", tables.len());
            }
            "timer" => {
                let due = self.host.window().map(|due| due - self.now);
                let _ = writeln!(self.output, "timer: {due:?}");
            }
            "rows" => {
                let written = self.host.disk.0.rows_written();
                let since = std::mem::replace(&mut self.rows, written);
                let _ = writeln!(self.output, "rows: {}", written - since);
            }
            "alarm" => {
                let due = self.host.deadline().map(|due| due - self.now);
                let _ = writeln!(self.output, "alarm: {due:?}");
            }
            name => self.act(name, rest, line),
        }
    }

    fn act(&mut self, name: &str, rest: &[Word], line: &str) {
        let verb = rest[0].text.as_str();
        let args = &rest[1..];
        match verb {
            "attach" => self.attach(name, args),
            "drop" => {
                let id = self.actor(name).connection.take().expect("a connection");
                self.handle(Input::Close { connection: id });
            }
            "holds" => self.holds(name),
            "counts" => {
                let line = format!("{name} is one of {}", self.actors[name].reader.connections);
                self.print(&line);
            }
            "turns" => {
                for turn in self.actors[name].reader.turns.clone().values() {
                    let line = format!("{name} knows {}", self.show.turn(turn));
                    self.print(&line);
                }
            }
            "members" => {
                for member in self.actors[name].reader.members.clone().values() {
                    let line = format!("{name} sees {}", self.show.member(member));
                    self.print(&line);
                }
            }
            "pings" => {
                let connection = self.connection(name);
                self.host.ping(&connection, self.now);
            }
            "renew" => self.renew(name, args),
            "unsent" => {
                let connection = self.connection(name);
                self.handle(Input::Unsent {
                    connection,
                    bytes: args[0].text.parse().unwrap(),
                });
            }
            "full" => self.host.disk.0.fill(true),
            "roomy" => self.host.disk.0.fill(false),
            "backlog" => {
                let unsent = args[1..].chunks(2).map(|pair| {
                    let id = self.connection(&pair[0].text);
                    (id, pair[1].text.parse().unwrap())
                });
                let unsent = unsent.collect();
                let had_time = args[0].is("judged");
                self.handle(Input::Backlog { unsent, had_time });
            }
            "alone" => {
                let (_, frame) = line.split_once(verb).unwrap();
                self.is_alone = true;
                self.act(name, args, &format!("{name} {frame}"));
                self.is_alone = false;
            }
            "ends-body" => {
                let connection = self.connection(name);
                self.handle(Input::BodyEnd { connection });
            }
            "repeats" => {
                let count: usize = args[0].text.parse().unwrap();
                let (_, frame) = line.split_once(&args[0].text).unwrap();
                for _ in 0..count {
                    self.act(name, &words(frame), &format!("{name} {frame}"));
                }
            }
            "floods" => {
                let count: usize = args[0].text.parse().unwrap();
                let text = "x".repeat(count);
                let rest = line
                    .split_once(&args[0].text)
                    .unwrap()
                    .1
                    .replace('…', &text);
                self.act(name, &words(&rest), &format!("{name} {rest}"));
            }
            "get" | "brief" | "post" | "shorthand" | "patch" | "erase" | "wake" | "upload"
            | "arrived" | "remove" => {
                self.request(name, verb, args, line);
            }
            _ => {
                let (_, line) = line.split_once(name).unwrap();
                let texts = self.frames(name, line);
                let text = match texts.as_slice() {
                    [only] => only.clone(),
                    _ => format!("[{}]", texts.join(",")),
                };
                self.send(name, &text);
            }
        }
    }

    fn actor(&mut self, name: &str) -> &mut Actor {
        self.actors.entry(name.to_owned()).or_default()
    }

    fn connection(&mut self, name: &str) -> ConnectionId {
        let connection = self.actor(name).connection.clone();
        connection.unwrap_or_else(|| panic!("{name} is not attached"))
    }

    /// The frames of a line, encoded, each with the actor's next `ref`.
    fn frames(&mut self, name: &str, line: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for words in frames(line) {
            let actor = self.actor(name);
            actor.references += 1;
            actor.reader.is_writer |= words[0].is("append");
            let frame = frame(&words, actor.references);
            texts.push(self.show.fill(&frame.to_string()));
        }
        texts
    }

    fn send(&mut self, name: &str, text: &str) {
        let connection = self.connection(name);
        let input = self.host.message(&connection, text, self.is_alone);
        self.handle(input);
    }

    fn attach(&mut self, name: &str, args: &[Word]) {
        let carrier = ["socket", "events", "lines", "body"]
            .into_iter()
            .find(|it| has(args, it));
        let actor = self.actor(name);
        actor.connections += 1;
        let carrier = match carrier {
            Some("events") => Carrier::Events,
            Some("lines") => Carrier::Lines,
            Some("body") => Carrier::Body,
            _ => Carrier::Socket,
        };
        let prefix = if carrier == Carrier::Body {
            ConnectionId::BODY_PREFIX
        } else {
            ""
        };
        let id = ConnectionId::new(format!("{prefix}{name}-{}", actor.connections));
        let is_reader = matches!(carrier, Carrier::Socket | Carrier::Events);
        actor.connection = Some(id.clone());
        let names = find(args, "names").map(|names| names.split(',').map(str::to_owned).collect());
        actor.reader.is_partial = names.is_some();
        let since = find(args, "since").map(str::to_owned);
        let held = actor.reader.position.clone().filter(|_| has(args, "since"));
        if since.is_none() && held.is_none() {
            let is_writer = actor.reader.is_writer && is_reader;
            actor.reader = Reader::default();
            actor.reader.is_writer = is_writer;
        }
        let number = |key, usual| find(args, key).map_or(usual, |text| text.parse().unwrap());
        let connection = Connection {
            id,
            carrier,
            client: name.split('/').next().unwrap().to_owned(),
            name: find(args, "name").map(str::to_owned),
            role: role(name),
            operations: operations(name, args),
            expires_at: self.now + number("expires", TOKEN_MS),
            issued_at: 0,
            window_ms: u64::try_from(number("window", WINDOW_MS_DEFAULT as i64)).unwrap(),
            names,
            told: None,
            chains: Chains::default(),
            is_probed: has(args, "probed"),
            heard_at: 0,
            member: None,
        };
        let start = Start {
            since: since.map(|since| self.show.fill(&since)).or(held),
            rewind: usize::try_from(number("rewind", REWIND_MESSAGES as i64)).unwrap(),
        };
        self.handle(Input::Open { connection, start });
    }

    fn renew(&mut self, name: &str, args: &[Word]) {
        let reference = {
            let actor = self.actor(name);
            actor.references += 1;
            actor.references
        };
        let text = format!("{{\"type\":\"seen\",\"n\":0,\"ref\":{reference}}}");
        let mut received = sessile::protocol::decode::decode(&text, &self.host.limits).unwrap();
        let expires = find(args, "expires").map_or(TOKEN_MS, |text| text.parse().unwrap());
        let client = find(args, "client").unwrap_or(name).to_owned();
        let grant = if find(args, "as") == Some("none") {
            let error = "unable to authorize; the token lacks every operation";
            Err(ErrorInfo::new(ErrorCode::Forbidden, error))
        } else {
            Ok(Grant {
                client,
                name: find(args, "name").map(str::to_owned),
                role: role(name),
                operations: operations(name, args),
                expires_at: self.now + expires,
                issued_at: 0,
            })
        };
        let connection = self.connection(name);
        let reference = received.remove(0).reference;
        self.handle(Input::Renew {
            connection,
            reference,
            chain: find(args, "chain").map(|text| text.parse().unwrap()),
            grant,
        });
    }

    fn holds(&mut self, name: &str) {
        let held = self.actors[name].reader.held.clone();
        for (serial, held) in held {
            let serial = self.show.json(&Value::String(serial)).replace('"', "");
            let status = held
                .status
                .map(|status| format!(" {status}"))
                .unwrap_or_default();
            let deleted = if held.is_deleted { " deleted" } else { "" };
            let data = self.show.json(&held.data);
            let steer = held.headers["steer"].as_str();
            let steer = steer.map(|word| format!(" {word}")).unwrap_or_default();
            self.print(&format!(
                "{name} holds {serial} {data}{steer}{status}{deleted}"
            ));
        }
    }
}

fn role(name: &str) -> Role {
    match name {
        _ if name.starts_with("agent") => Role::Agent,
        _ if name.starts_with("supervisor") => Role::Supervisor,
        _ => Role::User,
    }
}

fn operations(name: &str, args: &[Word]) -> Operations {
    let words = ["agent", "admin", "supervisor", "viewer"];
    let usual = words
        .into_iter()
        .find(|word| name.starts_with(word))
        .unwrap_or("user");
    let given = find(args, "as").unwrap_or(usual);
    let words = given
        .split(',')
        .map(|word| Operations::parse(word).unwrap());
    words.fold(Operations::NONE, Operations::union)
}

/// Of very many lines that begin alike, which nobody would read, the first and the last.
fn shortened(output: &str) -> String {
    const LINES: usize = 500;
    let lines: Vec<&str> = output.split_inclusive('\n').collect();
    let beginning = |line: &str| line.split(' ').take(3).collect::<String>();
    let runs = lines.chunk_by(|a, b| beginning(a) == beginning(b));
    let runs = runs.map(|run| match run {
        [first, between @ .., last] if LINES < run.len() => {
            format!("{first}… and {} more\n{last}", between.len())
        }
        _ => run.concat(),
    });
    runs.collect()
}

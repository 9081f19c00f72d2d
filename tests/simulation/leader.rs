//! A process of an agent: it takes turns, works on them, hangs, dies, comes back too late.
//! Whether it is right in what it believes is not its business but the ledger's.

use serde_json::{Value, json};

use crate::client::{Asked, Client};
use crate::job::{Deed, Job};
use crate::reader::is_open;
use crate::sim::{Sim, note};
use crate::writer::gap;

/// How many turns a process leads at once.
const JOBS: usize = 3;
/// After how long a turn is asked for again.
const PATIENCE_MS: u64 = 1_000;
const LEASES: [u64; 4] = [1_000, 1_000, 1_700, 4_000];

impl Client {
    /// One moment of a process.
    pub fn lead(&mut self, sim: &mut Sim) {
        if sim.is_calm {
            return self.wind_up(sim);
        }
        match sim.random.between(0, 1_000) {
            0..6 => self.fall_over(sim),
            6..60 => self.take_on(sim),
            60..130 => self.ping(sim),
            130..145 => self.show_up(sim),
            _ => {
                for _ in 0..sim.random.between(1, 4) {
                    self.work(sim);
                }
            }
        }
    }

    /// Nothing breaks any more: every turn is brought to its end by somebody.
    fn wind_up(&mut self, sim: &mut Sim) {
        if self.index.is_multiple_of(2) && sim.random.chance(100) {
            self.ping(sim);
        }
        if !sim.random.chance(150) {
            return;
        }
        let Some(job) = self.jobs.last() else {
            if sim.random.chance(200) {
                self.take_over(sim);
            }
            return;
        };
        if job.turn.is_some() {
            let (number, frame) = (
                job.number,
                json!({ "type": "turn.end", "status": "failed" }),
            );
            self.drive(sim, number, Deed::End, frame);
        } else if job.asked_at.is_none() && sim.random.chance(500) {
            self.send_take(sim, job.number);
        } else {
            self.jobs.pop();
        }
    }

    fn fall_over(&mut self, sim: &mut Sim) {
        self.hangs_until = sim.time + *sim.random.pick(&[300, 1_500, 3_000, 8_000]);
        note(sim.time, &format!("{} hangs", self.name));
        if sim.random.chance(600) {
            self.let_go(sim);
        }
        if sim.random.chance(400) {
            self.jobs.clear();
        }
    }

    pub fn ping(&mut self, sim: &mut Sim) {
        if let Some(id) = self.link.clone() {
            sim.ping(&id);
        }
    }

    /// Turns that another process leads, or none.
    fn take_over(&mut self, sim: &mut Sim) -> bool {
        let fits = |turn: &&Value| {
            let is_ours = turn["agent"].is_null() || turn["agent"] == self.name.as_str();
            // Nor what it has asked for itself, and has no answer about.
            let is_led = self.jobs.iter().any(|job| {
                let take = job.take.as_ref();
                let asks = take.is_some_and(|take| {
                    take["id"].is_null() || [&take["id"], &take["turn"]].contains(&&turn["id"])
                });
                asks || job.turn == Some(id_of(turn))
            });
            is_open(turn) && is_ours && !is_led
        };
        let turns: Vec<String> = self.reader.turns.values().filter(fits).map(id_of).collect();
        if turns.is_empty() {
            return false;
        }
        let turn = sim.random.pick(&turns).clone();
        let mut frame = json!({ "type": "turn.adopt", "turn": turn });
        if sim.random.chance(400) {
            frame["keep"] = true.into();
        }
        if sim.random.chance(500) {
            frame["leaseMs"] = (*sim.random.pick(&LEASES)).into();
        }
        if sim.random.chance(800) {
            self.changes += 1;
            frame["id"] = format!("adopt-{}-{}", self.index, self.changes).into();
        }
        self.employ(sim, frame);
        true
    }

    fn take_on(&mut self, sim: &mut Sim) {
        if JOBS <= self.jobs.len() || (sim.random.chance(500) && self.take_over(sim)) {
            return;
        }
        let mut frame = json!({ "type": "turn.start", "leaseMs": sim.random.pick(&LEASES) });
        if !self.inputs.is_empty() && sim.random.chance(600) {
            frame["input"] = sim.random.pick(&self.inputs).clone().into();
        }
        if sim.random.chance(700) {
            // Its own, or one that another may have come upon as well.
            let number = self.changes;
            self.changes += 1;
            let id = if sim.random.chance(700) {
                format!("own-{}-{number}", self.index)
            } else {
                format!("any-{}", sim.random.between(0, 12))
            };
            frame["id"] = id.into();
            if sim.random.chance(200) {
                frame["again"] = true.into();
            }
        }
        let open: Vec<String> = self
            .reader
            .turns
            .values()
            .filter(|it| is_open(it))
            .map(id_of)
            .collect();
        if !open.is_empty() && sim.random.chance(250) {
            frame["within"] = sim.random.pick(&open).clone().into();
            if sim.random.chance(300) {
                frame["detached"] = true.into();
            }
        }
        self.employ(sim, frame);
    }

    fn employ(&mut self, sim: &mut Sim, take: Value) {
        self.job_count += 1;
        let number = self.job_count;
        self.jobs.push(Job::new(number, take));
        self.send_take(sim, number);
    }

    fn send_take(&mut self, sim: &mut Sim, number: u64) {
        let is_by_link = self.is_live() && !sim.random.chance(200);
        let link = self.link.clone().filter(|_| is_by_link);
        let Some(job) = self.jobs.iter_mut().find(|job| job.number == number) else {
            return;
        };
        job.asked_at = Some(sim.time);
        job.taken_on.clone_from(&link);
        let frame = job.take.clone().unwrap_or_default();
        self.hand_in(sim, frame, Asked::Turn(number, Deed::Take), is_by_link);
    }

    fn hand_in(&mut self, sim: &mut Sim, frame: Value, about: Asked, is_by_link: bool) {
        match self.link.clone().filter(|_| is_by_link) {
            Some(id) => {
                let frame = self.ask(sim.time, frame, about);
                sim.send(&id, &[frame]);
            }
            None => self.request(sim, frame, about),
        }
    }

    /// A frame that drives a turn: over the connection that took it, another one or none.
    fn drive(&mut self, sim: &mut Sim, number: u64, deed: Deed, mut frame: Value) {
        let Some(job) = self.jobs.iter().find(|job| job.number == number) else {
            return;
        };
        // Appends without a number must not overtake each other.
        let is_loose = matches!(deed, Deed::Append(draft, _) if !job.drafts[draft].is_numbered);
        let is_by_link = self.is_live() && (is_loose || !sim.random.chance(150));
        if is_loose && !is_by_link {
            return;
        }
        let is_here = is_by_link && job.taken_on == self.link;
        if sim.random.chance(if is_here { 300 } else { 950 }) {
            frame["attempt"] = job.attempt.into();
        }
        if frame["type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("turn."))
        {
            frame["turn"] = job.turn.clone().into();
        }
        self.hand_in(sim, frame, Asked::Turn(number, deed), is_by_link);
    }

    fn work(&mut self, sim: &mut Sim) {
        if self.jobs.is_empty() {
            return;
        }
        let index = sim.random.between(0, self.jobs.len() as u64) as usize;
        let job = &mut self.jobs[index];
        let number = job.number;
        let Some(turn) = job.turn.clone() else {
            if job.asked_at.is_none_or(|at| at + PATIENCE_MS < sim.time) {
                self.send_take(sim, number);
            }
            return;
        };
        let known = self.reader.turns.get(&turn);
        let is_suspended = known.is_some_and(|turn| turn["status"] == "suspended");
        let is_cancelled = known.is_some_and(|turn| !turn["cancel"].is_null());
        let deed = Deed::Drive;
        match sim.random.between(0, 1_000) {
            0..600 => {
                if let Some((deed, frame)) = job.say(&mut sim.random) {
                    self.drive(sim, number, deed, frame);
                }
            }
            600..660 => self.drive(sim, number, deed, json!({ "type": "turn.heartbeat" })),
            660..700 => {
                let frame = json!({ "type": "turn.usage", "usage": { "tokens": 1 } });
                self.drive(sim, number, deed, frame);
            }
            700..720 => self.drive(sim, number, deed, json!({ "type": "turn.suspend" })),
            720..780 if is_suspended => {
                self.drive(sim, number, deed, json!({ "type": "turn.resume" }));
            }
            780..900 => self.take_instruction(sim, number, &turn),
            900..920 => self.change(sim, number, json!({ "type": "update", "headers": {} })),
            920..925 => self.change(sim, number, json!({ "type": "delete" })),
            925..945 => self.end(sim, number, is_cancelled),
            945..1_000 if is_cancelled => self.end(sim, number, is_cancelled),
            _ => {}
        }
    }

    fn end(&mut self, sim: &mut Sim, number: u64, is_cancelled: bool) {
        let ways: &[&str] = match is_cancelled {
            true => &["complete", "failed", "cancelled"],
            false => &["complete", "failed"],
        };
        let mut frame = json!({ "type": "turn.end", "status": sim.random.pick(ways) });
        if sim.random.chance(500) {
            frame["id"] = format!("end-{}-{number}", self.index).into();
        }
        self.drive(sim, number, Deed::End, frame);
    }

    fn take_instruction(&mut self, sim: &mut Sim, number: u64, turn: &str) {
        let fits = |(known, _): &&(String, String)| known == turn;
        let serials = self.steers.iter().filter(fits).map(|(_, serial)| serial);
        let serials: Vec<String> = serials.cloned().collect();
        if !serials.is_empty() {
            let frame = json!({ "type": "turn.steered", "serial": sim.random.pick(&serials) });
            self.drive(sim, number, Deed::Drive, frame);
        }
    }

    /// Changes one of its messages otherwise than by more text.
    fn change(&mut self, sim: &mut Sim, number: u64, mut frame: Value) {
        let job = self.jobs.iter().find(|job| job.number == number);
        let serials = job.iter().flat_map(|job| &job.drafts);
        let serials: Vec<String> = serials.filter_map(|draft| draft.serial.clone()).collect();
        if serials.is_empty() {
            return;
        }
        if frame["type"] == "update" {
            frame["headers"] = json!({ "at": sim.time.to_string() });
        }
        frame["serial"] = sim.random.pick(&serials).clone().into();
        self.drive(sim, number, Deed::Drive, frame);
    }
}

/// The session's answers.
impl Client {
    pub fn turn_answered(
        &mut self,
        sim: &mut Sim,
        number: u64,
        deed: &Deed,
        code: Option<&str>,
        frame: &Value,
    ) {
        let Some(index) = self.jobs.iter().position(|job| job.number == number) else {
            return;
        };
        match (code, deed) {
            (None, Deed::Take) => self.took(sim, index, &frame["result"]),
            (None, Deed::End) | (Some(_), Deed::Take) => {
                self.jobs.remove(index);
            }
            (None, _) => self.jobs[index].done(sim, deed, &frame["result"]),
            (Some("not-leader" | "turn-closed" | "not-found"), _) => {
                let job = &mut self.jobs[index];
                job.refusals += 1;
                if sim.is_calm || 5 < job.refusals || sim.random.chance(300) {
                    self.jobs.remove(index);
                }
            }
            (Some("gap"), Deed::Append(draft, _) | Deed::Update(draft, _)) => {
                gap(sim, &mut self.jobs[index].drafts[*draft], &frame["error"]);
            }
            (Some("closed" | "deleted"), Deed::Append(draft, _) | Deed::Update(draft, _)) => {
                self.jobs[index].drafts[*draft].dead = code.map(str::to_owned);
            }
            (Some("deleted"), Deed::Drive) => {}
            (Some(_), _) => panic!("why: {frame}"),
        }
    }

    fn took(&mut self, sim: &mut Sim, index: usize, result: &Value) {
        let turn = &result["turn"];
        let (id, attempt) = (id_of(turn), turn["attempt"].as_u64().unwrap());
        let job = &mut self.jobs[index];
        if job.turn.is_some() {
            return;
        }
        let take = job.take.clone().unwrap_or_default();
        let is_duplicate = result["duplicate"] == true;
        let is_sole = id.starts_with("own-") && take["id"] == id.as_str() && attempt == 1;
        if !is_open(turn) || (is_duplicate && !is_sole) {
            // Another process leads it, or did.
            self.jobs.remove(index);
            return;
        }
        if is_duplicate {
            job.taken_on = None;
        }
        job.begin(&mut sim.random, self.index, &id, attempt);
        let log = sim.host.log();
        for left in log.streaming().unwrap() {
            if left.head.turn.as_deref() == Some(&id) && sim.random.chance(700) {
                let epoch = log.beginning().unwrap().unwrap().epoch;
                let serial = epoch.at(left.head.place).to_string();
                job.go_on(&mut sim.random, self.index, &serial);
            }
        }
    }

    /// Frames to everybody, as far as leaders and users react to them.
    pub fn learn(&mut self, frame: &Value) {
        let message = &frame["message"];
        let is_question = message["role"] == "user" && message["turn"].is_null();
        match frame["type"].as_str() {
            Some("message.create") if is_question => {
                self.inputs
                    .push(message["serial"].as_str().unwrap().to_owned());
                if 20 < self.inputs.len() {
                    self.inputs.remove(0);
                }
            }
            Some("turn.steer") => {
                let serial = message.as_str().unwrap().to_owned();
                self.steers.push((id_of(&frame["turn"]), serial));
            }
            _ => {}
        }
    }
}

impl Job {
    fn done(&mut self, sim: &Sim, deed: &Deed, result: &Value) {
        match *deed {
            Deed::Publish(index) => {
                let draft = &mut self.drafts[index];
                draft.is_asked = false;
                let serial = result["messages"][0]["serial"].as_str().unwrap();
                draft.serial = Some(serial.to_owned());
                if !is_own(sim, serial, &draft.chunks[0]) {
                    draft.dead = Some("an attempt before had said it".to_owned());
                }
                draft.sent = draft.sent.max(1);
                draft.taken(1);
                draft.acked = draft.acked.max(1);
            }
            Deed::Append(index, chunks) | Deed::Update(index, chunks) => {
                self.drafts[index].taken(chunks);
            }
            Deed::Take | Deed::End | Deed::Drive => {}
        }
    }
}

/// Whether the message that an id stands for is what was meant to be said.
fn is_own(sim: &Sim, serial: &str, first: &str) -> bool {
    let log = sim.host.log();
    let serial = sessile::protocol::serial::Serial::parse(serial).unwrap();
    let message = log.message(serial.epoch, serial.place).unwrap();
    let data = message.and_then(|message| message.data);
    data.is_some_and(|data| {
        let data = serde_json::to_value(data).unwrap();
        data.as_str().is_some_and(|text| text.starts_with(first))
    })
}

pub fn id_of(turn: &Value) -> String {
    turn["id"].as_str().unwrap_or_default().to_owned()
}

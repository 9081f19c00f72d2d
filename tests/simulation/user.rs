//! The user: gives agents inputs, and sometimes cancels, steers or interrupts.

use serde_json::{Value, json};

use crate::client::{Asked, Client};
use crate::leader::id_of;
use crate::reader::is_open;
use crate::sim::Sim;

impl Client {
    /// One moment of a user.
    pub fn use_it(&mut self, sim: &mut Sim) {
        if self.index.is_multiple_of(2) && sim.random.chance(60) {
            self.ping(sim);
        }
        if sim.is_calm || !sim.random.chance(200) {
            return;
        }
        let frame = match sim.random.between(0, 1_000) {
            0..300 => self.question(sim),
            300..480 => self.interruption(sim),
            480..640 => self.cancellation(sim),
            640..850 => self.instruction(sim),
            850..930 => return self.show_up(sim),
            _ if self.said.is_empty() => None,
            _ => Some(sim.random.pick(&self.said).clone()),
        };
        let Some(frame) = frame else { return };
        if frame["id"].is_string() || frame["messages"].is_array() {
            self.said.push(frame.clone());
        }
        self.tell(sim, frame);
    }

    /// Enters, changes or leaves.
    pub fn show_up(&mut self, sim: &mut Sim) {
        let frame = if sim.random.chance(700) {
            json!({ "type": "presence.set", "data": { "at": sim.time } })
        } else {
            json!({ "type": "presence.leave" })
        };
        if let Some(id) = self.link.clone().filter(|_| self.is_live()) {
            let frame = self.ask(sim.time, frame, Asked::Other);
            sim.send(&id, &[frame]);
        }
    }

    fn tell(&mut self, sim: &mut Sim, frame: Value) {
        match self.link.clone().filter(|_| self.is_live()) {
            Some(id) if !sim.random.chance(200) => {
                let frame = self.ask(sim.time, frame, Asked::Other);
                sim.send(&id, &[frame]);
            }
            _ => self.request(sim, frame, Asked::Other),
        }
    }

    fn next_id(&mut self, what: &str) -> String {
        self.changes += 1;
        format!("{what}-{}-{}", self.index, self.changes)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the others")]
    fn question(&mut self, sim: &Sim) -> Option<Value> {
        let id = self.next_id("question");
        let data = format!("what at {}?", sim.time);
        let message = json!({ "id": id, "name": "question", "data": data });
        Some(json!({ "type": "publish", "messages": [message] }))
    }

    fn interruption(&mut self, sim: &mut Sim) -> Option<Value> {
        let mut frame = self.question(sim)?;
        frame["interrupt"] = match self.any_turn(sim) {
            Some(turn) if sim.random.chance(300) => turn.into(),
            _ => true.into(),
        };
        Some(frame)
    }

    fn cancellation(&mut self, sim: &mut Sim) -> Option<Value> {
        let id = self.next_id("cancel");
        let turn = self.any_turn(sim);
        Some(match sim.random.between(0, 10) {
            0..6 => json!({ "type": "cancel", "id": id, "turn": turn? }),
            6..9 if self.inputs.is_empty() => return None,
            6..9 => {
                let input = sim.random.pick(&self.inputs);
                json!({ "type": "cancel", "id": id, "input": input, "reason": "never mind" })
            }
            _ => json!({ "type": "cancel", "id": id, "all": true }),
        })
    }

    fn instruction(&mut self, sim: &mut Sim) -> Option<Value> {
        let (id, turn) = (self.next_id("steer"), self.any_turn(sim)?);
        let data = format!("{id}: faster");
        Some(json!({ "type": "steer", "id": id, "turn": turn, "data": data }))
    }

    /// A turn that it knows of, more likely one that is open.
    fn any_turn(&self, sim: &mut Sim) -> Option<String> {
        let is_any = sim.random.chance(200);
        let turns = self.reader.turns.values();
        let turns: Vec<String> = turns
            .filter(|turn| is_any || is_open(turn))
            .map(id_of)
            .collect();
        (!turns.is_empty()).then(|| sim.random.pick(&turns).clone())
    }
}

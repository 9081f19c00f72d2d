//! Clients that write messages outside turns, and one that changes what others wrote.

use serde_json::{Value, json};

use crate::client::{Asked, Client, Kind};
use crate::draft::Draft;
use crate::sim::Sim;

impl Client {
    /// The next frames that a writer sends.
    fn next_frames(&mut self, sim: &mut Sim) -> Vec<Value> {
        let mut list = Vec::new();
        for _ in 0..sim.random.between(1, 5) {
            let open: Vec<usize> = (0..self.drafts.len())
                .filter(|index| !self.drafts[*index].is_done())
                .collect();
            if open.is_empty() {
                break;
            }
            let index = match self.body {
                Some(index) => index,
                None => *sim.random.pick(&open),
            };
            let draft = &mut self.drafts[index];
            if draft.serial.is_none() {
                if !draft.is_asked {
                    draft.is_asked = true;
                    let frame = draft.publish();
                    list.push(self.ask(sim.time, frame, Asked::Publish(index)));
                }
            } else if draft.may_update() && sim.random.chance(30) {
                let (sent, serial) = (draft.sent, draft.serial.clone());
                let frame = json!({ "type": "update", "serial": serial, "seq": sent - 1,
                    "data": draft.text(sent) });
                list.push(self.ask(sim.time, frame, Asked::Update(index, sent)));
            } else if let Some((chunks, mut frame)) = draft.append() {
                if self.kind == Kind::Agent && draft.is_numbered {
                    frame["chain"] = (1_000 * (index as u64 + 1) + draft.gaps).into();
                }
                list.push(self.ask(sim.time, frame, Asked::Append(index, chunks)));
            }
        }
        list
    }

    pub fn write(&mut self, sim: &mut Sim) {
        let Some(id) = self.link.clone() else { return };
        if self.body.is_some_and(|index| self.drafts[index].is_done()) {
            return self.let_go(sim);
        }
        let list = self.next_frames(sim);
        if !list.is_empty() && sim.random.chance(500) {
            sim.send(&id, &list);
        } else {
            list.iter()
                .for_each(|frame| sim.send(&id, std::slice::from_ref(frame)));
        }
    }

    pub fn post(&mut self, sim: &mut Sim) {
        if !self.pending.is_empty() || self.is_done() {
            return;
        }
        let list = self.next_frames(sim);
        if !list.is_empty() {
            self.changes += 1;
            sim.post(self.index, self.changes, &list);
        }
    }

    pub fn edit(&mut self, sim: &mut Sim) {
        let Some(id) = self.link.clone() else { return };
        if sim.is_calm || !sim.random.chance(100) {
            return;
        }
        let known: Vec<(String, String)> = self
            .reader
            .held
            .iter()
            .map(|(serial, held)| (serial.clone(), held.version.clone()))
            .collect();
        if known.is_empty() {
            return;
        }
        let (serial, version) = sim.random.pick(&known).clone();
        self.changes += 1;
        let id_text = format!("{}-{}", self.name, self.changes);
        let mut frame = match sim.random.between(0, 10) {
            0..=2 => json!({ "type": "update", "data": format!("edited {}", self.changes) }),
            3 => json!({ "type": "update", "headers": { "n": id_text } }),
            4..=5 => json!({ "type": "delete" }),
            6 => json!({ "type": "signal", "name": "look" }),
            _ => json!({ "type": "append", "data": "[sic]" }),
        };
        frame["serial"] = serial.clone().into();
        if sim.random.chance(300) {
            frame["ifVersion"] = version.into();
        }
        if sim.random.chance(500) {
            frame["id"] = id_text.into();
        }
        sim.touched.insert(serial);
        let frame = self.ask(sim.time, frame, Asked::Other);
        sim.send(&id, &[frame]);
    }
}

/// P5.3: the message tells where it stands, and the writer goes on from there.
pub fn gap(sim: &Sim, draft: &mut Draft, error: &Value) {
    let taken = usize::try_from(error["expectedSeq"].as_u64().unwrap()).unwrap();
    let is_own = draft
        .serial
        .as_ref()
        .is_some_and(|serial| !sim.touched.contains(serial));
    if is_own {
        let units = draft.text(taken).encode_utf16().count();
        assert_eq!(
            error["length"], units,
            "the length after {taken} chunks: {error}"
        );
    }
    draft.sent = taken;
    draft.gaps += 1;
    draft.taken(taken);
}

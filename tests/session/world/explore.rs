//! Invariants after any script.

use serde_json::Value;

use super::World;
use crate::reader::{Held, is_open};

impl World {
    /// Runs a script and says what is not as it must be: then, and when all leases are over.
    pub fn explore(&mut self, script: &str) -> Vec<String> {
        self.run(script);
        let mut wrong = self.looked_at();
        self.line("wait 100000");
        wrong.extend(self.looked_at());
        let turns = self.asked("turns");
        wrong.extend(
            turns
                .iter()
                .filter(|turn| turn["status"] == "active")
                .map(|turn| format!("nobody leads {turn}")),
        );
        for (name, actor) in &self.actors {
            let violations = actor.reader.violations.iter();
            wrong.extend(violations.map(|line| format!("{name}: {line}")));
        }
        wrong
    }

    fn asked(&mut self, what: &str) -> Vec<Value> {
        self.line(&format!("supervisor-who-checks get {what} all limit=1000"));
        self.answer[what].as_array().cloned().unwrap_or_default()
    }

    fn looked_at(&mut self) -> Vec<String> {
        self.compare();
        let (messages, turns) = (self.asked("messages"), self.asked("turns"));
        let mut wrong = Vec::new();
        for message in messages
            .iter()
            .filter(|message| message["deletedAt"].is_null())
        {
            let turn = turns.iter().find(|turn| turn["id"] == message["turn"]);
            let is_left =
                message["status"] == "streaming" || message["headers"]["steer"] == "waiting";
            // P6.3, P6.7: a turn that is over leaves nothing behind.
            if is_left && message["turn"].is_string() && !turn.is_some_and(is_open) {
                wrong.push(format!("left by {turn:?}: {message}"));
            }
            let serial = message["serial"].as_str().unwrap_or_default();
            let stored = Held::of(message);
            for name in self.readers() {
                let reader = &self.actors[&name].reader;
                let held = reader.held.get(serial).filter(|_| !reader.is_writer);
                if held.is_some_and(|held| *held != stored) {
                    wrong.push(format!("{name} holds {held:?} of {message}"));
                }
            }
        }
        wrong
    }
}

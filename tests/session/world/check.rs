//! Whether what the readers make of their frames is what the session says it is.

use serde_json::{Value, json};
use sessile::session::Carrier;

use super::World;

/// A turn but for its lease, which is renewed without a word (P6.8).
fn without_lease(turn: &Value) -> Value {
    let mut turn = turn.clone();
    if let Some(fields) = turn.as_object_mut() {
        fields.remove("leaseUntil");
    }
    turn
}

impl World {
    /// Compares the turns, usage, grants, state and members that every reader knows of with those
    /// of the session.
    pub(super) fn compare(&mut self) {
        let readers = self.readers();
        if readers.is_empty() {
            return;
        }
        self.line("supervisor-who-checks brief turns all limit=1000");
        let turns = self.answer["turns"].clone();
        for name in self.readers() {
            self.compare_turns(&name, &turns);
        }
        self.line("supervisor-who-checks brief snapshot rewind=0");
        let (usage, over) = (
            self.answer["usage"].clone(),
            self.answer["overBudget"].clone(),
        );
        for name in self.readers() {
            let reader = &mut self.actors.get_mut(&name).unwrap().reader;
            let known = (json!(reader.usage), &reader.over_budget);
            let is_none = usage.is_null() && reader.usage.is_empty();
            if (known.0 != usage && !is_none) || *known.1 != over {
                let line = format!("knows {known:?} of {usage}, {over}");
                reader.violations.push(line);
            }
        }
        let grants = self.answer["grants"].as_array().cloned();
        for name in self.readers() {
            let reader = &mut self.actors.get_mut(&name).unwrap().reader;
            let known: Vec<&Value> = reader.grants.values().collect();
            let mut grants = grants.clone().unwrap_or_default();
            grants.sort_by_key(|grant| grant["approval"].to_string());
            if !grants.iter().eq(known) {
                let line = format!("knows {:?} of {grants:?}", reader.grants);
                reader.violations.push(line);
            }
        }
        self.line("supervisor-who-checks get state");
        let state = self.answer["value"].clone();
        for name in self.readers() {
            let reader = &mut self.actors.get_mut(&name).unwrap().reader;
            let is_none = reader.state.is_null() && state == json!({});
            if reader.state != state && !is_none {
                let line = format!("knows the state {} of {state}", reader.state);
                reader.violations.push(line);
            }
        }
        // A change found now is announced a little later (P7.3).
        for _ in 0..2 {
            self.line("supervisor-who-checks brief presence");
            self.wait(1000);
        }
        self.line("supervisor-who-checks brief presence");
        let presence = self.answer.clone();
        for name in self.readers() {
            self.compare_members(&name, &presence);
        }
    }

    /// Those who are sent everything that there is to know.
    pub(super) fn readers(&self) -> Vec<String> {
        let attached = self.actors.iter().filter(|(_, actor)| {
            let id = actor.connection.as_ref();
            let kept = id.and_then(|id| self.host.attachments.get(id));
            let is_reader = kept.is_some_and(|kept| {
                matches!(kept.carrier, Carrier::Socket | Carrier::Events)
                    && self.now < kept.expires_at
            });
            is_reader && actor.reader.is_caught_up()
        });
        attached.map(|(name, _)| name.clone()).collect()
    }

    fn compare_turns(&mut self, name: &str, turns: &Value) {
        let turns = turns.as_array().cloned().unwrap_or_default();
        let reader = &mut self.actors.get_mut(name).unwrap().reader;
        for turn in &turns {
            let id = turn["id"].as_str().unwrap_or_default();
            let known = reader.turns.get(id).map(without_lease);
            let is_open = crate::reader::is_open(turn);
            if known.is_none() && (!is_open || reader.is_behind) {
                continue; // It was over before the reader came, or not listed.
            }
            if known.as_ref() != Some(&without_lease(turn)) {
                let line = format!("knows {known:?} of {turn}");
                reader.violations.push(line);
            }
        }
    }

    fn compare_members(&mut self, name: &str, presence: &Value) {
        let reader = &mut self.actors.get_mut(name).unwrap().reader;
        let members = presence["presence"].as_array().cloned().unwrap_or_default();
        let listed = members.len() as i64;
        let count = presence["presenceCount"].as_i64().unwrap_or(listed);
        if reader.count != count {
            let line = format!("counts {}, there are {count}", reader.count);
            reader.violations.push(line);
        }
        if reader.is_crowded {
            return;
        }
        let mut known: Vec<Value> = reader.members.values().cloned().collect();
        known.sort_by_key(|member| member["connection"].to_string());
        let mut members = members;
        members.sort_by_key(|member| member["connection"].to_string());
        if known != members {
            let line = format!("knows {known:?} of {members:?}");
            reader.violations.push(line);
        }
    }
}

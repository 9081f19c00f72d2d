//! Inputs that are work in an agent's inbox (P15.3): they come, are taken by whoever is first, get
//! lost, are cancelled, and move to another agent.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sessile::session::Request;
use sessile::store::DeliveryKind;

use super::World;

/// The agents that take their work from an inbox.
const AGENTS: [&str; 2] = ["bot", "kit"];

impl World {
    pub(super) fn work(&mut self, session: usize) {
        let person = *self.random.pick(&["ann", "bob", "sue"]);
        let input = json!({ "data": "?", "wake": true });
        match self.random.between(0, 100) {
            0..40 => {
                let publish = json!({ "type": "publish", "messages": [input] });
                self.frame(session, person, publish);
            }
            40..75 => self.take_work(),
            75..88 => self.set_agent(session),
            _ => self.cancel_input(session, person),
        }
    }

    fn set_agent(&mut self, session: usize) {
        let agent = match self.random.between(0, 5) {
            0 => Value::Null,
            it => json!({ "inbox": AGENTS[it as usize % 2] }),
        };
        let on_input = *self.random.pick(&["parallel", "queue", "queue", "steer"]);
        let settings = json!({ "agent": agent, "onInput": on_input });
        self.request(session, "admin", Request::Settings(settings));
    }

    /// A process of an agent takes what its inbox shows, however old that is.
    fn take_work(&mut self) {
        let agent = *self.random.pick(&AGENTS);
        let name = format!("client:{agent}");
        let inbox = self.inboxes.iter_mut().find(|it| it.name == name);
        let shown = inbox.unwrap().shown();
        let work = shown["work"].as_array().unwrap();
        if work.is_empty() {
            return;
        }
        let item = self.random.pick(work).clone();
        let mut start = json!({ "type": "turn.start", "leaseMs": 1_000 });
        for (field, from) in [("id", "turn"), ("input", "input")] {
            if !item[from].is_null() {
                start[field] = item[from].clone();
            }
        }
        let session = self.named(&item["session"]);
        self.frame(session, agent, start);
    }

    fn cancel_input(&mut self, session: usize, person: &str) {
        let snapshot = self.snapshot_unless_dead(session);
        let messages = snapshot["messages"].as_array().cloned().unwrap_or_default();
        let Some(message) = messages.last() else {
            return;
        };
        let cancel = json!({ "type": "cancel", "input": message["serial"] });
        self.frame(session, person, cancel);
    }

    fn named(&self, id: &Value) -> usize {
        let mut sessions = self.sessions.iter();
        sessions.position(|host| *id == host.id.as_str()).unwrap()
    }

    fn snapshot_unless_dead(&mut self, session: usize) -> Value {
        match self.sessions[session].is_awake() {
            true => self.snapshot(session),
            false => Value::Null,
        }
    }

    /// At rest an agent's inbox lists exactly what its sessions owe it.
    pub(super) fn judge_work(&mut self, said: &[Value]) -> usize {
        let mut count = 0;
        for agent in AGENTS {
            let mut wanted = BTreeSet::new();
            for (session, said) in said.iter().enumerate() {
                let inbox = &said["settings"]["agent"]["inbox"];
                if *inbox == agent && said["lead"].is_null() {
                    wanted.extend(self.owed(session, said));
                }
            }
            let name = format!("client:{agent}");
            let inbox = self.inboxes.iter_mut().find(|it| it.name == name);
            let shown = inbox.unwrap().shown();
            let work = shown["work"].as_array().unwrap();
            let ages: Vec<_> = work.iter().map(|it| it["at"].as_i64()).collect();
            assert!(ages.is_sorted(), "the oldest is first: {work:?}");
            let shown = work.iter().map(|it| {
                let of = |field: &str| it[field].to_string();
                [of("session"), of("input"), of("turn"), of("attempt")]
            });
            assert_eq!(shown.collect::<BTreeSet<_>>(), wanted, "{name}");
            count += wanted.len();
        }
        count
    }

    /// The inputs that a session owes its agent now, by its rows.
    fn owed(&self, session: usize, said: &Value) -> Vec<[String; 4]> {
        let deliveries = self.sessions[session].log().deliveries().unwrap();
        let wakes = deliveries.iter().filter(|it| it.kind == DeliveryKind::Wake);
        let places = wakes.filter(|it| it.dead_at.is_none());
        let places = places.filter_map(|it| it.subject);
        let turns = self.sessions[session].log().open_turns().unwrap();
        let serial = said["serial"].as_str().unwrap();
        let shown = |place: Option<u64>| match place {
            Some(place) => format!("\"{}{place:08x}\"", &serial[..4]),
            None => "null".to_owned(),
        };
        let mut owed: Vec<(u64, [String; 4])> = places
            .map(|place| {
                let turn = turns.iter().map(|it| &it.turn);
                let turn = turn.clone().find(|turn| turn.place == place);
                let input = turn.map_or(Some(place), |turn| turn.input);
                let id = turn.map_or(json!(null), |turn| json!(turn.id));
                let attempt = turn.map_or(json!(null), |turn| json!(turn.attempt));
                let session = said["session"].to_string();
                let item = [session, shown(input), id.to_string(), attempt.to_string()];
                (input.unwrap_or(place), item)
            })
            .collect();
        owed.sort();
        if said["settings"]["onInput"] == "queue" {
            owed.truncate(1);
        }
        owed.into_iter().map(|(_, item)| item).collect()
    }
}

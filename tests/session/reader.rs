//! A reader as strict as it may be: it takes no frame twice and puts up with no gap.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A message as a reader holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub version: String,
    pub data: Value,
    pub status: Option<String>,
    pub headers: Value,
    pub annotations: Value,
    pub is_deleted: bool,
}

impl Held {
    /// A message as a whole frame, or history, has it.
    pub fn of(message: &Value) -> Self {
        Self {
            version: text(message, "version"),
            data: message["data"].clone(),
            status: message["status"].as_str().map(str::to_owned),
            headers: message["headers"].clone(),
            annotations: message["annotations"].clone(),
            is_deleted: !message["deletedAt"].is_null(),
        }
    }

    fn units(&self) -> u64 {
        self.data
            .as_str()
            .map_or(0, |text| text.encode_utf16().count() as u64)
    }
}

/// One reader's state, folded from its frames.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    pub held: BTreeMap<String, Held>,
    /// P3.7: everything up to here has been processed.
    pub position: Option<String>,
    /// Whether it appends itself, so that it is not sent all there is (P3.7).
    pub is_writer: bool,
    /// Whether it follows some names only.
    pub is_partial: bool,
    pub is_replaying: bool,
    /// The log's end when it began anew.
    pub began_at: String,
    /// The turns that it knows of, by id (P6.10).
    pub turns: BTreeMap<String, Value>,
    /// Whether the list of open turns was left out (P3.4).
    pub is_behind: bool,
    /// The grants that it knows of, by their approvals (P8.6).
    pub grants: BTreeMap<String, Value>,
    /// How many connections the session had when it attached (P3.4).
    pub connections: u64,
    /// The members, by connection (P7.3).
    pub members: BTreeMap<String, Value>,
    /// Whether the list of members was left out (P3.4).
    pub is_crowded: bool,
    /// How many members there are.
    pub count: i64,
    /// The shared state (P9.2).
    pub state: Value,
    /// The session's sums (P6.12).
    pub usage: BTreeMap<String, Value>,
    /// The sum that is beyond the budget.
    pub over_budget: Value,
    /// Its own connection.
    pub connection: String,
    pub violations: Vec<String>,
}

/// P6.1: the table, as whoever follows the frames sees it.
fn is_edge(kind: &str, from: &str, to: &str) -> bool {
    let is_open = matches!(from, "queued" | "active" | "suspended");
    match kind {
        "turn.start" => matches!(from, "" | "queued") && to == "active",
        // P8.8, P6.12: a queued turn is told again when it may be taken again.
        "turn.queue" => (is_open || from.is_empty()) && to == "queued",
        "turn.suspend" => from == "active" && to == "suspended",
        "turn.resume" => from == "suspended" && to == "active",
        "turn.adopt" => match from {
            "queued" => to == "active",
            _ => is_open && from == to,
        },
        "turn.cancel" | "turn.steer" | "turn.usage" => is_open && from == to,
        // One that was cancelled before it began is only told of when it ends (P6.5).
        "turn.end" => {
            (is_open && matches!(to, "complete" | "cancelled" | "failed"))
                || (from.is_empty() && to == "cancelled")
        }
        _ => false,
    }
}

fn grants(list: &Value) -> BTreeMap<String, Value> {
    let list = list.as_array().into_iter().flatten();
    list.map(|grant| (text(grant, "approval"), grant.clone()))
        .collect()
}

fn amounts(usage: &Value) -> Vec<(String, Value)> {
    let usage = usage.as_object().cloned().unwrap_or_default();
    usage.into_iter().collect()
}

/// Whether a turn is not final.
pub fn is_open(turn: &Value) -> bool {
    matches!(
        turn["status"].as_str(),
        Some("queued" | "active" | "suspended")
    )
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

impl Reader {
    pub fn is_caught_up(&self) -> bool {
        !self.is_replaying && self.position.is_some()
    }

    /// Processes one frame.
    pub fn take(&mut self, frame: &Value) {
        let kind = frame["type"].as_str().unwrap_or_default();
        match kind {
            "attached" => {
                self.connections = frame["connections"].as_u64().unwrap();
                self.is_replaying = true;
                if frame["resumed"] == false {
                    self.held.clear();
                    self.turns.clear();
                    self.state = json!({});
                    self.position = None;
                    self.began_at = text(frame, "serial");
                }
                self.attach(frame);
            }
            "caught-up" => {
                self.is_replaying = false;
                self.position = Some(text(frame, "serial"));
            }
            "message.create" | "message.update" => self.whole(frame, kind),
            "message.append" => self.append(frame),
            "message.summary" => self.summary(frame),
            "message.delete" => self.delete(frame),
            "state.change" => {
                self.change_state(frame);
                self.moves(&text(frame, "serial"), frame);
            }
            "log.trim" => {
                let before = text(frame, "before");
                // P11.2: what streamed when its time came stays.
                let keep = frame["keep"].as_array();
                let is_kept =
                    |serial: &str| keep.is_some_and(|keep| keep.iter().any(|kept| kept == serial));
                self.held
                    .retain(|serial, _| before <= *serial || is_kept(serial));
            }
            "usage" => self.used(frame),
            _ if kind.starts_with("turn.") => self.turn(frame, kind),
            "approval.decide" => self.decided(frame),
            "grant.revoke" => {
                self.grants = grants(&frame["grants"]);
                self.moves(&text(frame, "serial"), frame);
            }
            _ if kind.starts_with("approval.") => self.moves(&text(frame, "serial"), frame),
            "presence.count" => self.count = frame["presenceCount"].as_i64().unwrap(),
            _ if kind.starts_with("presence.") => self.member(frame, kind),
            _ => {}
        }
    }

    /// The lists in `attached` (P3.4).
    fn attach(&mut self, frame: &Value) {
        self.is_behind = frame["turns"].is_null();
        for turn in frame["turns"].as_array().into_iter().flatten() {
            if !is_open(turn) {
                self.violations.push(format!("is not open: {turn}"));
            }
            self.check_turn(turn);
            self.turns.insert(text(turn, "id"), turn.clone());
        }
        self.grants = grants(&frame["grants"]);
        if frame["state"].is_object() {
            self.state = frame["state"]["value"].clone();
        }
        self.usage = amounts(&frame["usage"]).into_iter().collect();
        self.over_budget = frame["overBudget"].clone();
        let members = frame["presence"].as_array();
        self.is_crowded = members.is_none();
        self.connection = text(frame, "connection");
        let listed = members.map_or(0, Vec::len) as i64;
        self.count = frame["presenceCount"].as_i64().unwrap_or(listed);
        let members = members.into_iter().flatten();
        self.members = members
            .map(|member| (text(member, "connection"), member.clone()))
            .collect();
    }

    /// P9.2: results are set to or removed, and all they need is there or made.
    fn change_state(&mut self, frame: &Value) {
        for op in frame["ops"].as_array().into_iter().flatten() {
            let path: Vec<&str> = op["path"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|key| key.as_str().unwrap())
                .collect();
            let is_set = op["op"] == "set";
            let Some((last, parents)) = path.split_last() else {
                self.state = op["value"].clone();
                continue;
            };
            let mut node = &mut self.state;
            for key in parents {
                let map = node.as_object_mut().unwrap();
                node = map.entry(*key).or_insert(json!({}));
            }
            let map = node.as_object_mut().unwrap();
            match is_set {
                true => map.insert((*last).to_owned(), op["value"].clone()),
                false => map.remove(*last),
            };
        }
    }

    /// P6.12: sums only grow.
    fn used(&mut self, frame: &Value) {
        self.over_budget = frame["overBudget"].clone();
        for (name, sum) in amounts(&frame["usage"]) {
            let before = self.usage.insert(name, sum.clone());
            if before.is_some_and(|before| sum.as_f64() < before.as_f64()) {
                self.violations.push(format!("less than before: {frame}"));
            }
        }
    }

    fn turn(&mut self, frame: &Value, kind: &str) {
        let turn = &frame["turn"];
        self.check_turn(turn);
        let known = self.turns.insert(text(turn, "id"), turn.clone());
        if kind == "turn.end" {
            self.grants.retain(|_, grant| grant["turn"] != turn["id"]);
        }
        // P11.2: what retention took frees its id, for another turn.
        let is_same = |known: &Value| known["createdAt"] == turn["createdAt"];
        let known = known.filter(|known| is_open(known) || is_same(known));
        let from = known
            .as_ref()
            .map_or("", |known| known["status"].as_str().unwrap_or_default());
        let to = turn["status"].as_str().unwrap_or_default();
        let is_new = from.is_empty() && self.is_behind;
        if !self.is_replaying && !is_new && !is_edge(kind, from, to) {
            self.violations.push(format!("{from:?} to {to:?}: {frame}"));
        }
        // P6.7: a steer is one entry, told as a message and as what happened to the turn.
        // P8.4: a request suspends its turn, and the last to be settled resumes it, in its entry.
        let is_steer = kind == "turn.steer" && frame["message"] == frame["serial"];
        let is_beside = is_steer || matches!(kind, "turn.suspend" | "turn.resume");
        let is_told = is_beside && self.position.as_deref() == frame["serial"].as_str();
        if !is_told {
            self.moves(&text(frame, "serial"), frame);
        }
    }

    /// P8.6: a decision with a scope is a grant; `attached` has those from before.
    fn decided(&mut self, frame: &Value) {
        let approval = &frame["approval"];
        if approval["scope"].is_string() && !self.is_replaying {
            let mut grant = serde_json::json!({
                "key": approval["grant"],
                "scope": approval["scope"],
                "client": approval["client"],
                "by": approval["decidedBy"],
                "approval": approval["id"],
                "at": approval["history"].as_array().unwrap().last().unwrap()["at"],
            });
            if approval["scope"] == "turn" {
                grant["turn"] = approval["turn"].clone();
            }
            self.grants.insert(text(approval, "id"), grant);
        }
        self.moves(&text(frame, "serial"), frame);
    }

    /// P6.1: what a turn has by its status.
    fn check_turn(&mut self, turn: &Value) {
        let status = turn["status"].as_str().unwrap_or_default();
        let is_led = matches!(status, "active" | "suspended");
        let as_it_is = [
            turn["leaseUntil"].is_i64() == (status == "active"),
            turn["leaseMs"].is_u64() == is_led,
            turn["endedAt"].is_i64() != is_open(turn),
            !is_led || turn["agent"].is_string(),
            status != "queued" || turn["agent"].is_null(),
            !is_led || turn["startedAt"].is_i64(),
            turn["createdAt"].is_i64(),
            turn["attempt"].as_u64().is_some_and(|attempt| 0 < attempt),
        ];
        if as_it_is.contains(&false) {
            self.violations.push(format!("{as_it_is:?}: {turn}"));
        }
    }

    fn member(&mut self, frame: &Value, kind: &str) {
        let member = &frame["member"];
        let connection = text(member, "connection");
        // P7.2: one that is only counted is told that it was silent.
        let is_own = connection == self.connection;
        if kind == "presence.leave" && is_own && !self.members.contains_key(&connection) {
            return;
        }
        self.count += match kind {
            "presence.enter" => 1,
            "presence.leave" => -1,
            _ => 0,
        };
        let is_known = match kind {
            "presence.leave" => self.members.remove(&connection).is_some(),
            _ => self.members.insert(connection, member.clone()).is_some(),
        };
        if is_known == (kind == "presence.enter") && !self.is_crowded {
            self.violations.push(format!("known: {is_known}: {frame}"));
        }
    }

    fn whole(&mut self, frame: &Value, kind: &str) {
        let message = &frame["message"];
        let (serial, version) = (text(message, "serial"), text(message, "version"));
        let known = self.held.get(&serial).map(|held| held.version.clone());
        let is_create = kind == "message.create";
        if is_create && known.is_some() && !self.is_replaying {
            self.violations.push(format!("created twice: {frame}"));
        }
        if is_create && !self.is_replaying && version != serial {
            self.violations
                .push(format!("created later than at its place: {frame}"));
        }
        if !is_create && self.is_too_old(&serial) {
            return self.moves(&version, frame);
        }
        if known.as_ref().is_some_and(|known| version < *known) {
            self.violations
                .push(format!("{version} after {known:?}: {frame}"));
        }
        let mut held = Held::of(message);
        if !is_create && message.get("data").is_none() {
            // P4.4: its data is as it was.
            let before = self.held.get(&serial);
            let before = before.map(|before| before.data.clone());
            held.data = before.unwrap_or_default();
        }
        self.held.insert(serial, held);
        self.moves(&version, frame);
    }

    fn append(&mut self, frame: &Value) {
        let (serial, version) = (text(frame, "serial"), text(frame, "version"));
        let offset = frame["offset"].as_u64().unwrap_or(u64::MAX);
        let is_known = self.held.contains_key(&serial);
        if !is_known {
            if !self.is_too_old(&serial) {
                self.violations
                    .push(format!("append to a message not held: {frame}"));
            }
            return self.moves(&version, frame);
        }
        let (is_writer, is_replaying) = (self.is_writer, self.is_replaying);
        let Some(held) = self.held.get_mut(&serial) else {
            return;
        };
        let length = held.units();
        let is_exact = if is_replaying {
            offset <= length
        } else {
            offset == length
        };
        if !is_exact && !is_writer {
            self.violations.push(format!("holds {length}: {frame}"));
        }
        if version < held.version || (version == held.version && !is_replaying) {
            self.violations
                .push(format!("holds version {}: {frame}", held.version));
        }
        let units: Vec<u16> = held
            .data
            .as_str()
            .unwrap_or_default()
            .encode_utf16()
            .collect();
        let kept = units.get(
            ..usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(units.len()),
        );
        let mut whole = String::from_utf16(kept.unwrap_or_default()).unwrap_or_else(|_| {
            self.violations
                .push(format!("cuts a pair of surrogates: {frame}"));
            String::new()
        });
        whole.push_str(frame["data"].as_str().unwrap_or_default());
        held.data = Value::String(whole);
        held.version = version.clone();
        if let Some(status) = frame["status"].as_str() {
            held.status = Some(status.to_owned());
        }
        if frame["headers"].is_object() {
            held.headers = frame["headers"].clone();
        }
        self.moves(&version, frame);
    }

    /// P9.3: only the sums change, and the version of the message stays.
    fn summary(&mut self, frame: &Value) {
        let (serial, version) = (text(frame, "serial"), text(frame, "version"));
        if let Some(held) = self.held.get_mut(&serial) {
            let sums = &frame["annotations"];
            let is_none = sums.as_object().is_some_and(|sums| sums.is_empty());
            held.annotations = if is_none { Value::Null } else { sums.clone() };
        } else if !self.is_too_old(&serial) {
            self.violations
                .push(format!("sums of a message not held: {frame}"));
        }
        self.moves(&version, frame);
    }

    fn delete(&mut self, frame: &Value) {
        let (serial, version) = (text(frame, "serial"), text(frame, "version"));
        if let Some(held) = self.held.get_mut(&serial) {
            held.data = Value::Null;
            held.annotations = Value::Null;
            held.version = version.clone();
            held.is_deleted = true;
        } else if !self.is_too_old(&serial) {
            self.violations
                .push(format!("deletes a message not held: {frame}"));
        }
        self.moves(&version, frame);
    }

    /// P3.7: frames about a message older than what the reader began with are ignored. One
    /// that it does not hold although it is newer was never sent.
    fn is_too_old(&self, serial: &str) -> bool {
        !self.held.contains_key(serial) && serial <= self.began_at.as_str()
    }

    /// Live frames come in the log's order, and move the position (P3.7).
    fn moves(&mut self, version: &str, frame: &Value) {
        if self.is_replaying {
            return;
        }
        if self
            .position
            .as_deref()
            .is_some_and(|position| version <= position)
        {
            self.violations
                .push(format!("at {:?} already: {frame}", self.position));
        }
        self.position = Some(version.to_owned());
    }
}

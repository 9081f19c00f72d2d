//! Turns and members, in a few words.

use std::fmt::Write;

use serde_json::Value;

use super::Show;

/// Longer lists are only counted.
const MANY: usize = 10;

impl Show {
    /// A turn without its times, which a request for it shows.
    pub fn turn(&mut self, turn: &Value) -> String {
        let word = |key: &str| turn[key].as_str().unwrap_or("?").to_owned();
        let mut line = format!("{} {}", self.sentence(&word("id")), word("status"));
        if let Some(agent) = turn["agent"].as_str() {
            let _ = write!(line, " {agent}");
        }
        if turn["attempt"] != 1 {
            let _ = write!(line, " attempt={}", turn["attempt"]);
        }
        for key in ["input", "parent"] {
            if turn[key].is_string() {
                let _ = write!(line, " {key}={}", self.serial_of(&turn[key]));
            }
        }
        if let Some(within) = turn["within"].as_str() {
            let detached = if turn["detached"] == true { "~" } else { "" };
            let _ = write!(line, " within={detached}{within}");
        }
        if let Some(by) = turn["cancel"]["by"].as_str() {
            let _ = write!(line, " cancel={by}");
            if let Some(reason) = turn["cancel"]["reason"].as_str() {
                let _ = write!(line, " '{reason}'");
            }
        }
        if let Some(reason) = turn["reason"].as_str() {
            let _ = write!(line, " reason={reason}");
        }
        if turn["usage"].is_object() {
            let _ = write!(line, " used={}", self.json(&turn["usage"]));
        }
        if let Some(trace) = turn["traceparent"].as_str() {
            // By the first digit of the trace.
            let _ = write!(line, " trace={}", &trace[3..4]);
        }
        for key in ["error", "metadata"] {
            if !turn[key].is_null() {
                let _ = write!(line, " {key}={}", self.json(&turn[key]));
            }
        }
        line
    }

    pub fn member(&mut self, member: &Value) -> String {
        let word = |key: &str| member[key].as_str().unwrap_or("?").to_owned();
        let mut line = format!("{} {}", word("connection"), word("role"));
        if member["name"].is_string() {
            let _ = write!(line, " {}", word("name"));
        }
        if !member["data"].is_null() {
            let _ = write!(line, " {}", self.data(&member["data"]));
        }
        line
    }

    fn turns(&mut self, list: &Value) -> String {
        let list = list.as_array().into_iter().flatten();
        let turns: Vec<String> = list.map(|turn| self.turn(turn)).collect();
        turns.join("; ")
    }

    /// The lists of `attached`, where there is anything in them.
    pub(super) fn lists(&mut self, frame: &Value) -> String {
        let mut line = String::new();
        match frame["turns"].as_array() {
            None => line += ", turns left out",
            Some(turns) if turns.is_empty() => {}
            Some(turns) if MANY < turns.len() => {
                let _ = write!(line, ", {} turns listed", turns.len());
            }
            Some(_) => {
                let _ = write!(line, ", turns: {}", self.turns(&frame["turns"]));
            }
        }
        if let Some(approvals) = frame["approvals"].as_array() {
            if !approvals.is_empty() {
                let _ = write!(line, ", asked: {}", self.approvals(approvals));
            }
        } else {
            line += ", approvals left out";
        }
        if frame["grants"].is_array() {
            let _ = write!(line, ", granted: {}", self.grants(&frame["grants"]));
        }
        match frame["calls"].as_array() {
            None => line += ", calls left out",
            Some(calls) if calls.is_empty() => {}
            Some(calls) => {
                let _ = write!(line, ", called: {}", self.calls(calls));
            }
        }
        match frame["presence"].as_array() {
            None => line += ", presence left out",
            Some(members) if members.is_empty() => {}
            Some(members) if MANY < members.len() => {
                let _ = write!(line, ", {} members listed", members.len());
            }
            Some(members) => {
                let members: Vec<String> = members.iter().map(|it| self.member(it)).collect();
                let _ = write!(line, ", here: {}", members.join("; "));
            }
        }
        if let Some(marks) = frame["marks"].as_array() {
            let marks = marks.iter().map(|mark| {
                let client = mark["client"].as_str().unwrap_or("?");
                format!("{client} {}", self.serial_of(&mark["serial"]))
            });
            let marks: Vec<String> = marks.collect();
            match MANY < marks.len() {
                true => line += &format!(", {} marks", marks.len()),
                false => line += &format!(", read: {}", marks.join("; ")),
            }
        }
        if frame["state"].is_object() {
            let value = self.json(&frame["state"]["value"]);
            let version = self.serial_of(&frame["state"]["version"]);
            let _ = write!(line, ", state: {value} v{version}");
        }
        if frame["usage"].is_object() {
            let _ = write!(line, ", used: {}", self.json(&frame["usage"]));
        }
        if frame["overBudget"].is_object() {
            let _ = write!(line, ", over: {}", self.json(&frame["overBudget"]));
        }
        if !frame["presenceCount"].is_null() {
            let _ = write!(line, ", {} in all", frame["presenceCount"]);
        }
        line
    }

    pub(super) fn turn_frame(&mut self, frame: &Value) -> String {
        let kind = frame["type"].as_str().unwrap_or_default();
        let serial = self.serial_of(&frame["serial"]);
        let turn = self.turn(&frame["turn"]);
        let mut line = format!("{kind} {serial} {turn}");
        if !frame["message"].is_null() {
            let message = self.serial_of(&frame["message"]);
            let _ = write!(line, " message={message} {}", self.data(&frame["data"]));
        }
        line
    }

    /// The result of a frame about turns or presence.
    pub(super) fn turn_result(&mut self, result: &Value) -> Option<String> {
        let mut line = match result {
            _ if result["member"].is_object() => format!(" {}", self.member(&result["member"])),
            _ if result["turns"].is_array() => format!(" [{}]", self.turns(&result["turns"])),
            _ if result["turn"].is_object() && result["serial"].is_string() => {
                let serial = self.serial_of(&result["serial"]);
                format!(" {serial} in {}", self.turn(&result["turn"]))
            }
            _ if result["approval"].is_object() => {
                format!(" {}", self.approval(&result["approval"]))
            }
            _ if result["call"].is_object() => format!(" {}", self.call(&result["call"])),
            _ if result["turn"].is_object() => format!(" {}", self.turn(&result["turn"])),
            _ => return None,
        };
        if result["duplicate"] == true {
            line += " duplicate";
        }
        Some(line)
    }

    /// A body of HTTP: what it lists, each in a few words.
    pub fn brief(&mut self, body: &Value) -> String {
        let mut parts = Vec::new();
        for key in ["turns", "approvals", "calls", "presence", "messages"] {
            let Some(list) = body[key].as_array() else {
                continue;
            };
            if MANY < list.len() {
                parts.push(format!("{} {key}", list.len()));
                continue;
            }
            let items: Vec<String> = list.iter().map(|item| self.item(key, item)).collect();
            parts.push(format!("{key}: {}", items.join("; ")));
        }
        for key in ["usage", "overBudget", "presenceCount", "hasMore", "next"] {
            if !body[key].is_null() && body[key] != false {
                parts.push(format!("{key}={}", self.json(&body[key]).replace('"', "")));
            }
        }
        parts.join(", ")
    }

    fn item(&mut self, key: &str, item: &Value) -> String {
        match key {
            "turns" => self.turn(item),
            "presence" => self.member(item),
            "approvals" => self.approval(item),
            "calls" => self.call(item),
            _ => self.message(item),
        }
    }
}

//! Approvals, in a few words.

use std::fmt::Write;

use serde_json::Value;

use super::{START, Show};

impl Show {
    /// An approval with its history, each entry with its time.
    pub fn approval(&mut self, approval: &Value) -> String {
        let word = |key: &str| approval[key].as_str().unwrap_or("?").to_owned();
        let mut line = format!("{} {}", self.sentence(&word("id")), word("status"));
        if approval["kind"] != "approval" {
            let _ = write!(line, " {}", word("kind"));
        }
        for key in ["turn", "decidedBy", "option", "comment", "grant", "scope"] {
            if let Some(value) = approval[key].as_str() {
                let _ = write!(line, " {key}={}", self.sentence(value));
            }
        }
        for key in ["answer", "assignees", "onDeadline"] {
            if !approval[key].is_null() {
                let _ = write!(line, " {key}={}", self.json(&approval[key]));
            }
        }
        let history = approval["history"].as_array().into_iter().flatten();
        let history = history.map(|past| {
            let at = past["at"].as_i64().unwrap_or_default() - START;
            let who = past["who"].as_str().map(|who| format!(" {who}"));
            let by = past["approval"].as_str().map(|by| format!(" by {by}"));
            format!(
                "+{at} {}{}{}",
                past["what"].as_str().unwrap_or("?"),
                who.unwrap_or_default(),
                by.unwrap_or_default()
            )
        });
        let history: Vec<String> = history.collect();
        line + " [" + &history.join(", ") + "]"
    }

    /// A grant: its key, who gave it, whom it covers.
    pub fn grant(&mut self, grant: &Value) -> String {
        let word = |key: &str| grant[key].as_str().unwrap_or("?").to_owned();
        let turn = grant["turn"].as_str().map(|turn| format!(" turn={turn}"));
        let words = ["key", "client", "by", "approval"].map(word);
        let [key, client, by, approval] = words;
        format!(
            "{key} of {client} {}{} by {by} in {}",
            word("scope"),
            turn.unwrap_or_default(),
            self.sentence(&approval)
        )
    }

    pub(super) fn grants(&mut self, list: &Value) -> String {
        let list = list.as_array().into_iter().flatten();
        let list: Vec<String> = list.map(|grant| self.grant(grant)).collect();
        format!("[{}]", list.join("; "))
    }

    pub(super) fn approvals(&mut self, list: &[Value]) -> String {
        let list: Vec<String> = list
            .iter()
            .map(|approval| self.approval(approval))
            .collect();
        list.join("; ")
    }
}

//! Calls of tools, in a few words.

use std::fmt::Write;

use serde_json::Value;

use super::{START, Show};

impl Show {
    /// A call with its claim.
    pub fn call(&mut self, call: &Value) -> String {
        let word = |key: &str| call[key].as_str().unwrap_or("?").to_owned();
        let mut line = format!(
            "{} {} {} turn={}",
            self.sentence(&word("id")),
            word("name"),
            word("status"),
            word("turn")
        );
        for key in ["input", "to", "output", "error"] {
            if !call[key].is_null() {
                let _ = write!(line, " {key}={}", self.json(&call[key]));
            }
        }
        let claim = &call["claim"];
        if claim.is_object() {
            let word = |key: &str| claim[key].as_str().map(str::to_owned);
            let by = word("connection").or(word("client")).unwrap_or_default();
            let id = word("id").map(|id| format!(" as {id}")).unwrap_or_default();
            let until = claim["leaseUntil"].as_i64();
            let until = until.map(|at| format!(" until +{}", at - START));
            let _ = write!(line, " [{by}{id}{}]", until.unwrap_or_default());
        }
        line
    }

    pub(super) fn calls(&mut self, list: &[Value]) -> String {
        let list: Vec<String> = list.iter().map(|call| self.call(call)).collect();
        list.join("; ")
    }
}

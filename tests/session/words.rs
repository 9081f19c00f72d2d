//! The words of a script's line: bare words, quoted text, JSON, and `key=` before any of them.

use serde_json::{Map, Value, json};

/// One word.
#[derive(Clone, Debug)]
pub struct Word {
    pub key: Option<String>,
    pub text: String,
    pub is_quoted: bool,
}

/// Cuts a line into its frames: at `;`, outside of quotes and braces.
pub fn frames(line: &str) -> Vec<Vec<Word>> {
    words(line)
        .split(|word| word.is(";"))
        .map(<[Word]>::to_vec)
        .collect()
}

pub fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let mut key = None;
        let name = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(0);
        if 0 < name && rest[name..].starts_with('=') {
            key = Some(rest[..name].to_owned());
            rest = &rest[name + 1..];
        }
        let (text, is_quoted, end) = if let Some(quoted) = rest.strip_prefix('\'') {
            let end = quoted
                .find('\'')
                .unwrap_or_else(|| panic!("no end quote: {line}"));
            (&quoted[..end], true, end + 2)
        } else if rest.starts_with(['{', '[']) {
            let end = json_end(rest);
            (&rest[..end], false, end)
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            let is_end = 1 < end && rest[..end].ends_with(';');
            let end = end - usize::from(is_end);
            (&rest[..end], false, end)
        };
        words.push(Word {
            key,
            text: text.to_owned(),
            is_quoted,
        });
        rest = rest[end..].trim_start();
    }
    words
}

fn json_end(text: &str) -> usize {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values
        .next()
        .unwrap_or_else(|| panic!("no JSON: {text}"))
        .unwrap();
    values.byte_offset()
}

impl Word {
    pub fn is(&self, text: &str) -> bool {
        self.key.is_none() && !self.is_quoted && self.text == text
    }

    /// Quoted text is text, anything else JSON.
    fn value(&self) -> Value {
        if self.is_quoted {
            return json!(self.text);
        }
        serde_json::from_str(&self.text).unwrap_or_else(|_| json!(self.text))
    }
}

/// The value of a key.
pub fn find<'a>(words: &'a [Word], key: &str) -> Option<&'a str> {
    words
        .iter()
        .find(|word| word.key.as_deref() == Some(key))
        .map(|word| word.text.as_str())
}

pub fn has(words: &[Word], flag: &str) -> bool {
    words.iter().any(|word| word.is(flag))
}

/// A frame as JSON; `#3` stands for a serial and is replaced later.
pub fn frame(words: &[Word], reference: u64) -> Value {
    let verb = words[0].text.as_str();
    let rest = &words[1..];
    let mut frame = match verb {
        "publish" => {
            let parts = rest.split(|word| word.is("and"));
            json!({ "messages": parts.map(message).collect::<Vec<_>>() })
        }
        "append" | "update" | "delete" => about(rest),
        "start" => json!({ "type": "turn.start", "id": bare(rest) }),
        "end" | "suspend" | "resume" | "heartbeat" | "adopt" | "usage" => {
            json!({ "type": format!("turn.{verb}"), "turn": bare(rest) })
        }
        "ask" => json!({ "type": "approval.request", "id": bare(rest), "title": "Buy?" }),
        "decide" => {
            let decision = rest.get(1).map(|word| &word.text);
            let (kind, id) = ("approval.decide", &rest[0].text);
            json!({ "type": kind, "approval": id, "decision": decision })
        }
        "revoke" => json!({ "type": "grant.revoke", "key": bare(rest) }),
        "call" => json!({ "type": "tool.call", "id": bare(rest), "name": "where" }),
        "claim" => json!({ "type": "tool.claim", "call": bare(rest) }),
        "settle" => {
            let output = rest
                .get(1)
                .filter(|word| word.key.is_none())
                .map(Word::value);
            json!({ "type": "tool.result", "call": bare(rest), "output": output })
        }
        "take-back" => json!({ "type": "tool.withdraw", "call": bare(rest) }),
        "withdraw" => json!({ "type": "approval.withdraw", "approval": bare(rest) }),
        "steered" => {
            let serial = rest.get(1).map(|word| &word.text);
            json!({ "type": "turn.steered", "turn": rest[0].text, "serial": serial })
        }
        "steer" => json!({ "turn": rest[0].text, "data": rest.get(1).map(Word::value) }),
        "presence" => json!({ "type": "presence.set" }),
        "absent" => json!({ "type": "presence.leave" }),
        "signal" => {
            let data = rest
                .get(1)
                .filter(|word| word.key.is_none())
                .map(Word::value);
            json!({ "name": rest[0].text, "data": data })
        }
        "state" => {
            let ops = rest.split(|word| word.is("then")).filter_map(operation);
            let ops: Vec<Value> = ops.collect();
            json!({ "ops": if ops.is_empty() { Value::Null } else { json!(ops) } })
        }
        "annotate" | "unannotate" => {
            let data = rest
                .get(2)
                .filter(|word| word.key.is_none())
                .map(Word::value);
            json!({ "serial": rest[0].text, "kind": rest[1].text, "data": data })
        }
        "read" => json!({ "serial": rest[0].text }),
        "seen" => json!({ "n": rest[0].value() }),
        _ => json!({}),
    };
    let fields = frame.as_object_mut().unwrap();
    fields.entry("type").or_insert(json!(verb));
    if verb == "publish" {
        // These belong to the frame, not to a message of it.
        for key in OF_PUBLISH {
            let word = rest.iter().find(|word| word.key.as_deref() == Some(key));
            word.map(|word| fields.insert(key.into(), word.value()));
        }
    } else {
        name(fields, rest);
    }
    for flag in FLAGS {
        if verb != "publish" && has(rest, flag) {
            fields.insert(flag.into(), json!(true));
        }
    }
    if !has(rest, "noref") {
        fields.insert(
            "ref".into(),
            find(rest, "ref").map_or(json!(reference), |r| json!(r)),
        );
    }
    fields.retain(|_, value| !value.is_null());
    frame
}

/// `set a.b 5`: one operation on the state.
fn operation(words: &[Word]) -> Option<Value> {
    let op = words.first().filter(|word| word.key.is_none())?;
    let path = words.get(1).filter(|word| word.key.is_none());
    let path = path.map(|word| word.text.split('.').filter(|key| !key.is_empty()));
    let path: Vec<&str> = path.into_iter().flatten().collect();
    let value = words
        .get(2)
        .filter(|word| word.key.is_none())
        .map(Word::value);
    Some(match op.text.as_str() {
        "reset" => json!({ "op": "reset" }),
        "increment" => json!({ "op": "increment", "path": path, "by": value }),
        "set" => json!({ "op": "set", "path": path, "value": value }),
        kind => json!({ "op": kind, "path": path }),
    })
}

const OF_PUBLISH: [&str; 3] = ["attempt", "interrupt", "chain"];
const FLAGS: [&str; 5] = ["again", "keep", "all", "suspend", "detached"];
const STATUSES: [&str; 4] = ["streaming", "complete", "cancelled", "failed"];

fn message(words: &[Word]) -> Value {
    let data = words
        .iter()
        .find(|word| word.key.is_none() && !STATUSES.contains(&&*word.text));
    let mut fields = Map::new();
    fields.insert("data".into(), data.map_or(Value::Null, Word::value));
    if has(words, "wake") {
        fields.insert("wake".into(), json!(true));
    }
    let is_own = |word: &&Word| !OF_PUBLISH.contains(&word.key.as_deref().unwrap_or_default());
    let words: Vec<Word> = words.iter().filter(is_own).cloned().collect();
    name(&mut fields, &words);
    Value::Object(fields)
}

/// `#3 'text' …`: the message first, then its data.
fn about(words: &[Word]) -> Value {
    let is_data =
        |word: &&Word| word.key.is_none() && (word.is_quoted || !STATUSES.contains(&&*word.text));
    let data = words.get(1..).and_then(|words| words.iter().find(is_data));
    let data = data.filter(|word| !word.is("noref")).map(Word::value);
    json!({ "serial": words[0].text, "data": data })
}

/// The first word, if it has no key.
fn bare(words: &[Word]) -> Option<&str> {
    let first = words.first().filter(|word| word.key.is_none());
    let first = first.filter(|word| !STATUSES.contains(&&*word.text) && !word.is("noref"));
    first.map(|word| word.text.as_str())
}

/// Everything given by its key, and the status, which stands alone.
fn name(fields: &mut Map<String, Value>, words: &[Word]) {
    for word in words {
        match word.key.as_deref() {
            Some("ref") => {}
            Some("if") => {
                fields.insert("ifVersion".into(), json!(word.text));
            }
            Some("lease") => {
                fields.insert("leaseMs".into(), word.value());
            }
            Some("its-attempt") => {
                fields.insert("attempt".into(), word.value());
            }
            Some(
                key @ ("seq" | "headers" | "attempt" | "chain" | "wake" | "data" | "metadata"
                | "error" | "assignees" | "deadlineMs" | "escalate" | "onDeadline"
                | "options" | "schema" | "count" | "input" | "to" | "ops" | "usage"),
            ) => {
                fields.insert(key.into(), word.value());
            }
            Some(key) => {
                fields.insert(key.into(), json!(word.text));
            }
            None if !word.is_quoted && STATUSES.contains(&&*word.text) => {
                fields.insert("status".into(), json!(word.text));
            }
            None => {}
        }
    }
}

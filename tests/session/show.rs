//! Frames as a script's output shows them: short, and the same in every run.

mod approvals;
mod calls;
mod turns;

use std::fmt::Write;

use serde_json::Value;

/// When every script begins.
pub const START: i64 = 1_800_000_000_000;

/// Shows serials as `#3`, those of a later life of the session as `b#3`.
#[derive(Default)]
pub struct Show {
    epochs: Vec<String>,
}

impl Show {
    /// The serial that `#3` in a script stands for: one of the latest life that was shown.
    pub fn serial(&self, place: u64) -> String {
        let epoch = self.epochs.last().map_or("zzzz", String::as_str);
        format!("{epoch}{place:08x}")
    }

    /// Puts serials where a script says `#3`.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('#') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            filled.push_str(before);
            match after[..digits].parse() {
                Ok(place) => filled.push_str(&self.serial(place)),
                Err(_) => filled.push('#'),
            }
            rest = &after[digits..];
        }
        filled + rest
    }

    fn place(&mut self, text: &str) -> Option<String> {
        let digits = text.get(4..).filter(|_| text.len() == 12)?;
        let place = u64::from_str_radix(digits, 16).ok()?;
        let epoch = text.get(..4)?;
        epoch.find(|digit: char| !digit.is_ascii_digit())?;
        let life = self
            .epochs
            .iter()
            .position(|known| known == epoch)
            .unwrap_or_else(|| {
                self.epochs.push(epoch.to_owned());
                self.epochs.len() - 1
            });
        let prefix = ["", "b", "c", "d", "e"][life];
        Some(format!("{prefix}#{place}"))
    }

    /// Serials in any JSON or sentence, and times as what has passed since the start.
    pub fn json(&mut self, value: &Value) -> String {
        let mut value = value.clone();
        self.soften(&mut value);
        value.to_string()
    }

    fn soften(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if 1000 < text.len() => *text = shorten(text),
            Value::String(text) => *text = self.sentence(text),
            Value::Array(list) => list.iter_mut().for_each(|item| self.soften(item)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    let is_time = |at: &i64| key.ends_with("At") || START <= *at;
                    match value.as_i64().filter(is_time) {
                        Some(at) => *value = format!("+{}", at - START).into(),
                        None => self.soften(value),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn sentence(&mut self, text: &str) -> String {
        let words = text.split_inclusive([' ', ',', ';']).map(|word| {
            let bare = word.trim_end_matches([' ', ',', ';']);
            // The session names a turn after its place.
            let own = ["turn-", "approval-", "call-"].iter();
            let bare = own.fold(bare, |bare, own| bare.strip_prefix(own).unwrap_or(bare));
            match self.place(bare) {
                Some(place) => word.replacen(bare, &place, 1),
                None => word.to_owned(),
            }
        });
        words.collect()
    }

    fn serial_of(&mut self, value: &Value) -> String {
        value
            .as_str()
            .and_then(|text| self.place(text))
            .unwrap_or_else(|| value.to_string())
    }

    fn data(&mut self, value: &Value) -> String {
        match value.as_str() {
            Some(text) if 60 < text.chars().count() => format!("'{}", shorten(text)),
            Some(text) => format!("'{text}'"),
            None => self.json(value),
        }
    }

    pub fn message(&mut self, message: &Value) -> String {
        let mut line = self.serial_of(&message["serial"]);
        if message["version"] != message["serial"] {
            let _ = write!(line, " v{}", self.serial_of(&message["version"]));
        }
        let _ = write!(line, " {}", message["client"].as_str().unwrap_or("?"));
        let names = [
            ("name", "message"),
            ("role", "user"),
            ("id", ""),
            ("turn", ""),
        ];
        for (key, usual) in names {
            if let Some(value) = message[key].as_str().filter(|value| *value != usual) {
                let _ = write!(line, " {key}={}", self.sentence(value));
            }
        }
        if message["parent"].is_string() {
            let _ = write!(line, " parent={}", self.serial_of(&message["parent"]));
        }
        if !message["data"].is_null() {
            let _ = write!(line, " {}", self.data(&message["data"]));
        }
        if !message["headers"].is_null() {
            let _ = write!(line, " headers={}", message["headers"]);
        }
        if !message["annotations"].is_null() {
            let _ = write!(line, " {}", sums(&message["annotations"]));
        }
        if let Some(status) = message["status"].as_str() {
            let _ = write!(line, " {status}");
        }
        if !message["seq"].is_null() {
            let _ = write!(line, " seq={}", message["seq"]);
        }
        if !message["deletedAt"].is_null() {
            line += " deleted";
        }
        line
    }

    pub fn frame(&mut self, frame: &Value) -> String {
        let serial = self.serial_of(&frame["serial"]);
        let kind = frame["type"].as_str().unwrap_or_default();
        match kind {
            "attached" => {
                let how = if frame["resumed"] == true {
                    "resumed"
                } else {
                    "anew"
                };
                let older = if frame["hasOlder"] == true {
                    ", has older"
                } else {
                    ""
                };
                let reason = frame["reason"].as_str().unwrap_or_default();
                let reason = match self.sentence(reason).as_str() {
                    "" => String::new(),
                    reason => format!(" ({reason})"),
                };
                format!(
                    "attached {serial} {how}{older}{}{reason}",
                    self.lists(frame)
                )
            }
            "caught-up" => format!("caught-up {serial}"),
            "message.create" => format!("create {}", self.message(&frame["message"])),
            "message.update" => format!("update {}", self.message(&frame["message"])),
            "message.append" => {
                let (version, data) =
                    (self.serial_of(&frame["version"]), self.data(&frame["data"]));
                let status = frame["status"].as_str().map(|status| format!(" {status}"));
                let status = status.unwrap_or_default();
                let headers = &frame["headers"];
                let headers = match headers.is_null() {
                    true => String::new(),
                    false => format!(" headers={headers}"),
                };
                format!(
                    "append {serial} v{version} @{} {data}{headers}{status}",
                    frame["offset"]
                )
            }
            "message.delete" => {
                let superseded = if frame["superseded"] == true {
                    " superseded"
                } else {
                    ""
                };
                let version = self.serial_of(&frame["version"]);
                format!("delete {serial} v{version}{superseded}")
            }
            "message.summary" => {
                let version = self.serial_of(&frame["version"]);
                format!(
                    "summary {serial} v{version} {}",
                    sums(&frame["annotations"])
                )
            }
            "log.trim" => {
                let before = self.serial_of(&frame["before"]);
                let keep = frame["keep"].as_array().into_iter().flatten();
                let keep: Vec<String> = keep.map(|kept| self.serial_of(kept)).collect();
                let but = if keep.is_empty() { "" } else { " but " };
                format!("trim before {before}{but}{}", keep.join(" "))
            }
            "signal" => {
                let (client, name) = (&frame["client"], &frame["name"]);
                let (client, name) = (client.as_str().unwrap_or("?"), name.as_str().unwrap_or("?"));
                let data = if frame["data"].is_null() {
                    String::new()
                } else {
                    format!(" {}", self.data(&frame["data"]))
                };
                format!("signal {client} {name}{data}")
            }
            "ack" => format!("ack {}{}", frame["ref"], self.result(&frame["result"])),
            "nack" => format!("nack {} {}", frame["ref"], self.error(&frame["error"])),
            _ if kind.starts_with("turn.") => self.turn_frame(frame),
            _ if kind.starts_with("approval.") => {
                format!("{kind} {serial} {}", self.approval(&frame["approval"]))
            }
            "grant.revoke" => {
                let (key, by) = (&frame["key"], &frame["by"]);
                let (key, by) = (key.as_str().unwrap_or("?"), by.as_str().unwrap_or("?"));
                format!(
                    "{kind} {serial} {key} by {by}, granted: {}",
                    self.grants(&frame["grants"])
                )
            }
            _ if kind.starts_with("tool.") => {
                format!("{kind} {serial} {}", self.call(&frame["call"]))
            }
            "state.change" => {
                let client = frame["client"].as_str().unwrap_or("?");
                format!("{kind} {serial} {client} {}", self.json(&frame["ops"]))
            }
            "read.mark" => {
                let client = frame["client"].as_str().unwrap_or("?");
                format!("{client} has read {serial}")
            }
            "usage" => {
                let (usage, over) = (&frame["usage"], &frame["overBudget"]);
                let mut parts = vec!["usage".to_owned()];
                parts.extend(usage.is_object().then(|| self.json(usage)));
                parts.extend(
                    over.is_object()
                        .then(|| format!("over {}", self.json(over))),
                );
                parts.join(" ")
            }
            "presence.count" => format!("{kind} {}", frame["presenceCount"]),
            _ if kind.starts_with("presence.") => {
                format!("{kind} {}", self.member(&frame["member"]))
            }
            _ => self.json(frame),
        }
    }

    fn result(&mut self, result: &Value) -> String {
        if let Some(line) = self.turn_result(result) {
            return line;
        }
        if let Some(messages) = result["messages"].as_array() {
            let placed = messages.iter().map(|message| self.placed(message));
            return placed.collect::<Vec<_>>().join(",");
        }
        if result["grants"].is_array() {
            let again = if result["duplicate"] == true {
                " duplicate"
            } else {
                ""
            };
            return format!(" granted: {}{again}", self.grants(&result["grants"]));
        }
        if result["serial"].is_string() {
            return self.placed(result);
        }
        format!(" {}", self.json(result))
    }

    fn placed(&mut self, placed: &Value) -> String {
        let mut line = format!(" {}", self.serial_of(&placed["serial"]));
        if placed["version"] != placed["serial"] {
            let _ = write!(line, " v{}", self.serial_of(&placed["version"]));
        }
        for key in ["id", "seq"] {
            if !placed[key].is_null() {
                let _ = write!(line, " {key}={}", placed[key]);
            }
        }
        if placed["duplicate"] == true {
            line += " duplicate";
        }
        line
    }

    pub fn error(&mut self, error: &Value) -> String {
        let message = self.sentence(error["message"].as_str().unwrap_or_default());
        let mut line = format!("{}: {message}", error["code"].as_str().unwrap_or("?"));
        if error["approval"].is_object() {
            let _ = write!(line, " ({})", self.approval(&error["approval"]));
        }
        if error["call"].is_object() {
            let _ = write!(line, " ({})", self.call(&error["call"]));
        }
        if let Some(connection) = error["connection"].as_str() {
            let _ = write!(line, " ({connection})");
        }
        for key in [
            "expectedSeq",
            "length",
            "retryAfterMs",
            "name",
            "limit",
            "used",
        ] {
            if !error[key].is_null() {
                let _ = write!(line, " {key}={}", error[key]);
            }
        }
        line
    }
}

/// The beginning of a long text, and how long it is.
fn shorten(text: &str) -> String {
    let start: String = text.chars().take(12).collect();
    format!("{start}…' ({})", text.encode_utf16().count())
}

/// Sums in a few words: `kind[name=total(client:count)]`.
fn sums(sums: &Value) -> String {
    let kinds = sums.as_object().into_iter().flatten();
    let kinds = kinds.map(|(kind, names)| {
        let names = names.as_object().into_iter().flatten();
        let names = names.map(|(name, sum)| {
            let clients = sum["clients"].as_object().into_iter().flatten();
            let clients: Vec<String> = clients.map(|(key, n)| format!("{key}:{n}")).collect();
            let clipped = if sum["clipped"] == true { "…" } else { "" };
            let clients = match 10 < clients.len() {
                true => clients.len().to_string(),
                false => clients.join(" "),
            };
            format!("{name}={}({clients}{clipped})", sum["total"])
        });
        format!("{kind}[{}]", names.collect::<Vec<_>>().join(" "))
    });
    let kinds: Vec<String> = kinds.collect();
    if kinds.is_empty() {
        "no sums".to_owned()
    } else {
        kinds.join(" ")
    }
}

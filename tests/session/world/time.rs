//! Time passes, and what follows is written down.

use std::fmt::Write;

use serde_json::Value;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::session::{Delivered, Effect, Input};

use super::{COLUMNS, World};
use crate::host::Fate;

impl World {
    pub(super) fn wait(&mut self, duration: Timestamp) {
        let until = self.passed + duration;
        loop {
            let alarm = self
                .host
                .alarm
                .map(|alarm| self.passed + (alarm - self.now).max(0));
            let next = self.timer.into_iter().chain(alarm).min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.pass(next.max(self.passed));
            self.ring();
        }
        self.pass(until);
    }

    fn pass(&mut self, to: Timestamp) {
        self.now += to - self.passed;
        self.passed = to;
    }

    /// Lets the timer and the alarm ring that are due.
    pub(super) fn ring(&mut self) {
        for _ in 0..100 {
            let is_alarm = self.host.alarm.is_some_and(|alarm| alarm <= self.now);
            if !is_alarm && self.timer.is_none_or(|timer| self.passed < timer) {
                return;
            }
            if is_alarm {
                self.host.alarm = None;
            }
            self.timer = None;
            self.handle(Input::Deadline);
        }
        panic!("the timer rings for ever");
    }

    pub(super) fn handle(&mut self, input: Input) {
        let fate = std::mem::replace(&mut self.fate, Fate::Lives);
        let effects = self.host.handle(self.now, input, fate);
        if fate != Fate::Lives {
            self.line("crash");
        }
        let due = self
            .host
            .window()
            .map(|due| self.passed + (due - self.now).max(0));
        self.timer = due.map(|due| self.timer.map_or(due, |timer| timer.min(due)));
        let mut lines: Vec<(String, String)> = Vec::new();
        let mut ended = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { to, text } => {
                    for id in to {
                        self.deliver(&id, &text.whole(), &mut lines);
                    }
                }
                Effect::Close {
                    connection,
                    code,
                    reason,
                } => {
                    let name = self.name_of(&connection);
                    self.actor(&name).connection = None;
                    assert!(reason.len() <= 123, "a close frame takes no more");
                    lines.push((name.clone(), format!("{name} x {code} {reason}")));
                }
                Effect::Respond { status, body } => {
                    self.answer = serde_json::from_str(&body).unwrap();
                    let body = if self.is_brief && status == 200 {
                        self.show.brief(&self.answer)
                    } else {
                        self.show.json(&self.answer)
                    };
                    lines.push(("~".to_owned(), format!("{} = {status} {body}", self.asks)));
                }
                Effect::Erase => lines.push(("~".to_owned(), "erased".to_owned())),
                Effect::Deliver(delivery) => {
                    lines.push(("~~".to_owned(), self.delivery(&delivery)));
                    let number = delivery.number;
                    let outcome = self.always.clone();
                    ended.extend(outcome.map(|outcome| Delivered { number, outcome }));
                }
                Effect::Reach(milestone) => {
                    let mut shown = serde_json::to_value(&milestone).unwrap();
                    if shown["bytes"].is_number() {
                        // `attached` has every limit.
                        shown["bytes"] = "some".into();
                    }
                    lines.push(("~~~".to_owned(), format!("* {}", self.show.json(&shown))));
                    self.milestones.push(shown);
                }
                Effect::Remember(_) => {}
            }
        }
        if !lines.is_empty() && self.shown_at != self.passed {
            let _ = writeln!(self.output, "-- {} ms", self.passed);
            self.shown_at = self.passed;
        }
        lines.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (_, line) in lines {
            self.print(&line);
        }
        for delivered in ended {
            self.handle(Input::Delivered(delivered));
        }
    }

    /// Adds a line, broken where the eye would have to turn.
    pub(super) fn print(&mut self, line: &str) {
        let mut rest = line;
        let mut indent = "";
        while let Some((end, _)) = rest.char_indices().nth(COLUMNS - indent.len()) {
            let cut = rest[..end].rfind([' ', ',']).map_or(end, |space| space + 1);
            let _ = writeln!(self.output, "{indent}{}", rest[..cut].trim_end());
            rest = &rest[cut..];
            indent = "      ";
        }
        let _ = writeln!(self.output, "{indent}{rest}");
    }

    fn name_of(&self, id: &ConnectionId) -> String {
        let name = id.as_str().rsplit_once('-').unwrap().0;
        name.strip_prefix(ConnectionId::BODY_PREFIX)
            .unwrap_or(name)
            .to_owned()
    }

    fn deliver(&mut self, id: &ConnectionId, text: &str, lines: &mut Vec<(String, String)>) {
        let name = self.name_of(id);
        let frames = match serde_json::from_str(text).unwrap() {
            Value::Array(frames) => frames,
            frame => vec![frame],
        };
        let mut sign = "<";
        for frame in &frames {
            if self.actors[&name].connection.as_ref() == Some(id) {
                self.actor(&name).reader.take(frame);
            }
            lines.push((
                name.clone(),
                format!("{name} {sign} {}", self.show.frame(frame)),
            ));
            sign = "|";
        }
    }
}

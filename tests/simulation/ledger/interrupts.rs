//! P6.6: everyone sees what is cancelled, then the message, with nothing in between.

use std::rc::Rc;

use serde_json::Value;

use super::Question;
use crate::checks::Said;

/// Checks what an interrupting `publish` makes everybody hear; how many heard it.
pub fn check(input: &[Question], said: &[Rc<Said>]) -> u64 {
    let interrupts = |question: &&Question| !question.frame["interrupt"].is_null();
    let [question] = input else { return 0 };
    if !interrupts(&question) {
        return 0;
    }
    let (id, client) = (&question.frame["messages"][0]["id"], &question.client);
    let heard = said.iter().filter(|said| said.to.is_some()).map(|said| {
        let frames = &said.frames;
        let is_it = |frame: &Value| {
            let message = &frame["message"];
            frame["type"] == "message.create"
                && message["id"] == *id
                && message["client"] == client.as_str()
        };
        let by_it = |frame: &Value| {
            frame["type"] == "turn.cancel" && frame["turn"]["cancel"]["by"] == client.as_str()
        };
        let Some(create) = frames.iter().position(is_it) else {
            return 0;
        };
        let Some(first) = frames.iter().position(by_it) else {
            return 0;
        };
        let between = &frames[first..create];
        let is_of_it = |frame: &Value| {
            by_it(frame) || (question.frame["interrupt"].is_string() && is_end(frame))
        };
        assert!(
            first < create && between.iter().all(is_of_it),
            "P6.6: something in between: {frames:#?}"
        );
        said.to.as_ref().map_or(0, Vec::len) as u64
    });
    heard.sum()
}

/// A turn that nobody works on ends at once when it is interrupted by name (P6.5).
fn is_end(frame: &Value) -> bool {
    match frame["type"].as_str() {
        Some("turn.end") => true,
        Some("message.append") => frame["status"] == "cancelled",
        Some("message.update") => frame["message"]["headers"]["steer"] == "missed",
        _ => false,
    }
}

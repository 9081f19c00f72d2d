//! `GET …/export`, and a fork: the whole session as lines, page by page (P11.6).
//!
//! The first page fixes the end: the export has what began at it or before, each thing as it stands
//! when its page is read. So the log may grow meanwhile, and no page waits for another.

use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::encode;
use crate::protocol::limits::{EXPORT_BYTES, PAGE_MESSAGES};
use crate::protocol::transfer::{Cursor, EXPORT_VERSION, Page};
use crate::session::context::Context;
use crate::session::engine::{Error, Sender};
use crate::store::{SECTIONS, Span, StoreError};

/// A page, after a line with the cursor of the next one.
pub(crate) fn export(cx: &Context<'_>, sender: &Sender, page: &Page) -> Result<String, Error> {
    let (operation, verb) = match page.is_fork {
        true => (Operation::Read, "fork"),
        false => (Operation::Admin, "export"),
    };
    sender.must(operation, verb, &cx.engine.id)?;
    let Some(created_at) = cx.engine.created_at else {
        let message = format!(
            "unable to {verb}; nothing was ever written to session {}",
            cx.engine.id
        );
        return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
    };
    let reaches = |place| (cx.engine.floor..=cx.engine.end).contains(&place);
    let end = match page.at {
        None => cx.engine.end,
        Some(at) if at.epoch == cx.engine.epoch && reaches(at.place) => at.place,
        Some(at) => {
            let id = &cx.engine.id;
            let message = format!("unable to {verb}; {at} is not in the log of session {id}");
            return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
        }
    };
    let mut lines = Lines::default();
    let mut cursor = match page.after {
        None => {
            let engine = &cx.engine;
            let (id, at, floor) = (&engine.id, engine.now, engine.floor);
            let (epoch, serial) = (engine.epoch.as_str(), engine.epoch.at(end));
            let settings = encode(&engine.settings);
            lines.add(&format!(
                "{{\"type\":\"export\",\"version\":{EXPORT_VERSION},\"session\":\"{id}\",\
                 \"epoch\":\"{epoch}\",\"serial\":\"{serial}\",\"at\":{at},\
                 \"createdAt\":{created_at},\"floor\":{floor},\"settings\":{settings}}}"
            ));
            Cursor {
                epoch: cx.engine.epoch,
                end,
                count: 0,
                section: 0,
                key: 0,
            }
        }
        Some(cursor) if cursor.epoch == cx.engine.epoch => cursor,
        Some(_) => {
            let message = "unable to go on; the session was deleted meanwhile";
            return Err(ErrorInfo::new(ErrorCode::Gone, message).into());
        }
    };
    let mut next = String::new();
    loop {
        if EXPORT_BYTES <= lines.text.len() {
            cursor.count += lines.count;
            next = cursor.to_string();
            break;
        }
        let is_done = match cursor.section.checked_sub(1) {
            None => messages(cx, &mut cursor, &mut lines)?,
            Some(number) => match SECTIONS.get(usize::try_from(number).unwrap_or(usize::MAX)) {
                Some(section) => {
                    let rows = cx.engine.store.exported(section, cursor.key, cursor.end)?;
                    for (key, line) in &rows {
                        lines.add(line);
                        cursor.key = *key;
                    }
                    rows.is_empty()
                }
                None => {
                    let count = cursor.count + lines.count + 1;
                    lines.add(&format!(r#"{{"type":"end","count":{count}}}"#));
                    break;
                }
            },
        };
        if is_done {
            cursor.section += 1;
            cursor.key = 0;
        }
    }
    Ok(format!("{next}\n{}", lines.text))
}

/// The next messages, the oldest first; whether these were the last.
fn messages(cx: &Context<'_>, cursor: &mut Cursor, lines: &mut Lines) -> Result<bool, StoreError> {
    let store = cx.engine.store;
    let span = Span {
        after: cursor.key,
        before: cursor.end + 1,
        newest_first: false,
        names: None,
        limit: PAGE_MESSAGES,
        bytes: EXPORT_BYTES,
    };
    let found = store.page(cursor.epoch, &span)?;
    for message in &found.messages {
        let line = encode(message);
        let fields = line.strip_prefix('{').unwrap_or_default();
        lines.add(&format!(r#"{{"type":"message",{fields}"#));
    }
    if let Some(last) = found.messages.last() {
        let place = last.serial.place;
        for line in store.exported_cancels(cursor.key, place)? {
            lines.add(&line);
        }
        cursor.key = place;
    }
    Ok(!found.has_more)
}

/// Lines, and their number.
#[derive(Default)]
struct Lines {
    text: String,
    count: u64,
}

impl Lines {
    fn add(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.count += 1;
    }
}

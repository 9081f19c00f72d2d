//! Where the bytes of a file are.

use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::file::{File, Located};
use crate::protocol::frame::encode;
use crate::session::context::Context;
use crate::session::engine::{Error, Sender};

/// The start of the names of all objects of this life of the session: a later life has another, so
/// what deletes the objects of one never reaches those of the next.
pub(super) fn prefix(cx: &Context<'_>) -> String {
    let (id, epoch) = (&cx.engine.id, cx.engine.epoch);
    let begun = cx.engine.created_at.unwrap_or(cx.engine.now);
    format!("{id}/{}-{begun}/", epoch.as_str())
}

/// The answer that names a file's object.
pub(super) fn located(cx: &Context<'_>, sender: &Sender, file: File, duplicate: bool) -> String {
    encode(&Located {
        key: format!("{}{}", prefix(cx), file.id),
        file,
        asker: sender.client.clone(),
        duplicate,
    })
}

/// Finds a file for a reader: one that is whole.
pub(crate) fn find(cx: &Context<'_>, sender: &Sender, id: &str) -> Result<String, Error> {
    sender.must(Operation::Read, "read", &cx.engine.id)?;
    match cx.engine.store.file(id)? {
        Some((file, true)) => Ok(located(cx, sender, file, false)),
        _ => Err(missing("read", id).into()),
    }
}

/// The refusal of a file that does not exist, or not any more.
pub(super) fn missing(verb: &str, id: &str) -> ErrorInfo {
    let shown: String = id.chars().take(40).collect();
    let message = format!("unable to {verb}; there is no file {shown:?}");
    ErrorInfo::new(ErrorCode::NotFound, message)
}

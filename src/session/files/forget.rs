//! Files that go: their rows, and in the same step the debt to delete their objects.

use crate::protocol::capability::Operation;
use crate::protocol::file::File;
use crate::protocol::frame::encode;
use crate::protocol::ids::Timestamp;
use crate::session::context::Context;
use crate::session::deliveries::part::stir;
use crate::session::engine::{Error, Sender, Step};
use crate::session::files::clock::{broken_at, stir_files};
use crate::session::files::find::{missing, prefix};
use crate::store::{DeliveryKind, FileWrite, Parcel, StoreError, Write};

/// Deletes a file; its uploader may who may still publish, and an administrator.
pub(crate) fn delete(cx: &mut Context<'_>, sender: &Sender, id: &str) -> Result<String, Error> {
    const VERB: &str = "delete the file";
    cx.engine
        .limit(sender, |rates, now| rates.frame(now, VERB))?;
    let Some((file, is_whole)) = cx.engine.store.file(id)? else {
        return Err(missing(VERB, id).into());
    };
    let is_own = file.client == sender.client;
    if !is_own || !sender.operations.contains(Operation::Publish) {
        sender.must(Operation::Admin, VERB, &cx.engine.id)?;
    }
    let mut step = cx.engine.step_by(sender);
    if is_whole {
        forget(cx, &mut step, &[file.id]);
    } else {
        replace(cx, &mut step, &file);
    }
    cx.engine.commit(step)?;
    Ok("{}".to_owned())
}

/// Forgets files in a step.
pub(super) fn forget(cx: &mut Context<'_>, step: &mut Step, ids: &[String]) {
    let prefix = prefix(cx);
    let keys: Vec<String> = ids.iter().map(|id| format!("{prefix}{id}")).collect();
    for id in ids {
        step.note(FileWrite::Forget { id: id.clone() });
        cx.memory.files.arriving.remove(id);
    }
    // Counted anew when the next one comes.
    cx.memory.files.sums = None;
    for write in owe(cx, &prefix, &keys, cx.engine.now) {
        step.note(write);
    }
    stir_files(cx);
}

/// Forgets a file on its way, which its client sends anew or deletes. The Worker that brings it may
/// not know of that, so its object is owed for when it cannot come any more, and by itself, as
/// nothing waits for that.
pub(super) fn replace(cx: &mut Context<'_>, step: &mut Step, file: &File) {
    let key = format!("{}{}", prefix(cx), file.id);
    let id = file.id.clone();
    cx.memory.files.arriving.remove(&id);
    cx.memory.files.sums = None;
    step.note(FileWrite::Forget { id });
    let at = broken_at(cx, file.created_at);
    for write in owe(cx, &key, &[], at) {
        step.note(write);
    }
}

/// The session ends: its objects are owed, all at once, for the rows that end it. One that is still
/// on its way would come after that, so there is a second look when none can come any more.
pub(crate) fn forget_all(cx: &mut Context<'_>) -> Result<Vec<Write>, StoreError> {
    if cx.engine.created_at.is_none() || !cx.engine.store.has_files()? {
        return Ok(Vec::new());
    }
    let (prefix, now) = (prefix(cx), cx.engine.now);
    let mut writes = owe(cx, &prefix, &[], now);
    if let Some(latest) = cx.memory.files.arriving.values().max().copied() {
        let at = broken_at(cx, latest);
        writes.extend(owe(cx, &prefix, &[], at));
    }
    Ok(writes)
}

/// Owes the deletion of objects: of these, or of all below the prefix.
fn owe(cx: &mut Context<'_>, prefix: &str, keys: &[String], due_at: Timestamp) -> Vec<Write> {
    let parcel = |number| Parcel {
        id: format!("files-{number}"),
        body: match keys {
            [] => String::new(),
            keys => encode(&keys),
        },
    };
    let (queue, now) = (&mut cx.memory.deliveries, cx.engine.now);
    let writes = queue.add_for(now, due_at, DeliveryKind::File, prefix, None, parcel);
    stir(cx);
    writes.into_iter().map(Write::Delivery).collect()
}

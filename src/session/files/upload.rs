//! Uploads: a row when one begins, and when it ends.

use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::file::{File, NewFile};
use crate::protocol::limits::FILES_ARRIVING;
use crate::session::context::Context;
use crate::session::engine::{Error, Sender};
use crate::session::files::clock::stir_files;
use crate::session::files::find::{located, missing};
use crate::session::files::forget::{forget, replace};
use crate::store::{FileWrite, StoreError};

const VERB: &str = "upload";

/// A file begins to arrive: its row is there before its first byte, so that nothing is forgotten
/// that breaks off.
pub(crate) fn begin(cx: &mut Context<'_>, sender: &Sender, new: NewFile) -> Result<String, Error> {
    sender.must(Operation::Publish, VERB, &cx.engine.id)?;
    cx.engine
        .limit(sender, |rates, now| rates.frame(now, VERB))?;
    let mut broken = None;
    if let Some(upload) = &new.upload {
        match cx.engine.store.uploaded(&sender.client, upload)? {
            Some((file, true)) => return Ok(located(cx, sender, file, true)),
            // The one before broke off, or has been given up by its client.
            Some((file, false)) => broken = Some(file),
            None => {}
        }
    }
    cx.engine.check_room(VERB)?;
    let gone = u64::from(broken.is_some());
    check_bounds(cx, &new, gone)?;
    let file = File {
        id: new.id,
        name: new.name,
        media: new.media,
        bytes: new.bytes,
        client: sender.client.clone(),
        created_at: cx.engine.now,
    };
    let mut step = cx.engine.step_by(sender);
    if let Some(broken) = broken {
        replace(cx, &mut step, &broken);
    }
    step.write(FileWrite::Begin {
        file: file.clone(),
        upload: new.upload,
    });
    cx.engine.commit(step)?;
    let (id, now) = (file.id.clone(), cx.engine.now);
    cx.memory.files.arriving.insert(id, now);
    if let Some((count, bytes)) = &mut cx.memory.files.sums {
        *count += 1;
        *bytes = bytes.saturating_add(file.bytes);
    }
    stir_files(cx);
    Ok(located(cx, sender, file, false))
}

/// Refuses one file too many; `gone` are those that go for it.
fn check_bounds(cx: &mut Context<'_>, new: &NewFile, gone: u64) -> Result<(), Error> {
    let (count, bytes) = sums(cx)?;
    let limits = &cx.engine.limits;
    let arriving = u64::try_from(cx.memory.files.arriving.len()).unwrap_or(u64::MAX);
    let reason = if limits.files <= count.saturating_sub(gone) {
        format!("the session has {count} files")
    } else if limits.files_bytes < bytes.saturating_add(new.bytes) {
        format!(
            "its files would have more than {} bytes",
            limits.files_bytes
        )
    } else if u64::try_from(FILES_ARRIVING).is_ok_and(|most| most <= arriving.saturating_sub(gone))
    {
        format!("{FILES_ARRIVING} files are on their way")
    } else {
        return Ok(());
    };
    let message = format!("unable to {VERB}; {reason}");
    Err(ErrorInfo::new(ErrorCode::OverLimit, message).into())
}

/// The number and the bytes of all files, counted when they are first needed.
fn sums(cx: &mut Context<'_>) -> Result<(u64, u64), StoreError> {
    if let Some(sums) = cx.memory.files.sums {
        return Ok(sums);
    }
    let sums = cx.engine.store.file_sums()?;
    cx.memory.files.sums = Some(sums);
    Ok(sums)
}

/// A file has arrived, with so many bytes; or it broke off, and goes.
pub(crate) fn end(
    cx: &mut Context<'_>,
    sender: &Sender,
    id: &str,
    bytes: Option<u64>,
) -> Result<String, Error> {
    sender.must(Operation::Publish, VERB, &cx.engine.id)?;
    let known = cx.engine.store.file(id)?;
    let known = known.filter(|(file, _)| file.client == sender.client);
    let Some((mut file, is_whole)) = known else {
        return Err(missing(VERB, id).into());
    };
    if is_whole {
        return Ok(located(cx, sender, file, false));
    }
    let mut step = cx.engine.step_by(sender);
    let Some(bytes) = bytes else {
        forget(cx, &mut step, &[file.id]);
        cx.engine.commit(step)?;
        return Ok("{}".to_owned());
    };
    step.write(FileWrite::End {
        id: file.id.clone(),
        bytes,
    });
    cx.engine.commit(step)?;
    cx.memory.files.arriving.remove(&file.id);
    if let Some((_, sum)) = &mut cx.memory.files.sums {
        *sum = sum.saturating_sub(file.bytes).saturating_add(bytes);
    }
    cx.memory.files.oldest.get_or_insert(file.created_at);
    file.bytes = bytes;
    stir_files(cx);
    Ok(located(cx, sender, file, false))
}

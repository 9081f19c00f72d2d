//! `PUT …/import`, and a fork: a session from the lines of an export, some at a time (P11.6).
//!
//! Each batch is one transaction, and the session is not there for anybody until the last line. An
//! import that breaks off is thrown away: by the next one, or by the alarm. A fork asks its source
//! for the next lines itself, one call after the other, and the alarm asks where a call was lost.

use crate::ordered::Set;
use crate::protocol::capability::Operation;
use crate::protocol::decode::check_depth;
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::limits::{IMPORT_HELD_BYTES, Limits};
use crate::protocol::object::Object;
use crate::protocol::serial::{Epoch, Serial};
use crate::protocol::settings::Settings;
use crate::protocol::transfer::{Batch, EXPORT_VERSION, Origin};
use crate::session::context::Context;
use crate::session::engine::{Delivered, Delivery, Error, Outcome, Sender};
use crate::session::parts;
use crate::session::revocation::contact::with_clients;
use crate::session::state::memory::State;
use crate::session::state::shown;
use crate::session::transfer::lines::Reader;
use crate::session::transfer::progress::Progress;
use crate::store::{Beginning, DeliveryKind, ImportWrite, Importing, MetaWrite, StoreError, Write};

/// Nesting of a line beyond that of the frames that brought what it says.
const MORE_DEPTH: u64 = 8;

/// The number of a fork's calls: below it are those of deliveries and of inboxes.
const FORK: u64 = u64::MAX;

/// The refusal of everything else while an import goes on.
pub(crate) fn is_importing(cx: &Context<'_>) -> ErrorInfo {
    let id = &cx.engine.id;
    let message = format!("unable to use session {id}; it is being imported");
    ErrorInfo::new(ErrorCode::Conflict, message)
}

/// Throws an import away of which nothing more has come; a fork asks its source again.
pub(crate) fn give_up(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let now = cx.engine.now;
    match &mut cx.memory.importing {
        Some(progress) if progress.is_over(now) => throw_away(cx),
        Some(progress) if progress.due_at() <= now => {
            progress.looked_at = now;
            ask(cx);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A fork's call has ended. A failure is tried again later, but for what its source or the fork
/// itself has refused for good.
pub(crate) fn settle(cx: &mut Context<'_>, delivered: &Delivered) -> Result<(), StoreError> {
    let Some(progress) = &mut cx.memory.importing else {
        return Ok(());
    };
    if delivered.number != FORK {
        return Ok(());
    }
    match delivered.outcome {
        // The next call has begun already.
        Outcome::Answered { status: 200, .. } => Ok(()),
        Outcome::Answered {
            status: 400..=408 | 410..=428,
            ..
        } => throw_away(cx),
        _ => {
            progress.is_asking = false;
            Ok(())
        }
    }
}

/// Nothing of it is left, but what an earlier session here owes to others.
fn throw_away(cx: &mut Context<'_>) -> Result<(), StoreError> {
    if cx.engine.store.deliveries()?.is_empty() {
        cx.memory.importing = None;
        cx.engine.end_life();
        return Ok(());
    }
    begin_anew(cx)
}

fn begin_anew(cx: &mut Context<'_>) -> Result<(), StoreError> {
    cx.engine.begin_anew(Vec::new())?;
    parts::hear(cx)
}

/// Asks the source of a fork for the next lines, unless it does so already.
pub(crate) fn ask(cx: &mut Context<'_>) {
    let Some(progress) = cx.memory.importing.as_mut().filter(|it| !it.is_asking) else {
        return;
    };
    if let (Some(origin), Some(cursor)) = (&progress.origin, &progress.so_far.cursor) {
        progress.is_asking = true;
        cx.engine.out.deliveries.push(Delivery {
            number: FORK,
            id: cx.engine.id.clone(),
            kind: DeliveryKind::Page,
            target: origin.session.clone(),
            body: format!("{}\n{cursor}", progress.name()),
            wants_token: false,
        });
    }
}

/// Takes lines; tells by which name the next ones go on, or that it was the last.
pub(crate) fn import(
    cx: &mut Context<'_>,
    sender: &Sender,
    batch: &Batch,
) -> Result<String, Error> {
    let is_fork = batch.from.is_some();
    if !is_fork || !sender.operations.contains(Operation::Turn) {
        sender.must(Operation::Admin, "import the session", &cx.engine.id)?;
    }
    let (cursor, lines) = match is_fork {
        true => batch.lines.split_once('\n').unwrap_or_default(),
        false => ("", batch.lines.as_str()),
    };
    let mut lines = lines.lines().filter(|line| !line.trim().is_empty());
    let was_importing = cx.memory.importing.is_some();
    let (mut progress, writes) = match &batch.after {
        None => {
            if let Some(answer) = repeated(cx, batch) {
                return Ok(answer);
            }
            begin(cx, lines.next().unwrap_or_default(), batch)?
        }
        Some(name) => match &cx.memory.importing {
            Some(progress) if progress.name() == *name => (progress.clone(), Vec::new()),
            _ => {
                let message = "unable to import; another import took this one's place, or it was \
                               thrown away";
                return Err(ErrorInfo::new(ErrorCode::Conflict, message).into());
            }
        },
    };
    progress.is_asking = false;
    progress.so_far.cursor = is_fork.then(|| cursor.to_owned());
    // Each later batch of a fork comes from the deployment.
    let sender = batch.after.is_none().then(|| sender.client.clone());
    let done = go_on(cx, progress, lines, writes, sender);
    let is_left = was_importing || cx.memory.importing.is_some();
    if matches!(done, Err(Error::Refused(_))) && is_left {
        throw_away(cx)?;
    }
    done
}

/// The answer to a fork that is there already, or on its way (P13.1).
fn repeated(cx: &Context<'_>, batch: &Batch) -> Option<String> {
    let importing = cx.memory.importing.as_ref();
    let origin = match importing {
        Some(progress) => progress.origin.clone(),
        None => cx
            .engine
            .settings
            .forked_from
            .as_ref()
            .and_then(Origin::read),
    };
    let is_same = |origin: &Origin| {
        let at = batch.at.as_ref();
        batch.from.as_ref() == Some(&origin.session)
            && at.is_none_or(|at| *at == origin.serial.to_string())
    };
    let origin = origin.filter(is_same)?;
    Some(answer(cx, &origin, importing.is_none()))
}

/// The answer to a fork.
fn answer(cx: &Context<'_>, origin: &Origin, is_whole: bool) -> String {
    let (id, origin) = (&cx.engine.id, origin.as_json());
    let state = if is_whole { "whole" } else { "forking" };
    format!(r#"{{"session":"{id}","state":"{state}","forkedFrom":{origin}}}"#)
}

/// Stores lines, and the session is there with the last of them.
fn go_on<'a>(
    cx: &mut Context<'_>,
    mut progress: Progress,
    lines: impl Iterator<Item = &'a str>,
    mut writes: Vec<Write>,
    sender: Option<String>,
) -> Result<String, Error> {
    let mut clients: Set<String> = sender.into_iter().collect();
    let is_whole = read(cx, &mut progress, lines, &mut writes, &mut clients)?;
    if !cx.engine.store.has_room(cx.engine.limits.session_bytes)? {
        return Err(cx.engine.full().into());
    }
    progress.so_far.at = cx.engine.now;
    if cx.engine.outbound.has_inboxes {
        let known = match cx.memory.importing {
            Some(_) => cx.engine.store.contacts()?,
            None => String::new(),
        };
        let lines = with_clients(known, &clients);
        writes.extend(lines.map(|lines| MetaWrite::Contacts(lines).into()));
    }
    writes.push(ImportWrite::Progress(progress.so_far.clone()).into());
    if let Err(error) = cx.engine.write_rows(&writes, false) {
        if error.is_full() {
            return Err(cx.engine.full().into());
        }
        // A line says again what another has said.
        if error.is_of_content() {
            return Err(refused(progress.so_far.lines, &error.0).into());
        }
        return Err(error.into());
    }
    let is_first = cx.memory.importing.is_none();
    cx.memory.importing = Some(progress.clone());
    if is_first {
        let reason = "the session is being imported";
        cx.engine.shut_all(close::TOO_FAST, reason);
    }
    if is_whole {
        finish(cx)?;
    } else {
        ask(cx);
    }
    if let Some(origin) = &progress.origin {
        return Ok(answer(cx, origin, is_whole));
    }
    if !is_whole {
        return Ok(format!(r#"{{"after":"{}"}}"#, progress.name()));
    }
    let (lines, serial) = (progress.so_far.lines, cx.engine.epoch.at(cx.engine.end));
    Ok(format!(r#"{{"lines":{lines},"serial":"{serial}"}}"#))
}

/// Reads lines; whether the end is among them.
fn read<'a>(
    cx: &Context<'_>,
    progress: &mut Progress,
    lines: impl Iterator<Item = &'a str>,
    writes: &mut Vec<Write>,
    clients: &mut Set<String>,
) -> Result<bool, ErrorInfo> {
    let limits = Limits {
        frame_depth: cx.engine.limits.frame_depth + MORE_DEPTH,
        ..cx.engine.limits.clone()
    };
    let so_far = &mut progress.so_far;
    let mut reader = Reader {
        source: so_far.source,
        epoch: progress.epoch,
        limits: &limits,
        fork: progress
            .origin
            .as_ref()
            .map(|it| (it.serial.place, cx.engine.now)),
        writes,
        clients,
        held: so_far.held,
        count: None,
    };
    for line in lines {
        so_far.lines += 1;
        if reader.count.is_some() {
            return Err(refused(so_far.lines, "it follows the last one"));
        }
        check_depth("import", line, &limits)?;
        if let Err(error) = reader.read(line) {
            return Err(refused(so_far.lines, &error.to_string()));
        }
        if IMPORT_HELD_BYTES < reader.held {
            let reason = "more is open, pending or in the state than a session may hold";
            return Err(refused(so_far.lines, reason));
        }
    }
    so_far.held = reader.held;
    match reader.count {
        Some(count) if count != so_far.lines => {
            Err(refused(so_far.lines, "lines before it are missing"))
        }
        count => Ok(count.is_some()),
    }
}

fn refused(line: u64, reason: &str) -> ErrorInfo {
    let message = format!("unable to import; line {line}: {reason}");
    ErrorInfo::new(ErrorCode::InvalidFrame, message)
}

/// The first line: it makes the session, which must not be there.
fn begin(cx: &mut Context<'_>, line: &str, batch: &Batch) -> Result<(Progress, Vec<Write>), Error> {
    if cx.engine.created_at.is_some() {
        let id = &cx.engine.id;
        let message = format!("unable to import; there is a session {id} already");
        return Err(ErrorInfo::new(ErrorCode::Conflict, message).into());
    }
    check_depth("import", line, &cx.engine.limits)?;
    let Some(first) = Object::read(line).filter(|it| it.word("type").as_deref() == Some("export"))
    else {
        return Err(refused(1, "it does not begin an export").into());
    };
    let wrong = |error: serde_json::Error| refused(1, &error.to_string());
    let version: u64 = first.field("version").map_err(wrong)?;
    if version != EXPORT_VERSION {
        return Err(refused(1, "this release does not know its version").into());
    }
    let source = first.word("epoch").and_then(|epoch| Epoch::parse(&epoch));
    let source = source.ok_or_else(|| refused(1, "it has no epoch"))?;
    let created_at = first.field("createdAt").map_err(wrong)?;
    let floor = first.or_default("floor").map_err(wrong)?;
    let said: serde_json::Value = first.field("settings").map_err(wrong)?;
    let mut settings = Settings::default().patched(&said, &cx.engine.outbound)?;
    let origin = match &batch.from {
        None => said.get("forkedFrom").and_then(Origin::read),
        Some(session) => Some(Origin {
            session: session.clone(),
            serial: first
                .word("serial")
                .and_then(|it| Serial::parse(&it))
                .ok_or_else(|| refused(1, "it has no serial"))?,
        }),
    };
    settings.forked_from = origin
        .as_ref()
        .and_then(|it| serde_json::from_str(&it.as_json()).ok());
    let origin = origin.filter(|_| batch.from.is_some());
    if cx.memory.importing.is_some() {
        begin_anew(cx)?;
    }
    let epoch = cx.engine.epoch;
    let beginning = Beginning {
        epoch,
        created_at,
        floor,
        trimmed_at: None,
        settings,
    };
    let so_far = Importing {
        source,
        lines: 1,
        held: 0,
        at: cx.engine.now,
        cursor: None,
    };
    let writes = vec![MetaWrite::Begin(beginning).into()];
    let progress = Progress {
        epoch,
        origin,
        looked_at: cx.engine.now,
        is_asking: false,
        so_far,
    };
    Ok((progress, writes))
}

/// Everything is stored: the session is there from now on, as if it had slept.
fn finish(cx: &mut Context<'_>) -> Result<(), Error> {
    // A state that does not read back would be in the way of everybody who asks for it.
    cx.memory.state = State::default();
    if shown::read(cx, &Vec::new()).is_err() {
        let message = "unable to import; its state does not read back";
        return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message).into());
    }
    let settings = cx.engine.store.beginning()?.map(|it| it.settings);
    // It was written to just now: it has not been idle since the times in its lines (P11.2).
    let set = MetaWrite::Set {
        settings: settings.unwrap_or_default(),
        at: cx.engine.now,
    };
    cx.engine
        .write_rows(&[set.into(), ImportWrite::Done.into()], false)?;
    cx.engine.reload()?;
    Ok(parts::hear(cx)?)
}

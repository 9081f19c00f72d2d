//! `annotate` and `unannotate` (P9.3).

use super::sums::{add, bytes, names, own, take};
use crate::protocol::annotation::{Annotate, Annotation, Kind, Method, Sums, Unannotate};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, Placed, ServerFrame};
use crate::protocol::limits::{ANNOTATION_NAMES, ANNOTATIONS, STATE_NUMBER_MAX, SUMS_BYTES};
use crate::protocol::serial::{Place, Serial};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender};
use crate::store::{Annotated, AnnotationWrite, Change, Head, Withdrawn};

const ADD: &str = "annotate";
const TAKE: &str = "take the annotation back";

/// Answers an annotation whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    frame: &Annotate,
    known: &Known,
) -> Result<Answer, Error> {
    repeated(cx, frame.serial, known)
}

/// The same of one that was taken back.
pub(crate) fn repeat_taking(
    cx: &mut Context<'_>,
    frame: &Unannotate,
    known: &Known,
) -> Result<Answer, Error> {
    repeated(cx, frame.serial, known)
}

fn repeated(cx: &Context<'_>, serial: Serial, known: &Known) -> Result<Answer, Error> {
    known.must_be(cx.engine.place(known.verb, serial)?)?;
    let annotated = cx.engine.store.annotated(known.place)?;
    Ok(answer(cx, known.place, &annotated, true))
}

fn answer(cx: &Context<'_>, place: Place, annotated: &Annotated, duplicate: bool) -> Answer {
    let version = annotated.version.max(place);
    Answer::Now(Outcome::Changed(Placed {
        duplicate,
        ..Placed::new(cx.engine.epoch.at(place), cx.engine.epoch.at(version))
    }))
}

/// A message and its sums.
struct Target {
    head: Head,
    annotated: Annotated,
}

fn target(cx: &Context<'_>, verb: &str, serial: Serial) -> Result<Target, Error> {
    let place = cx.engine.place(verb, serial)?;
    let head = cx.engine.existing(verb, place)?;
    if head.is_deleted {
        let message = format!("unable to {verb}; message {serial} was deleted");
        return Err(ErrorInfo::new(ErrorCode::Deleted, message).into());
    }
    let annotated = cx.engine.store.annotated(place)?;
    Ok(Target { head, annotated })
}

/// The counts of a client that it has of these names, and the number of its rows.
fn owned(
    cx: &Context<'_>,
    target: &Target,
    kind: &Kind,
    names: &[String],
    client: &str,
) -> Result<Vec<Withdrawn>, Error> {
    let sums = &target.annotated.sums;
    let may_have = |name: &&String| own(sums, kind, name, client) != Some(0);
    let names: Vec<String> = names.iter().filter(may_have).cloned().collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let place = target.head.place;
    Ok(cx
        .engine
        .store
        .annotations_of(place, &kind.text, &names, client)?)
}

/// Every name of a kind.
fn all_names(sums: &Sums, kind: &Kind) -> Vec<String> {
    let names = sums.get(&kind.text);
    names.map_or_else(Vec::new, |names| names.keys().cloned().collect())
}

/// A client annotates a message.
pub(crate) fn annotate(
    cx: &mut Context<'_>,
    sender: &Sender,
    frame: Annotate,
) -> Result<Answer, Error> {
    let mut target = target(cx, ADD, frame.serial)?;
    let (kind, client) = (&frame.kind, &sender.client);
    let own_count = own(&target.annotated.sums, kind, &frame.name, client);
    let (mut gone, mut before) = (Vec::new(), 0);
    match kind.method {
        Method::Multiple => {
            before = match own_count {
                Some(count) => count,
                None => {
                    let named = std::slice::from_ref(&frame.name);
                    let owned = owned(cx, &target, kind, named, client)?;
                    owned.iter().map(|own| own.count).sum()
                }
            };
        }
        Method::Distinct => {
            gone = owned(cx, &target, kind, std::slice::from_ref(&frame.name), client)?;
        }
        Method::Unique => {
            let all = all_names(&target.annotated.sums, kind);
            gone = owned(cx, &target, kind, &all, client)?;
        }
    }
    if frame.data.is_none() && gone.iter().any(|own| own.name == frame.name) {
        // It stands already.
        return Ok(answer(cx, target.head.place, &target.annotated, true));
    }
    cx.engine.check_room(ADD)?;
    let sums = &mut target.annotated.sums;
    for own in &gone {
        take(sums, kind, &own.name, client, own.count);
    }
    add(sums, kind, &frame.name, client, before, frame.count);
    let rows = gone.iter().map(|own| own.rows).sum::<usize>();
    target.annotated.rows = target.annotated.rows.saturating_sub(rows) + 1;
    check(&target.annotated, kind, &frame.name)?;
    let annotation = Annotation {
        place: cx.engine.end + 1,
        kind: frame.kind.text,
        name: frame.name,
        client: sender.client.clone(),
        count: frame.count,
        data: frame.data,
        at: cx.engine.now,
    };
    store(cx, sender, target, gone, Some(annotation))
}

/// Refuses more than a message may have.
fn check(annotated: &Annotated, kind: &Kind, name: &str) -> Result<(), ErrorInfo> {
    let refused = |reason: &str| {
        let message = format!("unable to {ADD}; the message would have more than {reason}");
        Err(ErrorInfo::new(ErrorCode::OverLimit, message))
    };
    let sums = &annotated.sums;
    let total = sums.get(&kind.text).and_then(|names| names.get(name));
    let total = total.map_or(0, |sum| sum.total);
    if ANNOTATIONS < annotated.rows {
        return refused(&format!("{ANNOTATIONS} annotations"));
    }
    if ANNOTATION_NAMES < names(sums) || SUMS_BYTES < bytes(sums) {
        return refused(&format!(
            "{ANNOTATION_NAMES} names, or {SUMS_BYTES} bytes of sums"
        ));
    }
    match total as f64 <= STATE_NUMBER_MAX {
        true => Ok(()),
        false => refused("2^53 of that name"),
    }
}

/// A client takes its own back.
pub(crate) fn unannotate(
    cx: &mut Context<'_>,
    sender: &Sender,
    frame: Unannotate,
) -> Result<Answer, Error> {
    let mut target = target(cx, TAKE, frame.serial)?;
    let names = match frame.name {
        Some(name) => vec![name],
        None => all_names(&target.annotated.sums, &frame.kind),
    };
    let gone = owned(cx, &target, &frame.kind, &names, &sender.client)?;
    if gone.is_empty() {
        return Ok(answer(cx, target.head.place, &target.annotated, true));
    }
    cx.engine.check_space(TAKE)?;
    for own in &gone {
        let sums = &mut target.annotated.sums;
        take(sums, &frame.kind, &own.name, &sender.client, own.count);
        target.annotated.rows = target.annotated.rows.saturating_sub(own.rows);
    }
    store(cx, sender, target, gone, None)
}

/// Stores a change of a message's annotations, and tells its sums.
fn store(
    cx: &mut Context<'_>,
    sender: &Sender,
    target: Target,
    gone: Vec<Withdrawn>,
    added: Option<Annotation>,
) -> Result<Answer, Error> {
    let Target { head, annotated } = target;
    cx.engine.settle()?;
    let place = cx.engine.next_place();
    let annotated = Annotated {
        version: place,
        ..annotated
    };
    let added = added.map(|added| Annotation { place, ..added });
    let mut step = cx.engine.step_by(sender);
    step.stands_for(head.place);
    step.tell_of(&head.name, summary(cx, head.place, &annotated));
    let done = answer(cx, head.place, &annotated, false);
    step.write(AnnotationWrite {
        message: head.place,
        client: sender.client.clone(),
        gone,
        added,
        annotated,
    });
    step.change(place, Change::Annotate, head.place);
    cx.engine.commit(step)?;
    Ok(done)
}

/// The frame of a message's sums.
fn summary(cx: &Context<'_>, place: Place, annotated: &Annotated) -> ServerFrame {
    ServerFrame::Summary {
        serial: cx.engine.epoch.at(place),
        version: cx.engine.epoch.at(annotated.version),
        annotations: annotated.data(),
    }
}

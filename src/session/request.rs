//! HTTP requests (P12): frames, answered in the response, reads, and the session as a whole.

use super::context::Context;
use super::engine::{Chains, Error, Sender};
use super::files::{find, forget, upload};
use super::handover::heard;
use super::readers::history;
use super::reads::read;
use super::revocation::contact::meet;
use super::revocation::cut::cut;
use super::transfer::export::export;
use super::transfer::import::import;
use super::waking::again::wake;
use super::{frames, full, life, settings};
use crate::protocol::capability::Operation;
use crate::protocol::decode::{ClientFrame, Received};
use crate::protocol::error::ErrorInfo;
use crate::protocol::frame::{Outcome, ServerFrame, join};
use crate::protocol::request::Request;
use crate::store::StoreError;

/// The form of a response, from the answers to a request's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One ack or nack (P12.1).
    Frame,
    /// An array of acks and nacks (P12.1).
    Frames,
    /// An ack's result alone (P12.2).
    Result {
        /// Whether the frame creates something.
        creates: bool,
    },
}

/// Answers a request, unless its client exceeds its rates.
pub(super) fn answer(
    cx: &mut Context<'_>,
    sender: &Sender,
    request: Request,
) -> Result<(), StoreError> {
    let request = match request {
        Request::Revoked(revocation) => {
            cut(cx, revocation);
            cx.engine.out.response = Some((200, "{}".to_owned()));
            return Ok(());
        }
        request => request,
    };
    if let Err(error) = cx.engine.limit(sender, |rates, now| rates.may_ask(now)) {
        cx.engine.out.response = Some(refused(request, error));
        return Ok(());
    }
    heard::note_heard(cx, &sender.client)?;
    take(cx, sender, request)?;
    let answer = cx.engine.out.response.as_ref();
    let answer = answer.map_or(0, |(_, body)| body.len());
    let made = cx.engine.out.made.saturating_add(answer);
    cx.engine.charge(sender, made);
    Ok(())
}

fn take(cx: &mut Context<'_>, sender: &Sender, request: Request) -> Result<(), StoreError> {
    let done = match request {
        Request::Frame(received) => {
            return take_frames(cx, sender, vec![received], Shape::Frame);
        }
        Request::Frames(frames) => return take_frames(cx, sender, frames, Shape::Frames),
        Request::Shorthand(frame) => {
            let creates = matches!(
                frame,
                Ok(ClientFrame::Publish(_)
                    | ClientFrame::StartTurn(_)
                    | ClientFrame::RequestApproval(_)
                    | ClientFrame::CallTool(_))
            );
            let received = Received {
                reference: None,
                chain: None,
                frame,
            };
            return take_frames(cx, sender, vec![received], Shape::Result { creates });
        }
        Request::Read(it) => read(cx, sender, it),
        Request::Export(page) => export(cx, sender, &page),
        Request::Import(batch) => import(cx, sender, &batch),
        // The sender of a streamed body learns its outcome, without a right to read anything else.
        Request::Written(serial) => sender
            .must(Operation::Publish, "read", &cx.engine.id)
            .map_err(Error::from)
            .and_then(|()| history::one_body(cx, serial)),
        Request::Settings(patch) => settings::change_settings(cx, sender, &patch),
        Request::Erase => life::erase(cx, sender),
        Request::Upload(new) => upload::begin(cx, sender, new),
        Request::Arrived(file, bytes) => upload::end(cx, sender, &file, bytes),
        Request::File(file) => find::find(cx, sender, &file),
        Request::DeleteFile(file) => forget::delete(cx, sender, &file),
        Request::Wake(ask) => wake(cx, sender, &ask),
        // Taken before: it counts for nobody.
        Request::Revoked(_) => Ok(String::new()),
    };
    cx.engine.out.response = Some(match done {
        Ok(body) => (200, body),
        Err(Error::Refused(error)) => refusal(&error),
        Err(Error::Store(error)) => return Err(error),
    });
    Ok(())
}

/// Takes the frames of a request; its end closes the window (P5.4) if an answer waits for it, so
/// that the response has every answer.
fn take_frames(
    cx: &mut Context<'_>,
    sender: &Sender,
    frames: Vec<Received>,
    shape: Shape,
) -> Result<(), StoreError> {
    frames::take_frames(cx, sender, None, frames, &mut Chains::default())?;
    if cx.engine.created_at.is_some() {
        meet(cx, &sender.client, true);
    }
    if let Err(error) = cx.engine.settle_for(sender.connection.as_ref()) {
        full::survive(cx, error)?;
    }
    let answers = std::mem::take(&mut cx.engine.out.answers);
    cx.engine.out.response = Some(respond(shape, answers));
    Ok(())
}

fn respond(shape: Shape, answers: Vec<(ServerFrame, String)>) -> (u16, String) {
    let mut answers = answers.into_iter();
    match shape {
        Shape::Frames => {
            let answers: Vec<String> = answers.map(|(_, text)| text).collect();
            let list = join(&answers);
            match answers.len() {
                1 => (200, format!("[{list}]")),
                _ => (200, list),
            }
        }
        Shape::Result { creates } => match answers.next() {
            Some((ServerFrame::Ack { result, .. }, _)) => {
                let status = if creates { created(&result) } else { 200 };
                (status, serde_json::to_string(&result).unwrap_or_default())
            }
            Some((ServerFrame::Nack { error, .. }, _)) => refusal(&error),
            _ => (200, "{}".to_owned()),
        },
        Shape::Frame => match answers.next() {
            Some((ServerFrame::Nack { error, .. }, text)) => (error.status, text),
            Some((_, text)) => (200, text),
            None => (200, "{}".to_owned()),
        },
    }
}

/// The refusal of a request, whatever its content; for one frame, as its nack.
pub(super) fn refused(request: Request, error: ErrorInfo) -> (u16, String) {
    let Request::Frame(Received { reference, .. }) = request else {
        return refusal(&error);
    };
    let status = error.status;
    let nack = ServerFrame::Nack {
        r#ref: reference,
        error,
    };
    (status, nack.encode())
}

/// A refusal as an HTTP response (P13.2).
pub(super) fn refusal(error: &ErrorInfo) -> (u16, String) {
    (error.status, error.body())
}

/// 201 for a frame that creates something, 200 otherwise (P12.2).
fn created(result: &Outcome) -> u16 {
    match result {
        Outcome::Published { messages } if messages.iter().any(|placed| !placed.duplicate) => 201,
        Outcome::Turn {
            turn,
            duplicate: false,
        } if turn.is_new() => 201,
        Outcome::Approval {
            duplicate: false, ..
        }
        | Outcome::Call {
            duplicate: false, ..
        } => 201,
        _ => 200,
    }
}

//! Frames as they come: who may send them at what rate, and the one match over all of them.

use super::answer::Reply;
use super::connection::Sender;
use super::outbox::Outbox;
use super::{Error, Session};
use crate::machine::Carrier;
use crate::protocol::decode::{ClientFrame, Received};
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::FRAME_BYTES_MIN;
use crate::store::{Kind, Store, StoreError};

impl Session {
    /// The frames of one WebSocket message.
    pub(super) fn message(
        &mut self,
        store: &Store,
        now: Timestamp,
        connection: &ConnectionId,
        frames: Vec<Received>,
        bytes: usize,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let Some(live) = self.connections.get(connection) else {
            return Ok(());
        };
        if live.connection.is_expired(now) {
            self.shut(out, connection, close::UNAUTHORIZED, "the token expired"); // P2.6
            return Ok(());
        }
        let (sender, carrier) = (live.connection.sender(), live.connection.carrier);
        let mut chains = live.connection.chains.clone();
        let counted = bytes.max(frames.len().saturating_mul(FRAME_BYTES_MIN));
        let mut too_much = Ok(());
        let limited = self.limit(now, &sender, |rates| {
            rates.message(now)?;
            if too_much.is_ok() {
                too_much = rates.text(now, counted).and_then(|()| rates.may_act(now));
            }
            Ok(())
        });
        let (is_fast, too_much) = (limited.is_err(), too_much.err());
        if carrier == Carrier::Events || is_fast {
            self.shut(out, connection, close::TOO_FAST, "too many messages");
            return Ok(());
        }
        self.heard_frame(now, connection, out);
        let frames = frames.into_iter().map(|received| Received {
            frame: too_much.clone().map_or(received.frame, Err),
            ..received
        });
        let frames = frames.collect();
        let are_answered =
            self.each(store, now, &sender, Some(carrier), frames, &mut chains, out)?;
        self.keep_chains(connection, chains, out);
        self.charge(now, &sender, out.made);
        if !are_answered {
            self.shut(out, connection, close::TOO_FAST, "too much that is refused");
        }
        Ok(())
    }

    /// One frame: the one match over everything that a client may ask for. Says whether it was
    /// taken.
    pub(super) fn frame(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        frame: Result<ClientFrame, ErrorInfo>,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<bool, StoreError> {
        let done = match frame {
            Err(error) => Err(error.into()),
            Ok(ClientFrame::Append(append)) => self.append(store, now, sender, &append, reply, out),
            Ok(ClientFrame::Publish(publish)) => {
                self.publish(store, now, sender, publish, reply, out)
            }
            Ok(ClientFrame::Update(update)) => self.update(store, now, sender, update, reply, out),
            Ok(ClientFrame::Delete(delete)) => self.delete(store, now, sender, &delete, reply, out),
            Ok(ClientFrame::Signal(signal)) => self.signal(store, now, sender, signal, reply, out),
            Ok(ClientFrame::StartTurn(start)) => {
                self.start_turn(store, now, sender, start, reply, out)
            }
            Ok(ClientFrame::EndTurn(end)) => self.end_turn(store, now, sender, end, reply, out),
            Ok(ClientFrame::SuspendTurn(drive)) => {
                self.drive_turn(store, now, sender, Kind::SuspendTurn, drive, reply, out)
            }
            Ok(ClientFrame::ResumeTurn(drive)) => {
                self.drive_turn(store, now, sender, Kind::ResumeTurn, drive, reply, out)
            }
            Ok(ClientFrame::Heartbeat(drive)) => {
                self.drive_turn(store, now, sender, Kind::Heartbeat, drive, reply, out)
            }
            Ok(ClientFrame::AdoptTurn(adopt)) => self.adopt(store, now, sender, &adopt, reply, out),
            Ok(ClientFrame::Steered(steered)) => {
                self.steered(store, now, sender, &steered, reply, out)
            }
            Ok(ClientFrame::Cancel(cancel)) => self.cancel(store, now, sender, cancel, reply, out),
            Ok(ClientFrame::Steer(steer)) => self.steer(store, now, sender, steer, reply, out),
            Ok(ClientFrame::SetPresence(set)) => self.set_presence(now, sender, set, reply, out),
            Ok(ClientFrame::LeavePresence(_)) => self.leave_presence(now, sender, reply, out),
            Ok(ClientFrame::Seen(seen)) => self.seen(sender, &seen, reply, out),
            // The platform checks tokens, and hands what they grant to `renew`.
            Ok(ClientFrame::Auth(_)) => Err(misplaced("auth").into()),
        };
        match self.survive_frame(store, now, done, out) {
            Err(Error::Store(error)) => Err(error),
            Err(Error::Refused(error)) => {
                self.answer(out, reply, Err(error));
                Ok(false)
            }
            Ok(()) => Ok(true),
        }
    }
}

/// The refusal of a frame that came by HTTP.
pub(super) fn misplaced(kind: &str) -> ErrorInfo {
    let message = format!("unable to take {kind}; it only means something on a WebSocket");
    ErrorInfo::new(ErrorCode::UnknownFrame, message)
}

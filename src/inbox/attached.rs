//! Attaching to an inbox, renewing a token, leaving (P15.2).

use super::connection::{Connection, Live, Start};
use super::{Effect, Grant, Inbox, Sight};
use crate::machine::Text;
use crate::protocol::PROTOCOL_VERSION;
use crate::protocol::decode::{ClientFrame, Received, Ref};
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::frame::{Outcome, ServerFrame, encode, join};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::inbox::{Attached, changed as changed_frame};
use crate::protocol::limits::{INBOX_LIST, PAGE_BYTES};
use crate::protocol::serial::Serial;
use crate::store::{InboxStore, StoreError};
use crate::token::unauthorized;

/// The reason of a close for a revocation (P11.5).
pub(super) const REVOKED: &str = "the token was revoked";

impl Inbox {
    /// A connection was accepted: it is sent the inbox as of now.
    pub(super) fn open(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        connection: Connection,
        start: &Start,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if self
            .revocations
            .has(&connection.client, connection.issued_at)
        {
            let error = unauthorized("the token was revoked; ask for another one");
            nack(&connection.id, None, error, out);
            out.push(closing(&connection.id, close::UNAUTHORIZED, REVOKED));
            return Ok(());
        }
        if let Err(error) = self.has_room(&connection) {
            nack(&connection.id, None, error, out);
            out.push(closing(
                &connection.id,
                close::TOO_FAST,
                "too many connections",
            ));
            return Ok(());
        }
        let missed = self.missed(store, &connection.sight, start)?;
        let lists = match &missed {
            Some(_) => None,
            None => Some(self.lists(store, &connection.sight)?),
        };
        let frame = Attached {
            protocol: PROTOCOL_VERSION,
            inbox: &self.name,
            connection: &connection.id,
            client: &connection.client,
            expires_at: connection.expires_at,
            at: now,
            limits: &self.limits,
            resumed: missed.is_some(),
            serial: self.epoch.at(self.items.version),
            lists,
        };
        out.push(send(&connection.id, encode(&frame)));
        if let Some(frames) = missed.filter(|frames| !frames.is_empty()) {
            out.push(send(&connection.id, join(&frames)));
        }
        out.push(Effect::Remember(connection.clone()));
        let live = Live::new(connection, &self.limits);
        self.connections.insert(live.connection.id.clone(), live);
        Ok(())
    }

    /// The frames of everything that changed after the position of a reader; `None` if it is no
    /// position of this inbox, or too much has changed since.
    fn missed(
        &self,
        store: &InboxStore,
        sight: &Sight,
        start: &Start,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let serials = start.since.iter().flat_map(|since| since.split(','));
        let mut own = serials.filter_map(Serial::parse);
        let Some(since) = own.find(|serial| serial.epoch == self.epoch) else {
            return Ok(None);
        };
        let changed = self
            .items
            .changed(since.place, |it| self.may_see(sight, it));
        let Some(changed) = changed.filter(|changed| changed.len() <= INBOX_LIST) else {
            return Ok(None);
        };
        let (mut frames, mut bytes) = (Vec::new(), 0);
        for (version, key, is_gone) in changed {
            let body = match is_gone {
                true => None,
                false => store.bodies(&[&key])?.pop(),
            };
            let serial = self.epoch.at(version);
            let frame = changed_frame(key.kind, serial, &key.session, &key.id, body.as_deref());
            bytes += frame.len();
            if PAGE_BYTES < bytes {
                return Ok(None);
            }
            frames.push(frame);
        }
        Ok(Some(frames))
    }

    /// Whether there is room for one more connection, here and for this client (P14).
    fn has_room(&self, connection: &Connection) -> Result<(), ErrorInfo> {
        let (most, own) = (self.limits.connections(), self.limits.client_connections());
        let full = |whose: &str, count: usize| {
            let message = format!("unable to attach; {whose} has {count} connections");
            Err(ErrorInfo::new(ErrorCode::OverLimit, message))
        };
        if most <= self.connections.len() {
            return full("the inbox", most);
        }
        let others = self.connections.values();
        let others = others.filter(|live| live.connection.client == connection.client);
        if own <= others.count() {
            return full(&connection.client, own);
        }
        Ok(())
    }

    /// Takes frames. An inbox takes `auth`, which the platform removes first, and `seen`.
    pub(super) fn message(
        &mut self,
        now: Timestamp,
        id: &ConnectionId,
        frames: Vec<Received>,
        out: &mut Vec<Effect>,
    ) {
        if !self.may_speak(now, id, out) {
            return;
        }
        for received in frames {
            let reference = received.reference;
            match received.frame {
                Ok(ClientFrame::Seen(_)) => {
                    let nothing = Outcome::Nothing { duplicate: false };
                    ack(id, reference, nothing, out);
                }
                Ok(frame) => nack(id, reference, misplaced(&frame), out),
                Err(error) => nack(id, reference, error, out),
            }
        }
    }

    /// Whether a connection is open, with a valid token and within its rates; otherwise it is
    /// closed.
    fn may_speak(&mut self, now: Timestamp, id: &ConnectionId, out: &mut Vec<Effect>) -> bool {
        let Some(live) = self.connections.get_mut(id) else {
            return false;
        };
        if live.connection.expires_at <= now {
            self.shut(id, close::UNAUTHORIZED, "the token expired", out);
            return false;
        }
        if live.messages.take(now, 1).is_err() {
            self.shut(id, close::TOO_FAST, "too many messages", out);
            return false;
        }
        true
    }

    /// P13.6: one nack for an unreadable message.
    pub(super) fn unreadable(
        &mut self,
        now: Timestamp,
        id: &ConnectionId,
        error: ErrorInfo,
        out: &mut Vec<Effect>,
    ) {
        if !self.may_speak(now, id, out) {
            return;
        }
        let is_huge = error.code == ErrorCode::TooLarge;
        nack(id, None, error, out);
        if is_huge {
            self.shut(id, close::TOO_LARGE, "the message is too large", out);
        }
    }

    /// P2.6: a fresh token for the same client replaces the old one.
    pub(super) fn renew(
        &mut self,
        now: Timestamp,
        id: &ConnectionId,
        reference: &Option<Ref>,
        grant: Result<Grant, ErrorInfo>,
        out: &mut Vec<Effect>,
    ) {
        if !self.may_speak(now, id, out) {
            return;
        }
        let Some(live) = self.connections.get_mut(id) else {
            return;
        };
        let reference = reference.clone();
        match grant {
            Ok(grant) if grant.client == live.connection.client => {
                live.connection.expires_at = grant.expires_at;
                live.connection.issued_at = grant.issued_at;
                live.connection.sight = grant.sight;
                out.push(Effect::Remember(live.connection.clone()));
                let renewed = Outcome::Renewed {
                    expires_at: grant.expires_at,
                    at: now,
                };
                ack(id, reference, renewed, out);
            }
            Ok(_) => {
                let message = "unable to renew the token; its sub is another client";
                let error = ErrorInfo::new(ErrorCode::Unauthorized, message);
                nack(id, reference, error, out);
            }
            Err(error) => {
                let is_forbidden = error.code == ErrorCode::Forbidden;
                nack(id, reference, error, out);
                if is_forbidden {
                    self.shut(id, close::FORBIDDEN, "the token no longer grants it", out);
                }
            }
        }
    }

    /// Removes a connection and closes it.
    pub(super) fn shut(
        &mut self,
        id: &ConnectionId,
        code: u16,
        reason: &'static str,
        out: &mut Vec<Effect>,
    ) {
        if self.connections.remove(id).is_some() {
            out.push(closing(id, code, reason));
        }
    }
}

fn misplaced(frame: &ClientFrame) -> ErrorInfo {
    let message = format!("unable to {}; an inbox takes auth alone", frame.verb());
    ErrorInfo::new(ErrorCode::UnknownFrame, message)
}

fn ack(id: &ConnectionId, reference: Option<Ref>, result: Outcome, out: &mut Vec<Effect>) {
    // A frame without a `ref` is answered only when it is refused (P13.1).
    if reference.is_some() {
        let ack = ServerFrame::Ack {
            r#ref: reference,
            result,
        };
        out.push(send(id, ack.encode()));
    }
}

fn nack(id: &ConnectionId, reference: Option<Ref>, error: ErrorInfo, out: &mut Vec<Effect>) {
    let nack = ServerFrame::Nack {
        r#ref: reference,
        error,
    };
    out.push(send(id, nack.encode()));
}

fn send(id: &ConnectionId, text: String) -> Effect {
    let (to, text) = (vec![id.clone()], Text::from(text));
    Effect::Send { to, text }
}

fn closing(id: &ConnectionId, code: u16, reason: &'static str) -> Effect {
    let connection = id.clone();
    Effect::Close {
        connection,
        code,
        reason,
    }
}

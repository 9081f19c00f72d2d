//! Connections come, renew their tokens, fall behind and go (P2.6, P3.4, P13.7).

use super::answer::Reply;
use super::closing::Closing;
use super::connection::{Connection, Live};
use super::outbox::Outbox;
use super::{Session, Start};
use crate::machine::Carrier;
use crate::protocol::PROTOCOL_VERSION;
use crate::protocol::capability::Operation;
use crate::protocol::decode::Ref;
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::frame::{Attached, Outcome, ServerFrame};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::store::{Store, StoreError};
use crate::token::Grant;

/// The reserve for those who write is at most this share of all connections.
const RESERVED_SHARE: usize = 10;

impl Session {
    /// A connection is accepted: it is told where it stands, what it missed, and from then
    /// on everything. In one step, so that nothing falls between replay and live (P3.4).
    pub(super) fn open(
        &mut self,
        store: &Store,
        now: Timestamp,
        mut connection: Connection,
        start: &Start,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        connection.told = Some(self.epoch.as_str().to_owned());
        if let Err((error, code, reason)) = self.may_attach(&connection) {
            refuse(&connection.id, error, code, reason, out);
            return Ok(());
        }
        let is_attached = matches!(connection.carrier, Carrier::Socket | Carrier::Events);
        if is_attached
            && let Err(error) = connection
                .sender()
                .must(Operation::Read, "attach", &self.id)
        {
            refuse(
                &connection.id,
                error,
                close::FORBIDDEN,
                "the token lacks read",
                out,
            );
            return Ok(());
        }
        let sender = connection.sender();
        if is_attached && let Err(error) = self.limit(now, &sender, |rates| rates.may_ask(now)) {
            let id = &connection.id;
            refuse(id, error, close::TOO_FAST, "the client asks too much", out);
            return Ok(());
        }
        out.remember(&connection);
        let id = connection.id.clone();
        let mut live = Live::new(connection, &self.limits);
        if is_attached {
            // Nothing is settled: it begins with what is stored, and the rest comes to it with
            // the next window of those who are there.
            let replay = self.replay(store, &live.connection, start)?;
            let attached = ServerFrame::Attached(Box::new(Attached {
                protocol: PROTOCOL_VERSION,
                session: self.id.clone(),
                connection: id.clone(),
                client: live.connection.client.clone(),
                expires_at: live.connection.expires_at,
                at: now,
                serial: self.epoch.at(self.end),
                resumed: replay.is_resumed,
                reason: replay.reason,
                has_older: replay.has_older,
                presence: self.brief_presence(),
                turns: self.brief_turns(),
                limits: self.limits.clone(),
            }));
            let caught_up = ServerFrame::CaughtUp {
                serial: self.epoch.at(self.end),
            };
            let sent = out.replay(&id, &[attached.encode()])
                + out.replay(&id, &replay.frames)
                + out.replay(&id, &[caught_up.encode()]);
            live.replayed = u64::try_from(sent).unwrap_or(u64::MAX);
            live.probe.replayed(live.replayed);
            self.charge(now, &sender, sent);
            self.rollup.join(&live.connection);
            self.rollup.schedule(now, &self.settings);
            live.told_at = self.told.count;
        }
        self.expect_reminder(&live);
        self.connections.insert(id, live);
        Ok(())
    }

    /// Whether there is room for one more connection, of this client and here, and for keeping it.
    fn may_attach(&self, connection: &Connection) -> Result<(), (ErrorInfo, u16, &'static str)> {
        let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        let (limit, most) = (
            size(self.limits.connections),
            size(self.limits.client_connections),
        );
        let full = |who: &str| {
            let message = format!("unable to attach; {who}");
            let error = ErrorInfo::new(ErrorCode::OverLimit, message);
            Err((error, close::TOO_FAST, "too many connections"))
        };
        if limit <= self.connections.len() {
            return full(&format!("session {} has {limit} connections", self.id));
        }
        let operations = connection.operations;
        let is_writer =
            operations.contains(Operation::Publish) || operations.contains(Operation::Turn);
        let reserved = size(self.limits.reserved_connections).min(limit / RESERVED_SHARE);
        let open = limit - reserved;
        if !is_writer && open <= self.connections.len() {
            let who = format!(
                "session {} has {open} connections, and keeps the rest for those who publish",
                self.id
            );
            return full(&who);
        }
        let others = self.connections.values();
        let own = others.filter(|live| live.connection.client == connection.client);
        if most <= own.count() {
            let client = &connection.client;
            return full(&format!(
                "{client} has {most} connections to session {}",
                self.id
            ));
        }
        if connection.is_reader() && self.limits.readers_unsent_bytes < self.backlog {
            let bytes = self.backlog;
            return full(&format!(
                "the readers of session {} have {bytes} bytes to take, come again later",
                self.id
            ));
        }
        if !connection.fits() {
            let message = "unable to attach; the names that this connection follows and its \
                           client's are too large to be kept";
            let error = ErrorInfo::new(ErrorCode::TooLarge, message);
            return Err((error, close::TOO_LARGE, "too large to be kept"));
        }
        Ok(())
    }

    /// A connection is gone. Its body, if it carried one, has broken off (P5.5); nothing else
    /// follows from it: a closed connection is never a cancel.
    pub(super) fn leave(
        &mut self,
        store: &Store,
        now: Timestamp,
        connection: &ConnectionId,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        self.keep_pings(store)?;
        self.forget(connection);
        if connection.is_body() {
            self.fail_body(store, now, connection, out)?;
        }
        Ok(())
    }

    /// Fails what a streamed body was writing.
    pub(super) fn fail_body(
        &mut self,
        store: &Store,
        now: Timestamp,
        connection: &ConnectionId,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let open = self.rollup.open.iter();
        let broken = open.filter(|(_, open)| open.body.as_ref() == Some(connection));
        let broken: Vec<_> = broken.map(|(place, _)| *place).collect();
        if broken.is_empty() {
            return Ok(());
        }
        self.settle(store, now, out)?;
        for place in broken {
            if let Some(open) = self.rollup.open.get_mut(&place) {
                // Nobody's own append: whoever else appended is told as well.
                open.origin = None;
            }
            self.rollup.close(place, Closing::failed());
        }
        self.settle(store, now, out)
    }

    /// Takes a connection out of everything that knows it.
    pub(super) fn forget(&mut self, connection: &ConnectionId) {
        self.hear_pings();
        if let Some(live) = self.connections.remove(connection) {
            self.rollup.leave(&live.connection);
            self.absent(&live);
            if connection.is_body() {
                self.disown_bodies();
                self.expect_idle_streams();
            }
        }
    }

    /// A fresh token replaces the old one wholly; a bad one is refused and the old stands
    /// (P2.6).
    pub(super) fn renew(
        &mut self,
        now: Timestamp,
        connection: &ConnectionId,
        reference: Option<Ref>,
        chain: Option<u64>,
        grant: Result<Grant, ErrorInfo>,
        out: &mut Outbox,
    ) {
        let Some(live) = self.connections.get_mut(connection) else {
            return;
        };
        if live.connection.is_expired(now) {
            return self.shut(out, connection, close::UNAUTHORIZED, "the token expired");
        }
        let sender = live.connection.sender();
        if self
            .limit(now, &sender, |rates| rates.message(now))
            .is_err()
        {
            return self.shut(out, connection, close::TOO_FAST, "too many messages");
        }
        self.heard_frame(now, connection, out);
        let Some(live) = self.connections.get_mut(connection) else {
            return;
        };
        let known = &mut live.connection;
        let reply = Reply::new(&known.sender(), Some(known.carrier), reference);
        let grant = known.chains.check(chain, grant).and_then(|grant| {
            if grant.client != known.client {
                let message = format!("unable to renew the token; it is not {}'s", known.client);
                return Err(ErrorInfo::new(ErrorCode::Unauthorized, message));
            }
            if !known.fits_as(&grant) {
                let message = "unable to renew the token; its name is too large to be kept with \
                               what this connection follows and tells";
                return Err(ErrorInfo::new(ErrorCode::TooLarge, message));
            }
            Ok(grant)
        });
        let grant = match grant {
            Ok(grant) => grant,
            Err(error) => {
                // A token that holds, and grants nothing here, leaves nothing to stay for.
                let is_forbidden = error.code == ErrorCode::Forbidden;
                let mut chains = known.chains.clone();
                chains.end(chain);
                self.answer(out, &reply, Err(error));
                self.keep_chains(connection, chains, out);
                let limited = self.limit(now, &sender, |rates| rates.refusal(now));
                if is_forbidden {
                    self.shut(out, connection, close::FORBIDDEN, "the token lacks read");
                } else if limited.is_err() {
                    let reason = "too much that is refused";
                    self.shut(out, connection, close::TOO_FAST, reason);
                }
                return;
            }
        };
        let is_renamed = (&known.name, known.role) != (&grant.name, grant.role);
        known.operations = grant.operations;
        known.role = grant.role;
        known.name = grant.name;
        while !known.fits() && !known.chains.are_whole() {
            known.chains.forget_one();
        }
        known.expires_at = grant.expires_at;
        live.is_reminded = false;
        out.remember(known);
        let may_read = known.operations.contains(Operation::Read);
        let reminder = live.reminder_at();
        self.note_reminder(reminder);
        if is_renamed {
            self.renamed(connection);
        }
        self.answer(
            out,
            &reply,
            Ok(Outcome::Renewed {
                expires_at: grant.expires_at,
                at: now,
            }),
        );
        if !may_read {
            self.shut(out, connection, close::FORBIDDEN, "the token lacks read");
        }
    }

    /// The platform told how much a reader has not taken (P13.7).
    pub(super) fn unsent(&mut self, connection: &ConnectionId, bytes: u64, out: &mut Outbox) {
        let live = self.connections.get(connection);
        if live.is_some_and(|live| live.is_slow(bytes, &self.limits)) {
            self.shut(out, connection, close::TOO_FAST, "the reader is too slow");
        }
    }
}

fn refuse(id: &ConnectionId, error: ErrorInfo, code: u16, reason: &'static str, out: &mut Outbox) {
    out.send(id, &ServerFrame::Nack { r#ref: None, error });
    out.close(id, code, reason);
}

/// Refuses whoever came while what was pending could not be stored; it comes again.
pub(super) fn refuse_full(id: &ConnectionId, error: ErrorInfo, out: &mut Outbox) {
    refuse(id, error, close::TOO_FAST, "no room left", out);
}

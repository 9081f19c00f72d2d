//! What every feature asks before it changes anything: does it exist, may they, is there room.

use super::connection::Sender;
use super::frames::misplaced;
use super::{Error, Session};
use crate::machine::Carrier;
use crate::protocol::capability::Operation;
use crate::protocol::decode::Seen;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::Outcome;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::{PLACE_MAX, Place, Serial};
use crate::store::{Head, Kind, Store, StoreError, Write};

/// Places kept free at the log's end, so that what is pending can always be stored.
const PLACES_RESERVED: Place = 100_000;

impl Session {
    /// The place of a serial of this session.
    pub(super) fn place(&self, verb: &str, serial: Serial) -> Result<Place, ErrorInfo> {
        if serial.epoch == self.epoch && serial.place <= self.end {
            return Ok(serial.place);
        }
        Err(missing(verb, serial))
    }

    /// A message that exists, as it stands with what is stored.
    pub(super) fn existing(&self, store: &Store, verb: &str, place: Place) -> Result<Head, Error> {
        let head = store.head(place)?;
        Ok(head.ok_or_else(|| missing(verb, self.epoch.at(place)))?)
    }

    /// One's own messages need `publish`, others' need `edit` (P4.3, P5.2).
    pub(super) fn may_change(
        &self,
        verb: &str,
        sender: &Sender,
        owner: &str,
    ) -> Result<(), ErrorInfo> {
        let is_own = sender.client == owner;
        if is_own && sender.operations.contains(Operation::Publish) {
            return Ok(());
        }
        if sender.operations.contains(Operation::Edit) {
            return Ok(());
        }
        let needed = if is_own {
            Operation::Publish
        } else {
            Operation::Edit
        };
        sender.must(needed, verb, &self.id)
    }

    /// Whether there are places left in the log.
    pub(super) fn check_space(&self, verb: &str) -> Result<(), ErrorInfo> {
        if self.end < PLACE_MAX - PLACES_RESERVED {
            return Ok(());
        }
        let message = format!("unable to {verb}; the log of session {} is full", self.id);
        Err(ErrorInfo::new(ErrorCode::OverLimit, message))
    }

    /// Whether there is room for more, in the log and in the database. A change that ends or
    /// deletes something needs none.
    pub(super) fn check_room(&self, store: &Store, verb: &str) -> Result<(), Error> {
        self.check_space(verb)?;
        let most = self.limits.session_bytes;
        if store.has_room(most)? {
            return Ok(());
        }
        let message = format!(
            "unable to {verb}; session {} has as many bytes as it may, sessionBytes is {most}: \
             delete something or set retentionMs",
            self.id
        );
        Err(ErrorInfo::new(ErrorCode::OverLimit, message).into())
    }

    /// The place that an id of this client stands for already (P13.1).
    pub(super) fn once(
        &self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Place>, StoreError> {
        if self.created_at.is_none() {
            return Ok(None);
        }
        store.once(&sender.client, kind, id, self.ids_kept_since(now))
    }

    /// Keeps the id of a frame that is taken.
    pub(super) fn remember_id(
        &self,
        now: Timestamp,
        sender: &Sender,
        kind: Kind,
        id: &str,
        place: Place,
    ) -> Write {
        Write::Once {
            client: sender.client.clone(),
            kind,
            id: id.to_owned(),
            place,
            at: now,
            keep_since: self.ids_kept_since(now),
        }
    }

    fn ids_kept_since(&self, now: Timestamp) -> Timestamp {
        now - Timestamp::try_from(self.settings.id_retention_ms()).unwrap_or(now)
    }

    /// A reader has processed everything before a probe (P13.7).
    pub(super) fn seen(
        &mut self,
        sender: &Sender,
        seen: &Seen,
        reply: &super::answer::Reply,
        out: &mut super::outbox::Outbox,
    ) -> Result<(), Error> {
        // What carries a body into the session answers probes too; its lines are the client's.
        let id = sender.connection.as_ref();
        let live = id.and_then(|id| self.connections.get_mut(id));
        let Some(live) = live.filter(|live| live.connection.carrier != Carrier::Lines) else {
            return Err(misplaced("seen").into());
        };
        live.probe.answered(seen.n);
        self.answer(out, reply, Ok(Outcome::Nothing { duplicate: false }));
        Ok(())
    }
}

fn missing(verb: &str, serial: Serial) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::NotFound,
        format!("unable to {verb}; there is no message {serial}"),
    )
}

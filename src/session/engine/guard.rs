//! Permission, rate and room: the checks before a frame changes anything.

use super::connection::Sender;
use super::error::Error;
use super::rate::Rates;
use super::work::{Engine, Work};
use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::READ_ROW_BYTES;
use crate::protocol::serial::{PLACE_MAX, Place, Serial};

/// Places kept free at the log's end, so that pending text can always be stored.
const PLACES_RESERVED: Place = 100_000;

/// Bytes of effects that are not counted: most inputs stay below this.
const FREE_BYTES: usize = 4 * 1024;

/// Refuses one more that waits for somebody, beyond their number or their bytes.
pub(crate) fn check_pending(
    verb: &str,
    what: &str,
    others: impl ExactSizeIterator<Item = usize>,
    more: usize,
    (most, most_bytes): (usize, usize),
) -> Result<(), ErrorInfo> {
    let reason = if most <= others.len() {
        format!("{most} {what} are pending")
    } else if most_bytes < others.sum::<usize>().saturating_add(more) {
        format!("pending {what} would have more than {most_bytes} bytes")
    } else {
        return Ok(());
    };
    let message = format!("unable to {verb}; {reason}");
    Err(ErrorInfo::new(ErrorCode::OverLimit, message))
}

impl Work<'_> {
    /// One's own messages need `publish`, others' need `edit` (P4.3, P5.2).
    pub(crate) fn may_change(
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
        sender.must(needed, verb, &self.state.id)
    }

    /// Refuses an id of the form that only the session gives: a prefix and a serial.
    pub(crate) fn check_own_id(
        &self,
        verb: &str,
        prefix: &str,
        id: Option<&str>,
    ) -> Result<(), ErrorInfo> {
        let Some(id) = id else { return Ok(()) };
        if id.strip_prefix(prefix).and_then(Serial::parse).is_none() {
            return Ok(());
        }
        let message = format!("unable to {verb}; {id} is an id that the session gives");
        Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
    }

    /// Whether the log has places left.
    pub(crate) fn check_space(&self, verb: &str) -> Result<(), ErrorInfo> {
        if self.state.end < PLACE_MAX - PLACES_RESERVED {
            return Ok(());
        }
        let message = format!(
            "unable to {verb}; the log of session {} is full",
            self.state.id
        );
        Err(ErrorInfo::new(ErrorCode::OverLimit, message))
    }

    /// Whether the log and the database have room. A change that ends or deletes something needs
    /// none.
    pub(crate) fn check_room(&self, verb: &str) -> Result<(), Error> {
        self.check_space(verb)?;
        let most = self.state.limits.session_bytes;
        if self.store.has_room(most)? {
            return Ok(());
        }
        let message = format!(
            "unable to {verb}; session {} has as many bytes as it may, sessionBytes is {most}: \
         delete something or set retentionMs",
            self.state.id
        );
        Err(ErrorInfo::new(ErrorCode::OverLimit, message).into())
    }

    /// Takes from the rates of the connection, if there is one, and of its client.
    pub(crate) fn limit(
        &mut self,
        sender: &Sender,
        mut take: impl FnMut(&mut Rates, Timestamp) -> Result<(), ErrorInfo>,
    ) -> Result<(), ErrorInfo> {
        let now = self.now;
        let Engine {
            connections,
            clients,
            limits,
            ..
        } = &mut *self.state;
        let id = sender.connection.as_ref();
        if let Some(live) = id.and_then(|id| connections.get_mut(id)) {
            take(&mut live.rates, now)?;
        }
        clients.of(now, &sender.client, limits, |rates| take(rates, now))
    }

    /// Charges an input's effects to its client, in bytes, and the rows that it read; small amounts
    /// are free.
    pub(crate) fn charge(&mut self, sender: &Sender, bytes: usize) {
        let rows = self.store.rows_read().saturating_sub(self.rows_before);
        let read = usize::try_from(rows).unwrap_or(usize::MAX);
        let bytes = bytes.saturating_add(read.saturating_mul(READ_ROW_BYTES));
        if FREE_BYTES < bytes {
            let now = self.now;
            let Engine {
                clients, limits, ..
            } = &mut *self.state;
            clients.of(now, &sender.client, limits, |rates| rates.acted(now, bytes));
        }
    }
}

/// The refusal of a frame that came by HTTP, or in the lines of a body.
pub(crate) fn misplaced(kind: &str) -> ErrorInfo {
    let message = format!("unable to take {kind}; it is only valid on a WebSocket");
    ErrorInfo::new(ErrorCode::UnknownFrame, message)
}

//! May they, and is there room: what a frame is asked before it changes anything.

use super::connection::Sender;
use super::error::Error;
use super::work::Work;
use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::serial::{PLACE_MAX, Place};

/// Places kept free at the log's end, so that what is pending can always be stored.
const PLACES_RESERVED: Place = 100_000;

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

    /// Whether there are places left in the log.
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

    /// Whether there is room for more, in the log and in the database. A change that ends or
    /// deletes something needs none.
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
}

/// The refusal of a frame that came by HTTP, or in the lines of a body.
pub(crate) fn misplaced(kind: &str) -> ErrorInfo {
    let message = format!("unable to take {kind}; it only means something on a WebSocket");
    ErrorInfo::new(ErrorCode::UnknownFrame, message)
}

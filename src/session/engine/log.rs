//! The log: its beginning, its places, its content.

use super::error::Error;
use super::work::Work;
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::TRIM_KEPT;
use crate::protocol::serial::{Place, Serial};
use crate::store::{Beginning, Head, MetaWrite, StoreError, Trim, Write};

impl Work<'_> {
    /// The beginning of the session, if it has not begun (P1.2).
    pub(super) fn beginning(&self) -> Vec<Write> {
        if self.state.created_at.is_some() {
            return Vec::new();
        }
        vec![
            MetaWrite::Begin(Beginning {
                epoch: self.state.epoch,
                created_at: self.now,
                floor: self.state.floor,
                trimmed_at: None,
                settings: self.state.settings.clone(),
            })
            .into(),
        ]
    }

    /// The place of a serial of this session.
    pub(crate) fn place(&self, verb: &str, serial: Serial) -> Result<Place, ErrorInfo> {
        if serial.epoch == self.state.epoch && serial.place <= self.state.end {
            return Ok(serial.place);
        }
        Err(missing(verb, serial))
    }

    /// An existing message, as stored.
    pub(crate) fn existing(&self, verb: &str, place: Place) -> Result<Head, Error> {
        let head = self.store.head(place)?;
        Ok(head.ok_or_else(|| missing(verb, self.state.epoch.at(place)))?)
    }

    /// The place of a message that a frame names, which must exist.
    pub(crate) fn message_place(
        &self,
        verb: &str,
        serial: Option<Serial>,
    ) -> Result<Option<Place>, Error> {
        let Some(serial) = serial else {
            return Ok(None);
        };
        let place = self.place(verb, serial)?;
        self.existing(verb, place)?;
        Ok(Some(place))
    }

    /// The frame that tells readers of everything that retention has removed so far.
    pub(crate) fn trimmed(&self) -> Result<ServerFrame, StoreError> {
        let kept = self.store.oldest(self.state.floor, TRIM_KEPT)?.into_iter();
        let keep = kept.map(|place| self.state.epoch.at(place)).collect();
        Ok(ServerFrame::Trim {
            before: self.state.epoch.at(self.state.floor + 1),
            keep,
        })
    }

    /// Removes messages from the log, with all records up to a place (P11.2), and stores what
    /// follows from that.
    pub(crate) fn trim(
        &mut self,
        up_to: Place,
        gone: Vec<Place>,
        also: Vec<Write>,
    ) -> Result<(), StoreError> {
        self.state.floor = up_to;
        self.state.trimmed_at = Some(self.now);
        let mut step = self.step();
        // Trimming does not count as activity.
        step.note(Trim {
            up_to,
            gone,
            at: self.now,
        });
        also.into_iter().for_each(|write| step.note(write));
        self.commit(step)?;
        let frame = self.trimmed()?;
        self.broadcast(&frame, None);
        Ok(())
    }

    /// The place at which a page begins.
    pub(crate) fn cursor(&self, name: &str, text: &str) -> Result<Place, ErrorInfo> {
        let serial = Serial::parse(text).filter(|serial| serial.epoch == self.epoch);
        serial.map(|serial| serial.place).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let message = format!("unable to read; {name} {shown:?} is no serial of this session");
            ErrorInfo::new(ErrorCode::NotFound, message)
        })
    }

    /// The next place of the log.
    pub(crate) fn next_place(&mut self) -> Place {
        self.state.end += 1;
        self.state.end
    }

    /// The refusal for want of room.
    pub(crate) fn full(&self) -> ErrorInfo {
        let message = format!(
            "unable to write; the database of session {} has no room left",
            self.state.id
        );
        ErrorInfo::new(ErrorCode::OverLimit, message)
    }

    /// Deletes everything and closes all connections.
    pub(crate) fn end_life(&mut self) {
        self.state.is_gone = true;
        self.close_all();
        self.out.is_erased = true;
    }

    pub(super) fn close_all(&mut self) {
        self.shut_all(close::GONE, "the session was deleted");
    }

    /// Closes all connections.
    pub(crate) fn shut_all(&mut self, code: u16, reason: &'static str) {
        let connections: Vec<ConnectionId> = self.state.connections.keys().cloned().collect();
        for connection in connections {
            self.shut(&connection, code, reason);
        }
    }

    /// The answer to everything between the decision to delete and its end.
    pub(crate) fn gone(&self) -> ErrorInfo {
        let message = format!(
            "unable to use session {}; it is being deleted",
            self.state.id
        );
        ErrorInfo::new(ErrorCode::Gone, message)
    }
}

fn missing(verb: &str, serial: Serial) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::NotFound,
        format!("unable to {verb}; there is no message {serial}"),
    )
}

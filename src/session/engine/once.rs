//! Ids of frames that were taken (P13.1).

use super::connection::Sender;
use super::frame_id::FrameId;
use super::work::Work;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;
use crate::store::{IdWrite, Kind, StoreError, Write};

impl Work<'_> {
    /// The place that an id of this client already stands for (P13.1).
    pub(crate) fn once(
        &self,
        sender: &Sender,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Place>, StoreError> {
        if self.state.created_at.is_none() {
            return Ok(None);
        }
        self.store
            .once(&sender.client, kind, id, self.ids_kept_since())
    }

    /// The row that makes the current frame's id, if it has one, stand for a place.
    pub(crate) fn take_frame_id(&mut self, place: Place) -> Option<Write> {
        let FrameId { client, kind, id } = self.frame_id.take()?;
        Some(
            IdWrite {
                client,
                kind,
                id,
                place,
                at: self.now,
                keep_since: self.ids_kept_since(),
            }
            .into(),
        )
    }

    fn ids_kept_since(&self) -> Timestamp {
        self.now - Timestamp::try_from(self.state.settings.id_retention_ms()).unwrap_or(self.now)
    }
}

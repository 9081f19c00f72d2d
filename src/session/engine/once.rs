//! Ids of frames that were taken (P13.1).

use super::connection::Sender;
use super::work::Work;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;
use crate::store::{Kind, StoreError, Write};

/// The id of a frame that is about to be taken.
#[derive(Debug)]
pub(crate) struct FrameId {
    client: String,
    kind: Kind,
    id: String,
}

impl FrameId {
    pub(crate) fn new(sender: &Sender, kind: Kind, id: &str) -> Self {
        Self {
            client: sender.client.clone(),
            kind,
            id: id.to_owned(),
        }
    }
}

/// The id of a frame that stands for something already.
#[derive(Debug)]
pub(crate) struct Known {
    /// What the frame does.
    pub(crate) verb: &'static str,
    pub(crate) id: String,
    /// What it stands for.
    pub(crate) place: Place,
}

impl Known {
    /// Refuses a frame that is about something else: nothing of it would be stored.
    pub(crate) fn must_be(&self, target: Place) -> Result<(), ErrorInfo> {
        if self.place == target {
            return Ok(());
        }
        let Self { verb, id, .. } = self;
        let message = format!("unable to {verb}; id {id} was used for something else");
        Err(ErrorInfo::new(ErrorCode::Conflict, message))
    }
}

impl Work<'_> {
    /// The place that an id of this client stands for already (P13.1).
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

    /// The row by which the id of the frame at hand, if it has one, stands for a place.
    pub(crate) fn take_frame_id(&mut self, place: Place) -> Option<Write> {
        let FrameId { client, kind, id } = self.frame_id.take()?;
        Some(Write::Once {
            client,
            kind,
            id,
            place,
            at: self.now,
            keep_since: self.ids_kept_since(),
        })
    }

    fn ids_kept_since(&self) -> Timestamp {
        self.now - Timestamp::try_from(self.state.settings.id_retention_ms()).unwrap_or(self.now)
    }
}

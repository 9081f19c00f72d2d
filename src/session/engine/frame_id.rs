//! A frame's own id, before and after it was taken (P13.1).

use super::connection::Sender;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::serial::Place;
use crate::store::Kind;

/// The id of a frame that is about to be taken.
#[derive(Debug)]
pub(crate) struct FrameId {
    pub(super) client: String,
    pub(super) kind: Kind,
    pub(super) id: String,
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

/// The id of a frame that was taken before.
#[derive(Debug)]
pub(crate) struct Known {
    /// The frame's action.
    pub(crate) verb: &'static str,
    pub(crate) id: String,
    /// The place that the id stands for.
    pub(crate) place: Place,
}

impl Known {
    /// Refuses a frame with another target: it would be acknowledged and not stored.
    pub(crate) fn must_be(&self, target: Place) -> Result<(), ErrorInfo> {
        if self.place == target {
            return Ok(());
        }
        let Self { verb, id, .. } = self;
        let message = format!("unable to {verb}; id {id} was used for something else");
        Err(ErrorInfo::new(ErrorCode::Conflict, message))
    }
}

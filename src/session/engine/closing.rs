//! The end of a streaming message: one entry, with all changes that belong to it (P4.3, P5.1).

use crate::protocol::ids::Timestamp;
use crate::protocol::message::{Headers, Status, as_json};
use crate::protocol::serial::Place;
use crate::store::{Change, Close, Entry, TextWrite, Write};

/// How a message ends.
#[derive(Clone, Debug)]
pub(crate) struct Closing {
    /// The final status.
    pub(crate) status: Status,
    /// Its new headers, if they change with the end.
    pub(crate) headers: Option<Headers>,
    /// The client that closes it; `None` for the session itself.
    pub(crate) client: Option<String>,
}

impl Closing {
    /// The end of a message that broke off.
    pub(crate) fn failed() -> Self {
        Self {
            status: Status::Failed,
            headers: None,
            client: None,
        }
    }

    /// The changes to rows. A reader that missed no more than text and a status is sent no more, so
    /// the entry says whether anything else changed (P3.5).
    pub(super) fn writes(
        &self,
        place: Place,
        version: Place,
        seq: u64,
        at: Timestamp,
    ) -> [Write; 2] {
        let what = match &self.headers {
            None => Change::Close,
            Some(_) => Change::Update,
        };
        let close = TextWrite::Close(Close {
            place,
            version,
            seq,
            status: self.status,
            headers: self.headers.as_ref().map(as_json),
            at,
        })
        .into();
        let change = Entry {
            place: version,
            what,
            subject: place,
            client: self.client.clone(),
            at,
        }
        .into();
        [close, change]
    }
}

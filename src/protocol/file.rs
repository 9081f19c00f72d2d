//! Files (P11.7): what a session knows of one. Their bytes are in a bucket, beside it.
//!
//! Names and types come harmless from the Worker, which also serves them (`bucket/files.js`).

use serde::Serialize;

use super::ids::Timestamp;
use super::object::read_fields;

/// The parameters of an upload.
pub const UPLOAD: &[&str] = &["name", "id"];

/// A file of a session, as its row has it and clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Its id, which begins with the time of the upload: ids are in its order.
    pub id: String,
    /// Its name, without anything that a path or a terminal would obey.
    pub name: String,
    /// Its media type, without parameters.
    #[serde(rename = "type")]
    pub media: String,
    /// Its size; while it arrives, the most that it may have.
    pub bytes: u64,
    /// The client that uploaded it.
    pub client: String,
    /// When.
    pub created_at: Timestamp,
}

/// A file that begins to arrive, as the Worker tells the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its id, which the Worker draws.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media: String,
    /// Its size, or the most that it may have.
    pub bytes: u64,
    /// The client's own id of the upload (P13.1).
    pub upload: Option<String>,
}

read_fields!(NewFile {
    id,
    name,
    media as "type",
    bytes,
    upload,
});

/// The end of an upload, as the Worker tells the session.
pub(super) struct Arrived {
    /// Its size; `None` if it broke off.
    pub(super) bytes: Option<u64>,
}

read_fields!(Arrived { bytes });

/// Where a file's bytes are, as the session tells the Worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Located {
    /// The file.
    pub file: File,
    /// The name of its object in the bucket.
    pub key: String,
    /// The client that asked.
    pub asker: String,
    /// Whether an earlier upload with its `id` has brought it already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

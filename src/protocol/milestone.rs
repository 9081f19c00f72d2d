//! Milestones: what a deployment's owner is told of a session's life (P11.8), as a line of the log
//! and a point of statistics. None is told for an append, and none holds content, a token, or words
//! that people or agents wrote.

use serde::Serialize;

use super::ids::Timestamp;

/// An event of a session's life. A field means the same in each of them; those that say nothing
/// are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Milestone {
    /// The event: of a frame of the session its type, else one of P11.8.
    pub event: &'static str,
    /// When.
    pub at: Timestamp,
    /// The session.
    pub session: String,
    /// The client that did it, or whose connection it is; the session itself if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The role of that client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// The id of the connection, the turn or the approval; the number of a delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The turn of an approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// The kind of the connection, the approval or the delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// The status of the turn or the approval after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// The target of a delivery, without the path of an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The session's own reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The code that a connection was closed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<Timestamp>,
    /// How many: frames of a replay, attempts at a turn or a delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Bytes of a replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The trace context of the turn (P6.13).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Milestones before it that were beyond the bound (P14).
    #[serde(skip_serializing_if = "is_none")]
    pub missed: u64,
}

const fn is_none(missed: &u64) -> bool {
    *missed == 0
}

/// An address without its path and its query, which may hold a secret; any other target as it is.
pub fn place_of(target: &str) -> &str {
    let Some(at) = target.find("://") else {
        return target;
    };
    let host = target.get(at + 3..).unwrap_or_default();
    let end = host.find(['/', '?', '#']).unwrap_or(host.len());
    target.get(..at + 3 + end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::place_of;

    #[test]
    fn an_address_is_told_without_what_may_be_secret() {
        for (target, place) in [
            ("https://a.example/hook?key=1", "https://a.example"),
            ("https://a.example:8443?key=1", "https://a.example:8443"),
            ("http://[::1]:80#x", "http://[::1]:80"),
            ("https://a.example", "https://a.example"),
            ("queue:JOBS", "queue:JOBS"),
            ("client:ada", "client:ada"),
        ] {
            assert_eq!(place_of(target), place);
        }
    }
}

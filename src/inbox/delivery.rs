//! A notice on its way to a device, and how that ended (P10.2).

use crate::machine::Outcome;

/// A call that the platform is to make, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// To the service of a device.
    Post(Posting),
    /// To another object of the deployment.
    Revoke(Revoking),
}

/// A revocation for an inbox or a session (P11.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoking {
    /// Its number.
    pub number: u64,
    /// Whether it is for a session.
    pub is_session: bool,
    /// Whether that is to be deleted (P11.10).
    pub erases: bool,
    /// The name of that object.
    pub name: String,
    /// The revocation as JSON.
    pub body: String,
}

/// A notice for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Its number.
    pub number: u64,
    /// The device as JSON, as the transports take it.
    pub device: String,
    /// The notice as JSON, without `decide`.
    pub notice: String,
    /// `{id, collapse, ttlS, urgency}` as JSON.
    pub options: String,
    /// The address and the token that its buttons need.
    pub decide: Option<Decide>,
}

/// How the buttons of a notice decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decide {
    /// The address.
    pub url: String,
    /// The claims of the token that opens it, as JSON.
    pub claims: String,
}

/// The end of an attempt, as the transport tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The delivery's number.
    pub number: u64,
    /// The status of the service's answer; 0 without one.
    pub status: u16,
    /// Milliseconds to wait that the service asks for.
    pub retry_after_ms: Option<u64>,
    /// Whether the service knows the device no more.
    pub is_gone: bool,
    /// The reason, for people.
    pub reason: Option<String>,
}

impl Delivered {
    /// A service that finds the request itself wrong, or too large, will do so again.
    pub(super) fn outcome(&self) -> Outcome {
        let said = self.reason.clone();
        match self.status {
            0 => Outcome::Failed {
                reason: said.unwrap_or_default(),
            },
            status @ (400 | 413) => Outcome::Refused {
                reason: format!("it answered {status}: {}", said.unwrap_or_default()),
            },
            status => Outcome::Answered {
                status,
                retry_after_ms: self.retry_after_ms,
            },
        }
    }
}

//! Who is attached, and what is kept with the connection while the session sleeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::chain::Chains;
use super::probe::Probe;
use super::rate::Rates;
use crate::machine::Carrier;
use crate::protocol::capability::{Operation, Operations, Role};
use crate::protocol::data::Data;
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::{KEPT_BYTES, Limits, TOKEN_REMINDER_MS};
use crate::protocol::presence::Member;
use crate::token::Grant;

/// What makes a connection a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Present {
    /// What it tells of itself.
    pub data: Option<Data>,
    /// Since when it is there.
    pub since: Timestamp,
    /// Whether it is only counted, and not listed (P7.3).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_counted: bool,
}

/// A connection, as it is kept in the socket's attachment: 16 KiB at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Drawn at random when it was accepted.
    pub id: ConnectionId,
    /// What it is for.
    pub carrier: Carrier,
    /// Who is behind it: the token's `sub`.
    pub client: String,
    /// The client's display name.
    pub name: Option<String>,
    /// What presence calls this client (P2.1).
    pub role: Role,
    /// What its token grants in this session.
    pub operations: Operations,
    /// When its token expires (P2.6).
    pub expires_at: Timestamp,
    /// The rollup window it asked for (P5.4).
    pub window_ms: u64,
    /// Only messages of these names (P3.3).
    pub names: Option<Vec<String>>,
    /// The epoch that it was told, so that a session which nobody has written to yet keeps
    /// it over a sleep without writing a row (P1.2).
    pub told: Option<String>,
    /// When a frame came over it, at the earliest; a third of `presenceTimeoutMs` later at
    /// most (P7.2).
    #[serde(default)]
    pub heard_at: Timestamp,
    /// What makes it a member, if it is one (P7.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Present>,
    /// The chains that broke on it (P13.8).
    #[serde(default, skip_serializing_if = "Chains::are_whole")]
    pub chains: Chains,
    /// Whether the platform does not tell how much it has taken, so that probes must (P13.7).
    pub is_probed: bool,
}

impl Connection {
    /// Whether frames of the log go to it.
    pub fn is_reader(&self) -> bool {
        matches!(self.carrier, Carrier::Socket | Carrier::Events)
            && self.operations.contains(Operation::Read)
    }

    /// Whether messages of this name go to it (P3.3).
    pub fn follows(&self, name: &str) -> bool {
        self.names
            .as_ref()
            .is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }

    /// Whether its token has expired (P2.6).
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// Whether there is room to keep it. JavaScript's text is a byte for each character, or two
    /// for each as soon as one of them is beyond Latin-1.
    pub(crate) fn fits(&self) -> bool {
        let text = serde_json::to_string(self).unwrap_or_default();
        let is_narrow = text.chars().all(|character| character <= '\u{ff}');
        let width = if is_narrow { 1 } else { 2 };
        text.encode_utf16().count() * width <= KEPT_BYTES
    }

    /// Whether there would be room with what a fresh token says of the client. Chains that broke
    /// make room.
    pub(crate) fn fits_as(&self, grant: &Grant) -> bool {
        let renamed = Self {
            name: grant.name.clone(),
            chains: Chains::default(),
            ..self.clone()
        };
        renamed.fits()
    }

    /// The client behind it, as the one who sends its frames.
    pub fn sender(&self) -> Sender {
        Sender {
            connection: Some(self.id.clone()),
            client: self.client.clone(),
            operations: self.operations,
            role: self.role,
        }
    }
}

impl Connection {
    /// The connection as a member, if it is one.
    pub(crate) fn as_member(&self) -> Option<Member> {
        self.member.as_ref().map(|present| self.announced(present))
    }

    /// The same if it is listed.
    pub(crate) fn as_listed(&self) -> Option<Member> {
        let listed = self.member.as_ref().filter(|present| !present.is_counted);
        listed.map(|present| self.announced(present))
    }

    /// The connection as a member that tells this of itself.
    pub(crate) fn announced(&self, present: &Present) -> Member {
        Member {
            client: self.client.clone(),
            name: self.name.clone(),
            connection: self.id.clone(),
            role: self.role,
            data: present.data.clone(),
            since: present.since,
        }
    }
}

/// Who sends a frame or a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Over which connection; `None` for an HTTP request.
    pub connection: Option<ConnectionId>,
    /// Who.
    pub client: String,
    /// What its token grants in this session.
    pub operations: Operations,
    /// The role that its token says (P2.1).
    pub role: Role,
}

impl Sender {
    /// Who asks over HTTP.
    pub fn from_grant(grant: &Grant) -> Self {
        Self {
            connection: None,
            client: grant.client.clone(),
            operations: grant.operations,
            role: grant.role,
        }
    }

    /// Refuses what the token does not grant (P2.5).
    pub(crate) fn must(&self, operation: Operation, verb: &str, id: &str) -> Result<(), ErrorInfo> {
        self.operations.require(operation, verb, id)
    }
}

/// A connection in memory: what it is, and what a session that wakes up may forget.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) connection: Connection,
    /// How fast it sends.
    pub(crate) rates: Rates,
    /// Bytes of its replay: a reader that is slow to take them is not yet a slow reader.
    pub(crate) replayed: u64,
    /// The probe that is out, and what was sent since (P13.7).
    pub(crate) probe: Probe,
    /// Whether it was told that its token is about to expire.
    pub(crate) is_reminded: bool,
    /// When a frame last came over it.
    pub(crate) heard_at: Timestamp,
    /// When it last sent a text `ping`.
    pub(crate) pinged_at: Timestamp,
    /// Whether everybody was told that it is there.
    pub(crate) is_announced: bool,
    /// The last change of presence that it was told of by attaching.
    pub(crate) listed_at: u64,
}

impl Live {
    pub(crate) fn new(connection: Connection, limits: &Limits) -> Self {
        Self {
            rates: Rates::new(limits, 1, "connection"),
            replayed: 0,
            probe: Probe::default(),
            is_announced: connection.as_listed().is_some(),
            is_reminded: false,
            heard_at: Timestamp::MIN,
            pinged_at: Timestamp::MIN,
            listed_at: 0,
            connection,
        }
    }

    /// When something is due about its token: the reminder, once.
    pub(crate) fn reminder_at(&self) -> Option<Timestamp> {
        (!self.is_reminded).then(|| self.connection.expires_at - TOKEN_REMINDER_MS)
    }
}

impl Live {
    /// When it was last heard.
    pub(crate) fn last_heard(&self) -> Timestamp {
        self.heard_at.max(self.pinged_at)
    }
}

impl Live {
    /// The platform told what the reader has not taken; whether that is too much.
    pub(super) fn is_slow(&self, bytes: u64, limits: &Limits) -> bool {
        limits.unsent_bytes.saturating_add(self.replayed) < bytes
    }
}

/// The WebSocket that a frame came over: some frames mean nothing elsewhere (P12.1).
pub(crate) fn socket_of<'a>(
    connections: &'a mut BTreeMap<ConnectionId, Live>,
    sender: &Sender,
) -> Option<&'a mut Live> {
    let live = connections.get_mut(sender.connection.as_ref()?)?;
    (live.connection.carrier == Carrier::Socket).then_some(live)
}

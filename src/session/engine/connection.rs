//! Connections, and the state kept with each while the session sleeps.

use serde::Serialize;

use super::chain::Chains;
use super::probe::Probe;
use super::rate::Rates;
use super::trace::Trace;
use crate::machine::Carrier;
use crate::ordered::Map;
use crate::protocol::capability::{Operation, Operations, Role};
use crate::protocol::data::Data;
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::{KEPT_BYTES, Limits, TOKEN_REMINDER_MS};
use crate::protocol::object::read_fields;
use crate::protocol::presence::Member;
use crate::token::Grant;

/// Membership of a connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Present {
    /// The member's own data.
    pub data: Option<Data>,
    /// When it entered.
    pub since: Timestamp,
    /// Whether it is only counted, and not listed (P7.3).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_counted: bool,
}

read_fields!(Present {
    data,
    since,
    is_counted: or_default,
});

/// A connection, as kept in the socket's attachment: 16 KiB at most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Connection {
    /// A random id, drawn on acceptance.
    pub id: ConnectionId,
    /// The use of the connection.
    pub carrier: Carrier,
    /// The client: the token's `sub`.
    pub client: String,
    /// The client's display name.
    pub name: Option<String>,
    /// The client's role in presence (P2.1).
    pub role: Role,
    /// The operations that its token grants in this session.
    pub operations: Operations,
    /// When its token expires (P2.6).
    pub expires_at: Timestamp,
    /// When its token was issued; 0 where that does not say (P11.5).
    #[serde(skip_serializing_if = "is_never")]
    pub issued_at: Timestamp,
    /// The rollup window it asked for (P5.4).
    pub window_ms: u64,
    /// If set, only messages of these names are sent (P3.3).
    pub names: Option<Vec<String>>,
    /// The epoch that the connection was told: a session without any write keeps it over a sleep
    /// without writing a row (P1.2).
    pub told: Option<String>,
    /// When a frame last came over it: this time, or up to a third of `presenceTimeoutMs` later
    /// (P7.2).
    pub heard_at: Timestamp,
    /// Its membership, if it is a member (P7.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<Present>,
    /// The chains that broke on it (P13.8).
    #[serde(skip_serializing_if = "Chains::are_whole")]
    pub chains: Chains,
    /// Whether the platform does not report its unsent bytes, so that probes must (P13.7).
    pub is_probed: bool,
}

read_fields!(Connection {
    id,
    carrier,
    client,
    name,
    role,
    operations,
    expires_at,
    issued_at: or_default,
    window_ms,
    names,
    told,
    heard_at: or_default,
    member,
    chains: or_default,
    is_probed,
});

const fn is_never(at: &Timestamp) -> bool {
    *at == 0
}

impl Connection {
    /// Whether it is sent frames of the log.
    pub fn is_reader(&self) -> bool {
        matches!(self.carrier, Carrier::Socket | Carrier::Events)
            && self.operations.contains(Operation::Read)
    }

    /// Whether it is sent messages of this name (P3.3).
    pub fn follows(&self, name: &str) -> bool {
        self.names
            .as_ref()
            .is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }

    /// Whether its token has expired (P2.6).
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// Whether the attachment has room for it. JavaScript's text takes a byte for each character,
    /// or two as soon as one character is beyond Latin-1.
    pub(crate) fn fits(&self) -> bool {
        let text = serde_json::to_string(self).unwrap_or_default();
        let is_narrow = text.chars().all(|character| character <= '\u{ff}');
        let width = if is_narrow { 1 } else { 2 };
        text.encode_utf16().count() * width <= KEPT_BYTES
    }

    /// Whether the attachment would have room with the claims of a fresh token. Broken chains make
    /// room.
    pub(crate) fn fits_as(&self, grant: &Grant) -> bool {
        let renamed = Self {
            name: grant.name.clone(),
            chains: Chains::default(),
            ..self.clone()
        };
        renamed.fits()
    }

    /// The client, as the sender of its frames.
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

    /// The connection as a member, if it is listed.
    pub(crate) fn as_listed(&self) -> Option<Member> {
        let listed = self.member.as_ref().filter(|present| !present.is_counted);
        listed.map(|present| self.announced(present))
    }

    /// The connection as a member with this data.
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

/// The sender of a frame or a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The connection; `None` for an HTTP request.
    pub connection: Option<ConnectionId>,
    /// The client.
    pub client: String,
    /// The operations that its token grants in this session.
    pub operations: Operations,
    /// The role that its token says (P2.1).
    pub role: Role,
}

impl Sender {
    /// The sender of an HTTP request.
    pub fn from_grant(grant: &Grant) -> Self {
        Self {
            connection: None,
            client: grant.client.clone(),
            operations: grant.operations,
            role: grant.role,
        }
    }

    /// Whether a word that names a client, or a role as `role:NAME`, means the sender.
    pub(crate) fn is(&self, word: &str) -> bool {
        match word.strip_prefix("role:") {
            Some(role) => role == self.role.as_str(),
            None => word == self.client,
        }
    }

    /// Refuses an operation that the token does not grant (P2.5).
    pub(crate) fn must(&self, operation: Operation, verb: &str, id: &str) -> Result<(), ErrorInfo> {
        self.operations.require(operation, verb, id)
    }
}

/// A connection in memory: the kept state, and state that a waking session may lack.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) connection: Connection,
    /// Its rates.
    pub(crate) rates: Rates,
    /// Bytes of its replay: a reader that takes long over them is not yet a slow reader.
    pub(crate) replayed: u64,
    /// The probe in flight, and the bytes sent since (P13.7).
    pub(crate) probe: Probe,
    /// Whether the reminder of its token's end was sent.
    pub(crate) is_reminded: bool,
    /// When a frame last came over it.
    pub(crate) heard_at: Timestamp,
    /// When it last sent a text `ping`.
    pub(crate) pinged_at: Timestamp,
    /// Whether its membership was announced.
    pub(crate) is_announced: bool,
    /// The last change of presence included in its `attached`.
    pub(crate) listed_at: u64,
    /// For diagnostics (P11.4).
    pub(crate) trace: Trace,
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
            trace: Trace::default(),
            connection,
        }
    }

    /// The time of the token's reminder, once.
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
    /// The platform reports the reader's unsent bytes; returns whether they are too many.
    pub(super) fn is_slow(&self, bytes: u64, limits: &Limits) -> bool {
        limits.unsent_bytes.saturating_add(self.replayed) < bytes
    }
}

/// The WebSocket of a frame: some frames make sense nowhere else (P12.1).
pub(crate) fn socket_of<'a>(
    connections: &'a mut Map<ConnectionId, Live>,
    sender: &Sender,
) -> Option<&'a mut Live> {
    let live = connections.get_mut(sender.connection.as_ref()?)?;
    (live.connection.carrier == Carrier::Socket).then_some(live)
}

//! The session's implementation of the contract [`Machine`].

use super::{Chains, Connection, Delivered, Delivery, Input, Request, Sender, Session, Start};
use crate::machine::{Attached, Carrier, Effects, Machine};
use crate::protocol::deployment::Deployment;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::Limits;
use crate::protocol::query::Attach;
use crate::protocol::query::Parts;
use crate::protocol::routes::Decode;
use crate::store::{Store, StoreError};
use crate::token::{Claims, Grant};

impl Machine for Session {
    type Store = Store;
    type Connection = Connection;
    type Start = Start;
    type Attach = Attach;
    type Grant = Grant;
    type Sender = Sender;
    type Request = Request;
    type Delivery = Delivery;
    type Delivered = Delivered;

    fn load(
        name: &str,
        deployment: Deployment,
        store: &Store,
        connections: Vec<Connection>,
        entropy: u32,
    ) -> Result<Self, StoreError> {
        Self::load(name, deployment, store, connections, entropy)
    }

    fn handle(
        &mut self,
        store: &Store,
        now: Timestamp,
        input: Input,
    ) -> Result<Effects<Self>, StoreError> {
        self.handle(store, now, input)
    }

    fn window(&self) -> Option<Timestamp> {
        self.window()
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.deadline()
    }

    fn listens_at(&self) -> Timestamp {
        self.listens_at()
    }

    fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections()
    }

    fn request(decode: Decode, parts: &Parts<'_>, limits: &Limits) -> Request {
        let request = match decode {
            Decode::Session(read) => read(parts, limits),
            Decode::Inbox(_) => Err(ErrorInfo::new(
                ErrorCode::NotFound,
                "unable to read the request; it is not of a session",
            )),
        };
        request.unwrap_or_else(|error| Request::Shorthand(Err(error)))
    }

    fn grant(claims: &Claims, name: &str) -> Result<Grant, ErrorInfo> {
        claims.grant(name)
    }

    fn sender(grant: &Grant) -> Sender {
        Sender::from_grant(grant)
    }

    fn attach(
        id: ConnectionId,
        carrier: Carrier,
        grant: Grant,
        attach: Attach,
        is_probed: bool,
    ) -> (Connection, Start) {
        let connection = Connection {
            id,
            carrier,
            client: grant.client,
            name: grant.name,
            role: grant.role,
            operations: grant.operations,
            expires_at: grant.expires_at,
            issued_at: grant.issued_at,
            window_ms: attach.window_ms,
            names: attach.names,
            told: None,
            heard_at: 0,
            member: None,
            chains: Chains::default(),
            is_probed,
        };
        let start = Start {
            since: attach.since,
            rewind: attach.rewind,
        };
        (connection, start)
    }
}

impl Attached for Connection {
    fn id(&self) -> &ConnectionId {
        &self.id
    }

    fn carrier(&self) -> Carrier {
        self.carrier
    }
}

//! The inbox's implementation of the contract [`Machine`].

use super::connection::Live;
use super::items::Items;
use super::revocations::Revocations;
use super::{
    Connection, Delivered, Delivery, Grant, Inbox, Input, Sight, Start, address, epoch_of,
};
use crate::machine::{Attached, Bucket, Carrier, DELIVERIES_AT_ONCE, Effects, Machine, Queue};
use crate::protocol::capability::{Operation, Role};
use crate::protocol::deployment::Deployment;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::inbox::{Attach, Request};
use crate::protocol::limits::{DEVICE_CHANGES_BURST, DEVICE_CHANGES_PER_SECOND, Limits};
use crate::protocol::query::Parts;
use crate::protocol::routes::Decode;
use crate::store::{InboxStore, StoreError};
use crate::token::Claims;

impl Machine for Inbox {
    type Store = InboxStore;
    type Connection = Connection;
    type Start = Start;
    type Attach = Attach;
    type Grant = Grant;
    type Sender = Grant;
    type Request = Request;
    type Delivery = Delivery;
    type Delivered = Delivered;

    fn load(
        name: &str,
        deployment: Deployment,
        store: &InboxStore,
        connections: Vec<Connection>,
        _: u32,
    ) -> Result<Self, StoreError> {
        let live = |connection: Connection| {
            let id = connection.id.clone();
            (id, Live::new(connection, &deployment.limits))
        };
        let mut inbox = Self {
            name: name.to_owned(),
            role: name.strip_prefix("role:").and_then(Role::parse),
            epoch: epoch_of(name),
            items: Items::load(store.index()?),
            connections: connections.into_iter().map(live).collect(),
            devices: store.devices()?.into_iter().collect(),
            queue: Queue::load(store.deliveries()?, &deployment.limits, DELIVERIES_AT_ONCE),
            changes: Bucket::new(DEVICE_CHANGES_PER_SECOND, DEVICE_CHANGES_BURST),
            revocations: Revocations::load(store, name)?,
            erasure: store.erasure()?,
            scrub: store.scrub()?,
            outbound: deployment.outbound,
            limits: deployment.limits,
        };
        inbox.revoke_own();
        Ok(inbox)
    }

    fn handle(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        input: Input,
    ) -> Result<Effects<Self>, StoreError> {
        self.handle(store, now, input)
    }

    fn window(&self) -> Option<Timestamp> {
        None
    }

    fn deadline(&self) -> Option<Timestamp> {
        let scrub = self.scrub.map(|(_, at)| at);
        let calls = [self.queue.deadline(), self.revocations.next()];
        let next = calls.into_iter().chain([self.erasure_due(), scrub]);
        next.flatten().min()
    }

    fn listens_at(&self) -> Timestamp {
        Timestamp::MAX
    }

    fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values().map(|live| &live.connection)
    }

    fn request(decode: Decode, parts: &Parts<'_>, limits: &Limits) -> Request {
        let request = match decode {
            Decode::Inbox(read) => read(parts, limits),
            Decode::Session(_) => Err(ErrorInfo::new(
                ErrorCode::NotFound,
                "unable to read the request; it is not of an inbox",
            )),
        };
        request.unwrap_or_else(Request::Refused)
    }

    fn grant(claims: &Claims, name: &str) -> Result<Grant, ErrorInfo> {
        let refused = |code, wrong: String| {
            let message = format!("unable to read the inbox {name}; {wrong}");
            Err(ErrorInfo::new(code, message))
        };
        claims.check_whole()?;
        if !claims.capabilities.allow_anywhere(Operation::Read) {
            let patterns = claims.capabilities.patterns();
            let wrong = format!("the token lacks the operation read for every session: {patterns}");
            return refused(ErrorCode::Forbidden, wrong);
        }
        let role = claims.role();
        if name.starts_with("role:") {
            if name != address(&claims.client, Some(role)) {
                let wrong = format!("the token's role is {}", role.as_str());
                return refused(ErrorCode::Forbidden, wrong);
            }
        } else if name != address(&claims.client, None) {
            let wrong = "the token's sub is another client".to_owned();
            return refused(ErrorCode::Unauthorized, wrong);
        }
        Ok(Grant {
            client: claims.client.clone(),
            expires_at: claims.expires_at,
            issued_at: claims.issued_at,
            sight: Sight {
                capabilities: claims.capabilities.clone(),
                role: claims.role,
            },
        })
    }

    fn sender(grant: &Grant) -> Grant {
        grant.clone()
    }

    fn attach(
        id: ConnectionId,
        carrier: Carrier,
        grant: Grant,
        attach: Attach,
        _: bool,
    ) -> (Connection, Start) {
        let connection = Connection {
            id,
            carrier,
            client: grant.client,
            expires_at: grant.expires_at,
            issued_at: grant.issued_at,
            sight: grant.sight,
        };
        let Attach { since } = attach;
        (connection, Start { since })
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

//! The inbox's implementation of the contract [`Machine`].

use std::convert::Infallible;

use super::connection::Live;
use super::{Connection, Grant, Inbox, Input, Rows, Start, address};
use crate::machine::{Attached, Carrier, Effects, Machine};
use crate::protocol::capability::Operation;
use crate::protocol::deployment::Deployment;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::inbox::{Attach, Request};
use crate::protocol::limits::Limits;
use crate::protocol::query::Parts;
use crate::protocol::routes::Decode;
use crate::protocol::serial::Epoch;
use crate::store::StoreError;
use crate::token::Claims;

impl Machine for Inbox {
    type Store = Rows;
    type Connection = Connection;
    type Start = Start;
    type Attach = Attach;
    type Grant = Grant;
    type Sender = String;
    type Request = Request;
    type Delivery = Infallible;
    type Delivered = Infallible;

    fn load(
        name: &str,
        deployment: Deployment,
        _: &Rows,
        connections: Vec<Connection>,
        entropy: u32,
    ) -> Result<Self, StoreError> {
        let mut told = connections
            .iter()
            .map(|connection| connection.told.as_str());
        let told = told.find_map(Epoch::parse);
        let live = |connection: Connection| {
            let id = connection.id.clone();
            (id, Live::new(connection, &deployment.limits))
        };
        Ok(Self {
            name: name.to_owned(),
            epoch: told.unwrap_or_else(|| Epoch::from_entropy(entropy)),
            connections: connections.into_iter().map(live).collect(),
            limits: deployment.limits,
        })
    }

    fn handle(
        &mut self,
        _: &Rows,
        now: Timestamp,
        input: Input,
    ) -> Result<Effects<Self>, StoreError> {
        Ok(self.handle(now, input))
    }

    fn window(&self) -> Option<Timestamp> {
        None
    }

    fn deadline(&self) -> Option<Timestamp> {
        None
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
        })
    }

    fn sender(grant: &Grant) -> String {
        grant.client.clone()
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
            told: String::new(),
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

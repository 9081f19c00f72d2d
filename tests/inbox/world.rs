//! One inbox without a platform, as tests ask it.

use std::rc::Rc;

use serde_json::{Value, json};
use sessile::inbox::{Connection, Delivery, Effect, Grant, Inbox, Input, Posting, Revoking, Sight};
use sessile::machine::{Carrier, Machine};
use sessile::protocol::capability::Capabilities;
use sessile::protocol::decode::decode;
use sessile::protocol::deployment::Deployment;
use sessile::protocol::error::ErrorCode;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::inbox::{Attach, Cursor, Page, Request};
use sessile::protocol::limits::Limits;
use sessile::protocol::news::ItemKind;
use sessile::store::InboxStore;
use sessile::store::sql::Sql;
use sessile::token::Claims;

use crate::sqlite::Sqlite;

pub(crate) const NOW: Timestamp = 1_000_000;
pub(crate) const LATER: Timestamp = 2_000_000;

pub(crate) fn claims(client: &str, caps: &[(&str, &str)]) -> Claims {
    let caps = caps.iter().map(|(pattern, word)| {
        let words = vec![(*word).to_owned()];
        ((*pattern).to_owned(), words)
    });
    Claims {
        only: None,
        client: client.to_owned(),
        name: None,
        role: None,
        capabilities: Capabilities::parse(&caps.collect::<Vec<_>>()).unwrap(),
        expires_at: LATER,
        issued_at: 0,
    }
}

/// A grant in an inbox.
pub(crate) fn grant(client: &str, expires_at: Timestamp, caps: &[(&str, &str)]) -> Grant {
    let claims = claims(client, caps);
    Grant {
        client: client.to_owned(),
        expires_at,
        issued_at: 0,
        sight: Sight {
            capabilities: claims.capabilities,
            role: None,
        },
    }
}

/// A deployment with Web Push alone.
fn deployment(limits: &Limits) -> Deployment {
    let mut deployment = Deployment::from(limits.clone());
    deployment.outbound.push.web = true;
    deployment
}

pub(crate) struct World {
    name: &'static str,
    inbox: Inbox,
    pub(crate) sqlite: Sqlite,
    store: InboxStore,
    limits: Limits,
    kept: Vec<Connection>,
    /// Deliveries to devices that no test has looked at yet.
    pub(crate) posted: Vec<Posting>,
    /// Revocations for others that no test has looked at yet.
    pub(crate) revoking: Vec<Revoking>,
}

impl World {
    pub(crate) fn new(limits: Limits) -> Self {
        Self::named("client:ann", limits)
    }

    pub(crate) fn named(name: &'static str, limits: Limits) -> Self {
        Self::on(name, limits, Sqlite::new())
    }

    pub(crate) fn on(name: &'static str, limits: Limits, sqlite: Sqlite) -> Self {
        let store = InboxStore::from(Rc::new(sqlite.clone()) as Rc<dyn Sql>);
        let inbox = Inbox::load(name, deployment(&limits), &store, Vec::new(), 7).unwrap();
        Self {
            name,
            inbox,
            sqlite,
            store,
            limits,
            kept: Vec::new(),
            posted: Vec::new(),
            revoking: Vec::new(),
        }
    }

    /// A session tells it something; returns what readers are sent, and then the answer's status.
    pub(crate) fn told(&mut self, news: Value) -> Vec<Value> {
        let news = serde_json::from_str(&news.to_string()).unwrap();
        let request = Request::Told(Box::new(news));
        let sender = Grant::of_session();
        let mut said = self.handle(NOW, Input::Request { sender, request });
        let answer = said.pop().unwrap();
        said.push(answer[0].clone());
        said
    }

    pub(crate) fn read(&mut self, caps: &[(&str, &str)], request: Request) -> Value {
        let sender = grant("ann", LATER, caps);
        let said = self.handle(NOW, Input::Request { sender, request });
        assert_eq!(said[0][0], 200);
        said[0][1].clone()
    }

    /// Everything of a list, page by page, as ids.
    pub(crate) fn pages(&mut self, kind: ItemKind, all: bool, limit: usize) -> Vec<String> {
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let page = Page {
                kind,
                all,
                cursor,
                limit,
            };
            let said = self.read(&[("*", "read")], Request::Page(page));
            let name = match kind {
                ItemKind::Session => "sessions",
                _ => "approvals",
            };
            let items = said[name].as_array().unwrap();
            assert!(items.len() <= limit);
            ids.extend(items.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
            let Some(next) = said["next"].as_str() else {
                return ids;
            };
            cursor = Some(Cursor::parse(next).unwrap());
        }
    }

    /// The sends and closes of an input, as JSON.
    pub(crate) fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Value> {
        let effects = self.inbox.handle(&self.store, now, input).unwrap();
        let mut said = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { text, .. } => {
                    said.push(serde_json::from_str(&text.whole()).unwrap())
                }
                Effect::Close { code, .. } => said.push(json!(code)),
                Effect::Respond { status, body } => {
                    said.push(json!([
                        status,
                        serde_json::from_str::<Value>(&body).unwrap()
                    ]));
                }
                Effect::Remember(connection) => {
                    self.kept.retain(|kept| kept.id != connection.id);
                    self.kept.push(connection);
                }
                Effect::Erase => panic!("an inbox is not erased"),
                Effect::Reach(milestone) => panic!("an inbox has no {milestone:?}"),
                Effect::Deliver(Delivery::Post(posting)) => self.posted.push(posting),
                Effect::Deliver(Delivery::Revoke(told)) => self.revoking.push(told),
            }
        }
        said
    }

    pub(crate) fn open(&mut self, id: &str, client: &str) -> Vec<Value> {
        self.open_since(id, client, &[("*", "read")], None)
    }

    pub(crate) fn open_since(
        &mut self,
        id: &str,
        client: &str,
        caps: &[(&str, &str)],
        since: Option<&str>,
    ) -> Vec<Value> {
        let grant = grant(client, LATER, caps);
        let id = ConnectionId::new(id);
        let since = since.map(str::to_owned);
        let attach = Attach { since };
        let (connection, start) = Inbox::attach(id, Carrier::Socket, grant, attach, false);
        self.handle(NOW, Input::Open { connection, start })
    }

    pub(crate) fn message(&mut self, now: Timestamp, id: &str, text: &str) -> Vec<Value> {
        let frames = decode(text, &self.limits).unwrap();
        let input = Input::Message {
            connection: ConnectionId::new(id),
            frames,
            bytes: text.len(),
            is_alone: true,
        };
        self.handle(now, input)
    }

    pub(crate) fn renew(&mut self, id: &str, grant: Result<Grant, ErrorCode>) -> Vec<Value> {
        let error = |code| sessile::protocol::error::ErrorInfo::new(code, "no");
        let grant = grant.map_err(error);
        let (connection, reference, chain) = (ConnectionId::new(id), None, None);
        let renew = Input::Renew {
            connection,
            reference,
            chain,
            grant,
        };
        self.handle(NOW, renew)
    }

    pub(crate) fn sleep(&mut self) {
        let kept = self.kept.clone();
        let deployment = deployment(&self.limits);
        self.inbox = Inbox::load(self.name, deployment, &self.store, kept, 99).unwrap();
    }

    /// When the alarm rings.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.inbox.deadline()
    }

    pub(crate) fn serial(&mut self) -> Value {
        self.read(&[("*", "read")], Request::Read)["serial"].clone()
    }
}

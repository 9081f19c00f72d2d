//! Clients' faults on the network, and the network's on clients.

use serde_json::Value;
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::ids::ConnectionId;
use sessile::session::{Carrier, Connection, Input, Request, Sender, Start};

use super::{Event, Link, Sim};

impl Sim {
    /// Opens a connection; its first frame tells that it stands.
    pub fn connect(
        &mut self,
        mut connection: Connection,
        start: Start,
        client: usize,
    ) -> ConnectionId {
        self.connections += 1;
        let is_body = connection.carrier == Carrier::Body;
        let prefix = if is_body {
            ConnectionId::BODY_PREFIX
        } else {
            ""
        };
        let id = ConnectionId::new(format!(
            "{prefix}{}-{}",
            connection.client, self.connections
        ));
        connection.id = id.clone();
        let delay = self.random.between(0, 40);
        self.links.insert(
            id.clone(),
            Link {
                client,
                delay,
                ..Link::default()
            },
        );
        let after = self.up(&id);
        self.schedule(
            after,
            Event::Opened(id.clone(), Box::new((connection, start))),
        );
        id
    }

    pub fn send(&mut self, id: &ConnectionId, frames: &[Value]) {
        let refs = frames.iter().filter_map(|frame| frame["ref"].as_u64());
        self.links.get_mut(id).unwrap().asked.extend(refs);
        let text = match frames {
            [only] => only.to_string(),
            _ => Value::from(frames.to_vec()).to_string(),
        };
        let after = self.up(id);
        self.schedule(after, Event::ToServer(id.clone(), text));
    }

    /// A text `ping`, which the platform answers without a word to the session (P7.2).
    pub fn ping(&mut self, id: &ConnectionId) {
        let after = self.up(id);
        self.schedule(after, Event::Pinged(id.clone()));
    }

    /// When what is sent now arrives: in order.
    pub(super) fn up(&mut self, id: &ConnectionId) -> u64 {
        let jitter = self.random.between(0, 8);
        let link = self.links.get_mut(id).unwrap();
        link.up = link.up.max(self.time + link.delay + jitter);
        link.up - self.time
    }

    pub(super) fn down(&mut self, id: &ConnectionId) -> u64 {
        let jitter = self.random.between(0, 8);
        let link = self.links.get_mut(id).unwrap();
        link.down = link.down.max(self.time + link.delay + jitter);
        link.down - self.time
    }

    /// A client goes; what it sent before still arrives.
    pub fn leave(&mut self, id: &ConnectionId) {
        if self.links[id].is_left {
            return;
        }
        let after = self.up(id);
        self.links.get_mut(id).unwrap().is_left = true;
        self.schedule(after, Event::Left(id.clone()));
    }

    /// A connection breaks without a goodbye; each end notices some time or other.
    pub(super) fn cut(&mut self, id: &ConnectionId) {
        self.links.get_mut(id).unwrap().is_cut = true;
        let (server, client) = (self.random.between(0, 2000), self.random.between(0, 1000));
        self.schedule(server, Event::Left(id.clone()));
        self.schedule(client, Event::Lost(id.clone()));
    }

    /// An HTTP request of frames; its answer may be lost.
    pub fn post(&mut self, client: usize, number: u64, frames: &[Value]) {
        let after = self.random.between(1, 40);
        let text = Value::from(frames.to_vec()).to_string();
        if self.is_calm || !self.random.chance(100) {
            self.schedule(after, Event::Asked(client, number, text));
        }
    }

    pub(super) fn ask(&mut self, index: usize, number: u64, text: &str) {
        let frames: Vec<Value> = serde_json::from_str(text).unwrap();
        let limits = self.host.limits.clone();
        let decode =
            |frame: &Value| sessile::protocol::decode::decode_frame(&frame.to_string(), &limits);
        let client = &self.clients[index];
        let sender = Sender {
            connection: None,
            client: client.name.clone(),
            operations: Operations::parse(client.words()).unwrap(),
            role: Role::User,
        };
        let now = self.now();
        self.ledger
            .ask(&self.host, now, None, &sender.client, &frames);
        let frames = frames.iter().map(decode).collect();
        let response = self.handle(Input::Request {
            sender,
            request: Request::Frames(frames),
        });
        let is_lost = !self.is_calm && self.random.chance(100);
        if let Some(body) = response.filter(|_| !is_lost) {
            let after = self.random.between(1, 40);
            self.schedule(after, Event::Answered(index, number, body));
        }
    }
}

//! A million tokens on a virtual clock: what the session writes, counted and not estimated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "sqlite/mod.rs"]
mod sqlite;

use std::rc::Rc;

use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::data::Data;
use sessile::protocol::decode::{Append, ClientFrame, NewMessage, Publish, Received};
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::limits::Limits;
use sessile::protocol::message::{Role as Voice, Status};
use sessile::protocol::serial::Serial;
use sessile::session::{Carrier, Chains, Connection, Effect, Input, Session, Start};
use sessile::store::Store;
use sqlite::Sqlite;

const TOKENS_PER_SECOND: u64 = 150;
const TOKENS_PER_MESSAGE: u64 = 20_000;
const TOKEN: &str = "token ";
const WINDOW_MS: u64 = 40;

/// A session, its clock, and what it sends.
struct World {
    session: Session,
    store: Store,
    sqlite: Sqlite,
    now: Timestamp,
    sent: u64,
}

impl World {
    fn new() -> Self {
        let sqlite = Sqlite::new();
        let store = Store::new(Rc::new(sqlite.clone()));
        let session = Session::load("s", Limits::default(), &store, Vec::new(), 7).unwrap();
        Self {
            session,
            store,
            sqlite,
            now: 1_000,
            sent: 0,
        }
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.session.handle(&self.store, self.now, input).unwrap();
        self.sent += u64::try_from(effects.len()).unwrap();
        effects
    }

    /// Lets time pass, with every timer on the way.
    fn pass(&mut self, until: Timestamp) {
        while let Some(due) = self.session.window().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.handle(Input::Deadline);
        }
        self.now = until;
    }

    fn open(&mut self, id: &str, operations: &str) {
        let connection = Connection {
            id: ConnectionId::new(id),
            carrier: Carrier::Socket,
            client: id.to_owned(),
            name: None,
            role: Role::User,
            operations: Operations::parse(operations).unwrap(),
            expires_at: Timestamp::MAX,
            issued_at: 0,
            window_ms: WINDOW_MS,
            names: None,
            told: None,
            chains: Chains::default(),
            is_probed: false,
            heard_at: 0,
            member: None,
        };
        self.handle(Input::Open {
            connection,
            start: Start::default(),
        });
    }

    fn send(&mut self, frame: ClientFrame) {
        let frames = vec![Received {
            reference: None,
            chain: None,
            frame: Ok(frame),
        }];
        let connection = ConnectionId::new("agent");
        self.handle(Input::Message {
            connection,
            frames,
            bytes: TOKEN.len(),
            is_alone: false,
        });
    }

    fn begin(&mut self) -> Serial {
        let message = NewMessage {
            id: None,
            name: None,
            role: Voice::Assistant,
            turn: None,
            attempt: None,
            parent: None,
            data: Data::Text(String::new()),
            headers: None,
            status: Some(Status::Streaming),
            wake: None,
        };
        self.send(ClientFrame::Publish(Publish {
            messages: vec![message],
            interrupt: None,
            attempt: None,
        }));
        let epoch = self.store.beginning().unwrap().unwrap().epoch;
        epoch.at(self.store.end().unwrap().place)
    }

    /// Streams so many tokens as messages of twenty thousand, and gives the time it took.
    fn stream(&mut self, tokens: u64) -> u64 {
        let began = self.now;
        let mut serial = self.begin();
        for token in 1..=tokens {
            let at = began + Timestamp::try_from(token * 1_000 / TOKENS_PER_SECOND).unwrap();
            self.pass(at);
            let seq = (token - 1) % TOKENS_PER_MESSAGE + 1;
            let is_last = seq == TOKENS_PER_MESSAGE || token == tokens;
            self.send(ClientFrame::Append(Append {
                serial,
                data: Some(TOKEN.to_owned()),
                seq: Some(seq),
                status: is_last.then_some(Status::Complete),
                headers: None,
                attempt: None,
                id: None,
            }));
            if is_last {
                let message = self
                    .store
                    .message(serial.epoch, serial.place)
                    .unwrap()
                    .unwrap();
                let whole = TOKEN.repeat(usize::try_from(seq).unwrap());
                assert_eq!(message.data, Some(Data::Text(whole)));
                assert_eq!(
                    (message.status, message.seq),
                    (Some(Status::Complete), Some(seq))
                );
                if token < tokens {
                    serial = self.begin();
                }
            }
        }
        u64::try_from(self.now - began).unwrap()
    }
}

#[test]
fn a_million_tokens_cost_one_row_a_window() {
    let mut world = World::new();
    world.open("agent", "agent");
    world.open("reader", "viewer");
    world.stream(1); // The schema is made, once.
    let (writes, rows) = (world.sqlite.writes(), world.sqlite.rows_written());
    let took = world.stream(1_000_000);
    let windows = took / WINDOW_MS;
    let (writes, rows) = (
        world.sqlite.writes() - writes,
        world.sqlite.rows_written() - rows,
    );
    println!("{windows} windows, {writes} writing statements, {rows} rows");
    assert!(
        writes * 100 <= windows * 105,
        "{writes} statements in {windows} windows"
    );
    assert!(
        rows * 100 <= windows * 105,
        "{rows} rows in {windows} windows"
    );
    assert!(windows <= world.sent, "the reader is sent every window");
}

#[test]
fn with_nobody_watching_the_bill_falls_by_five_and_more() {
    let mut world = World::new();
    world.open("agent", "agent");
    world.stream(1);
    let writes = world.sqlite.writes();
    let took = world.stream(100_000);
    let writes = world.sqlite.writes() - writes;
    let windows = took / WINDOW_MS;
    println!("{windows} windows, {writes} writing statements");
    assert!(
        writes * 5 <= windows,
        "{writes} statements in {windows} windows"
    );
}

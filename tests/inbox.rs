//! P15: the inbox as a machine, without a platform.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sqlite/mod.rs"]
mod sqlite;

use std::rc::Rc;

use serde_json::{Value, json};
use sessile::inbox::{Connection, Effect, Grant, Inbox, Input, Sight, address};
use sessile::machine::{Carrier, Machine};
use sessile::protocol::capability::{Capabilities, Role};
use sessile::protocol::decode::decode;
use sessile::protocol::error::ErrorCode;
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::inbox::{Attach, Cursor, Page, Request};
use sessile::protocol::limits::{INBOX_BATCH, INBOX_SETTLED, Limits};
use sessile::protocol::news::ItemKind;
use sessile::store::InboxStore;
use sessile::store::sql::Sql;
use sessile::token::Claims;

const NOW: Timestamp = 1_000_000;
const LATER: Timestamp = 2_000_000;

fn claims(client: &str, caps: &[(&str, &str)]) -> Claims {
    let caps = caps.iter().map(|(pattern, word)| {
        let words = vec![(*word).to_owned()];
        ((*pattern).to_owned(), words)
    });
    Claims {
        client: client.to_owned(),
        name: None,
        role: None,
        capabilities: Capabilities::parse(&caps.collect::<Vec<_>>()).unwrap(),
        expires_at: LATER,
    }
}

/// A grant in an inbox.
fn grant(client: &str, expires_at: Timestamp, caps: &[(&str, &str)]) -> Grant {
    let claims = claims(client, caps);
    Grant {
        client: client.to_owned(),
        expires_at,
        sight: Sight {
            capabilities: claims.capabilities,
            role: None,
        },
    }
}

struct World {
    name: &'static str,
    inbox: Inbox,
    sqlite: sqlite::Sqlite,
    store: InboxStore,
    limits: Limits,
    kept: Vec<Connection>,
}

impl World {
    fn new(limits: Limits) -> Self {
        Self::named("client:ann", limits)
    }

    fn named(name: &'static str, limits: Limits) -> Self {
        let sqlite = sqlite::Sqlite::new();
        let store = InboxStore::from(Rc::new(sqlite.clone()) as Rc<dyn Sql>);
        let inbox = Inbox::load(name, limits.clone().into(), &store, Vec::new(), 7).unwrap();
        Self {
            name,
            inbox,
            sqlite,
            store,
            limits,
            kept: Vec::new(),
        }
    }

    /// A session tells it something; returns what readers are sent, and then the answer's status.
    fn told(&mut self, news: Value) -> Vec<Value> {
        let news = serde_json::from_value(news).unwrap();
        let request = Request::Told(Box::new(news));
        let sender = Grant::of_session();
        let mut said = self.handle(NOW, Input::Request { sender, request });
        let answer = said.pop().unwrap();
        said.push(answer[0].clone());
        said
    }

    fn read(&mut self, caps: &[(&str, &str)], request: Request) -> Value {
        let sender = grant("ann", LATER, caps);
        let said = self.handle(NOW, Input::Request { sender, request });
        assert_eq!(said[0][0], 200);
        said[0][1].clone()
    }

    /// Everything of a list, page by page, as ids.
    fn pages(&mut self, kind: ItemKind, all: bool, limit: usize) -> Vec<String> {
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
    fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Value> {
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
                Effect::Deliver(never) => match never {},
            }
        }
        said
    }

    fn open(&mut self, id: &str, client: &str) -> Vec<Value> {
        self.open_since(id, client, &[("*", "read")], None)
    }

    fn open_since(
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

    fn message(&mut self, now: Timestamp, id: &str, text: &str) -> Vec<Value> {
        let frames = decode(text, &self.limits).unwrap();
        let input = Input::Message {
            connection: ConnectionId::new(id),
            frames,
            bytes: text.len(),
            is_alone: true,
        };
        self.handle(now, input)
    }

    fn renew(&mut self, id: &str, grant: Result<Grant, ErrorCode>) -> Vec<Value> {
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

    fn sleep(&mut self) {
        let kept = self.kept.clone();
        let deployment = self.limits.clone().into();
        self.inbox = Inbox::load(self.name, deployment, &self.store, kept, 99).unwrap();
    }

    fn serial(&mut self) -> Value {
        self.read(&[("*", "read")], Request::Read)["serial"].clone()
    }
}

#[test]
fn p15_2_all_of_it_comes_first_and_its_serial_outlives_a_sleep() {
    let mut world = World::new(Limits::default());
    let said = world.open("c1", "ann");
    assert_eq!(said.len(), 1);
    assert_eq!(
        (&said[0]["type"], &said[0]["inbox"]),
        (&json!("inbox"), &json!("client:ann"))
    );
    assert_eq!(said[0]["expiresAt"], LATER);
    assert_eq!(said[0]["serial"], world.serial());
    let before = world.serial();
    world.sleep();
    assert_eq!(world.serial(), before);
}

#[test]
fn p2_6_a_fresh_token_of_the_same_client_takes_the_place_of_the_old() {
    let grant = |client: &str, expires_at| grant(client, expires_at, &[("*", "read")]);
    let mut world = World::new(Limits::default());
    world.open("c1", "ann");
    assert_eq!(
        world.renew("c1", Ok(grant("ann", LATER * 2))),
        Vec::<Value>::new()
    );
    assert_eq!(
        world.message(LATER, "c1", r#"{"type":"seen","n":0}"#),
        Vec::<Value>::new()
    );
    let said = world.renew("c1", Ok(grant("bob", LATER * 9)));
    assert_eq!(said[0]["error"]["code"], "unauthorized");
    assert_eq!(
        world.renew("c1", Err(ErrorCode::Unauthorized)).len(),
        1,
        "it stays"
    );
    world.sleep();
    let said = world.message(LATER * 2, "c1", r#"{"type":"seen","n":0}"#);
    assert_eq!(said, [json!(4401)]);
    world.open("c2", "ann");
    assert_eq!(world.renew("c2", Err(ErrorCode::Forbidden))[1], json!(4403));
}

#[test]
fn p14_connections_and_messages_are_bounded() {
    let limits = Limits {
        connections: 3,
        client_connections: 2,
        messages_per_second: 1,
        messages_burst: 2,
        ..Limits::default()
    };
    let mut world = World::new(limits);
    for (id, client, is_in) in [("1", "a", true), ("2", "a", true), ("3", "a", false)] {
        assert_eq!(world.open(id, client)[0]["type"] == "inbox", is_in, "{id}");
    }
    world.open("4", "b");
    let said = world.open("5", "c");
    assert_eq!(
        (&said[0]["error"]["code"], &said[1]),
        (&json!("over-limit"), &json!(4429))
    );
    let seen = r#"{"type":"seen","n":0,"ref":1}"#;
    for _ in 0..2 {
        assert_eq!(world.message(NOW, "1", seen)[0]["type"], "ack");
    }
    assert_eq!(world.message(NOW, "1", seen), [json!(4429)]);
    assert!(world.message(NOW, "1", seen).is_empty(), "it is gone");
    let close = Input::Close {
        connection: ConnectionId::new("2"),
    };
    world.handle(NOW, close);
    assert_eq!(
        world.open("6", "a")[0]["type"],
        "inbox",
        "there is room again"
    );
}

#[test]
fn p15_1_a_token_opens_its_clients_inbox_and_its_roles() {
    let ann = claims("ann", &[("s-*", "supervisor"), ("*", "viewer")]);
    assert_eq!(ann.role(), Role::Supervisor);
    for (name, code) in [
        (address("ann", None), None),
        (address("ann", Some(Role::Supervisor)), None),
        (
            address("ann", Some(Role::Agent)),
            Some(ErrorCode::Forbidden),
        ),
        (address("bob", None), Some(ErrorCode::Unauthorized)),
    ] {
        let refused = Inbox::grant(&ann, &name).err().map(|error| error.code);
        assert_eq!(refused, code, "{name}");
    }
    for caps in [&[][..], &[("*", "publish")]] {
        let refused = Inbox::grant(&claims("ann", caps), "client:ann").unwrap_err();
        assert_eq!(refused.code, ErrorCode::Forbidden);
    }
}

/// The news of a session in its first life, up to a place, with approvals that changed and those
/// that wait.
fn news(session: &str, place: u64, changed: &[(&str, bool)], open: &[&str]) -> Value {
    let items = changed.iter().map(|(id, is_open)| {
        json!({ "kind": 1, "id": id, "isOpen": is_open, "at": 50,
                "body": { "id": id, "session": session, "isOpen": is_open } })
    });
    let open: Vec<Value> = open.iter().map(|id| json!([1, id])).collect();
    json!({
        "session": session, "epoch": "aaaa", "begunAt": 10, "place": place,
        "about": { "id": session, "createdAt": 10, "lastActivityAt": 100 + place,
                   "openTurns": 0, "pendingApprovals": open.len() },
        "items": items.collect::<Vec<_>>(), "open": open,
    })
}

fn gone(session: &str, epoch: &str, place: u64) -> Value {
    json!({ "session": session, "epoch": epoch, "begunAt": 10, "place": place, "about": null })
}

/// P15.2: a reader gets each change whole, and what leaves as gone.
#[test]
fn p15_2_readers_hear_of_every_change() {
    let mut world = World::new(Limits::default());
    world.open("c1", "ann");
    let said = world.told(news("s1", 3, &[("a", true), ("b", true)], &["a", "b"]));
    let frames = said[0].as_array().unwrap();
    let types: Vec<_> = frames
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["inbox.session", "inbox.approval", "inbox.approval"]);
    assert_eq!(frames[0]["session"]["pendingApprovals"], 2);
    assert_eq!(frames[1]["approval"]["id"], "a");
    assert_eq!(said[1], 200);
    // One is decided; of the other it was not told how it ended.
    let said = world.told(news("s1", 9, &[("a", false)], &[]));
    let frames = said[0].as_array().unwrap();
    assert_eq!(frames[1]["approval"]["isOpen"], false);
    assert_eq!(
        frames[2]["approval"],
        json!({ "id": "b", "session": "s1", "gone": true })
    );
    assert_eq!(
        world.pages(ItemKind::Approval, false, 10),
        Vec::<String>::new()
    );
    assert_eq!(world.pages(ItemKind::Approval, true, 10), ["a"]);
    let said = world.told(gone("s1", "aaaa", 0xffff_ffff));
    let frames = said[0].as_array().unwrap();
    assert_eq!(frames[0]["session"], json!({ "id": "s1", "gone": true }));
    assert_eq!(frames.len(), 2, "and the settled approval");
    assert_eq!(
        world.pages(ItemKind::Session, false, 10),
        Vec::<String>::new()
    );
}

/// P15: a request and its decision cost two rows each.
#[test]
fn news_costs_a_row_for_each_item_that_changed() {
    let mut world = World::new(Limits::default());
    world.told(news("s0", 1, &[], &[]));
    let before = world.sqlite.rows_written();
    world.told(news("s1", 3, &[("a", true)], &["a"]));
    world.told(news("s1", 5, &[("a", false)], &[]));
    assert_eq!(world.sqlite.rows_written() - before, 4);
    world.told(news("s1", 5, &[("a", false)], &[]));
    assert_eq!(
        world.sqlite.rows_written() - before,
        4,
        "a repeat costs nothing"
    );
}

/// Each place of a life counts once, and a life that ended does not come back.
#[test]
fn late_news_changes_nothing() {
    let mut world = World::new(Limits::default());
    world.told(news("s1", 5, &[("a", false)], &[]));
    assert_eq!(
        world.told(news("s1", 4, &[("a", true)], &["a"])),
        [json!(200)]
    );
    assert_eq!(
        world.pages(ItemKind::Approval, false, 10),
        Vec::<String>::new()
    );
    world.told(gone("s1", "aaaa", 0xffff_ffff));
    world.told(news("s1", 7, &[("a", true)], &["a"]));
    assert_eq!(
        world.pages(ItemKind::Session, false, 10),
        Vec::<String>::new()
    );
    let mut later = news("s1", 1, &[("a", true)], &["a"]);
    later["epoch"] = json!("bbbb");
    world.told(later);
    assert_eq!(world.pages(ItemKind::Approval, false, 10), ["a"]);
    world.told(gone("s1", "aaaa", 0xffff_ffff));
    assert_eq!(
        world.pages(ItemKind::Session, false, 10),
        ["s1"],
        "it is another life"
    );
}

/// A session that told it no more may tell it again, from a later place.
#[test]
fn a_session_that_left_comes_back_later() {
    let mut world = World::new(Limits::default());
    world.told(news("s1", 5, &[], &[]));
    world.told(gone("s1", "aaaa", 5));
    assert_eq!(world.told(news("s1", 5, &[], &[])), [json!(200)]);
    assert_eq!(
        world.pages(ItemKind::Session, false, 10),
        Vec::<String>::new()
    );
    world.told(news("s1", 6, &[], &[]));
    assert_eq!(world.pages(ItemKind::Session, false, 10), ["s1"]);
}

/// P15.1: only what the token may read now, in lists, live and on resuming.
#[test]
fn only_sessions_that_the_token_may_read_are_shown() {
    let mut world = World::new(Limits::default());
    world.open_since("all", "ann", &[("*", "read")], None);
    world.open_since("own", "ann", &[("own-*", "read"), ("*", "publish")], None);
    let said = world.told(news("other", 1, &[("a", true)], &["a"]));
    assert_eq!(said.len(), 2, "one reader is told");
    world.told(news("own-1", 1, &[("b", true)], &["b"]));
    let seen = world.read(&[("own-*", "read")], Request::Read);
    assert_eq!(seen["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(seen["approvals"][0]["id"], "b");
    let said = world.renew("own", Ok(grant("ann", LATER, &[("other", "read")])));
    assert_eq!(said, Vec::<Value>::new());
    world.sleep();
    assert_eq!(
        world.told(news("own-1", 2, &[], &["b"])).len(),
        2,
        "all alone is told"
    );
    assert_eq!(
        world.told(news("other", 2, &[], &["a"])).len(),
        2,
        "both, in one text"
    );
}

/// P15.1: in a role's inbox only the sessions in which the token has that role.
#[test]
fn a_role_counts_where_the_token_says_it() {
    let mut world = World::named("role:supervisor", Limits::default());
    world.told(news("a1", 1, &[], &[]));
    world.told(news("b1", 1, &[], &[]));
    let caps = [("a*", "supervisor"), ("b*", "user")];
    let seen = world.read(&caps, Request::Read);
    let sessions = seen["sessions"].as_array().unwrap();
    assert_eq!((sessions.len(), &sessions[0]["id"]), (1, &json!("a1")));
}

/// P15.2: `since` resumes with what changed, and with everything where that is not known.
#[test]
fn p15_2_a_reader_resumes_after_its_position() {
    let mut world = World::new(Limits::default());
    world.told(news("s1", 1, &[("a", true)], &["a"]));
    let since = world.serial();
    world.told(news("s2", 1, &[], &[]));
    world.told(news("s1", 2, &[], &[]));
    world.sleep();
    let since = format!("zzzz00000001,{}", since.as_str().unwrap());
    let said = world.open_since("c1", "ann", &[("*", "read")], Some(&since));
    assert_eq!(
        (&said[0]["resumed"], &said[0]["sessions"]),
        (&json!(true), &Value::Null)
    );
    let missed: Vec<_> = said[1].as_array().unwrap().iter().collect();
    assert_eq!(missed.len(), 3);
    assert_eq!(missed[0]["session"]["id"], "s2");
    assert_eq!(missed[1]["session"]["id"], "s1");
    assert_eq!(missed[2]["approval"]["gone"], true);
    let now = said[0]["serial"].as_str().unwrap();
    let said = world.open_since("c2", "ann", &[("*", "read")], Some(now));
    assert_eq!(said.len(), 1, "nothing was missed");
    for unknown in ["zzzz00000001", "nonsense", "zzzzffffffff"] {
        let said = world.open_since(unknown, "ann", &[("*", "read")], Some(unknown));
        assert_eq!(said[0]["resumed"], false, "{unknown}");
        assert_eq!(said[0]["sessions"].as_array().unwrap().len(), 2);
    }
}

/// P11.3: the newest activity first, each once, however small the pages.
#[test]
fn p11_3_lists_are_paged() {
    let mut world = World::new(Limits::default());
    for index in 0..250_u64 {
        let session = format!("s{index}");
        let id = format!("a/{index}");
        world.told(news(&session, index / 2 + 1, &[(&id, true)], &[&id]));
    }
    world.sleep();
    for limit in [7, 100, 1_000] {
        let ids = world.pages(ItemKind::Session, false, limit);
        assert_eq!((ids.len(), ids[0].as_str()), (250, "s248"), "{limit}");
        let mut approvals = world.pages(ItemKind::Approval, false, limit);
        approvals.sort();
        approvals.dedup();
        assert_eq!(approvals.len(), 250, "{limit}");
    }
}

/// Settled items are forgotten in batches, and a reader that was away for longer gets everything.
#[test]
fn settled_items_are_forgotten_in_batches() {
    let mut world = World::new(Limits::default());
    world.told(news("s1", 1, &[], &[]));
    let since = world.serial();
    let most = INBOX_SETTLED + INBOX_BATCH;
    for index in 0..=most {
        let id = format!("a{index}");
        world.told(news("s1", index as u64 + 2, &[(&id, false)], &[]));
    }
    let kept = world.pages(ItemKind::Approval, true, 1_000);
    assert!(
        kept.len() < most && INBOX_SETTLED <= kept.len(),
        "{}",
        kept.len()
    );
    world.sleep();
    let said = world.open_since("c1", "ann", &[("*", "read")], since.as_str());
    assert_eq!(said[0]["resumed"], false);
}

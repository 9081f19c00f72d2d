//! A session as a file: what an export holds, and what is made of it (P11.6).

use expect_test::expect_file;
use serde_json::Value;
use sessile::protocol::capability::{Operation, Operations, Role};
use sessile::protocol::limits::{EXPORT_BYTES, Limits};
use sessile::protocol::serial::Epoch;
use sessile::protocol::transfer::{Cursor, Page};
use sessile::session::{Effect, Input, Request, Sender};

use crate::host::Fate;
use crate::world::World;

/// Of everything that a session stores, something.
pub const EVERYTHING: &str = "
    admin patch {\"title\":\"Tides\",\"onInput\":\"queue\"}
    agent attach rewind=0
    alice attach rewind=0
    supervisor attach rewind=0
    alice publish 'where am I?' id=q
    agent start t2 input=#1
    agent publish '' role=assistant turn=t2 streaming
    agent append #3 'You are' seq=1
    wait 100
    agent append #3 ' in Oslo.' seq=2 complete
    alice state set city 'Oslo'
    alice annotate #3 like:distinct name=up
    agent annotate #3 like:distinct name=up
    agent ask a1 turn=t2 grant=g
    alice decide a1 approve scope=session
    agent call c1 turn=t2 input={}
    alice claim c1
    alice settle c1 {\"lat\":60}
    alice read #3
    alice publish 'never mind' id=r
    alice delete #1
    agent usage t2 usage={\"tokens\":12}
    agent end t2 complete
    supervisor lead.take note='let me'
    alice publish 'or not' id=s
    alice cancel input=#20
    wait 5000
";

pub fn admin() -> Sender {
    Sender {
        connection: None,
        client: "root".to_owned(),
        operations: Operations::of(&[Operation::Admin]),
        role: Role::User,
    }
}

/// The request for a page.
pub fn page(after: Option<Cursor>) -> Request {
    Request::Export(Page {
        after,
        is_fork: false,
        at: None,
    })
}

/// The answer to a request of the administrator.
pub fn ask(world: &mut World, request: Request) -> (u16, String) {
    let sender = admin();
    let input = Input::Request { sender, request };
    let effects = world.host.handle(world.now, input, Fate::Lives);
    let answer = effects.into_iter().find_map(|effect| match effect {
        Effect::Respond { status, body } => Some((status, body)),
        _ => None,
    });
    answer.expect("every request is answered")
}

/// The pages of an export, each without its cursor. Between two of them, something may happen.
pub fn pages(world: &mut World, mut between: impl FnMut(&mut World)) -> Vec<String> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let (status, text) = ask(world, page(cursor));
        assert_eq!(status, 200, "{text}");
        let (next, lines) = text.split_once('\n').unwrap();
        pages.push(lines.to_owned());
        if next.is_empty() {
            return pages;
        }
        cursor = Some(Cursor::parse(next).unwrap());
        between(world);
    }
}

/// P11.6: the lines of an export, of each kind.
#[test]
fn p11_6_an_export_has_everything_and_says_where_it_ends() {
    let mut world = World::new(Limits::default());
    world.run(EVERYTHING);
    let all = pages(&mut world, |_| {}).concat();
    expect_file!["../fixtures/stored/export.ndjson"].assert_eq(&all);
    let lines: Vec<Value> = all
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let last = lines.last().unwrap();
    assert_eq!(last["type"], "end");
    assert_eq!(last["count"], lines.len());
}

/// P11.6: no page is much longer than its bound, and no line is missing or double, whatever is
/// said meanwhile.
#[test]
fn p11_6_an_export_holds_what_began_before_it() {
    let mut world = World::new(Limits::default());
    let text = "x".repeat(100_000);
    for _ in 0..10 {
        world.run(&format!("alice post publish '{text}'"));
    }
    let pages = pages(&mut world, |world| world.run("alice post publish 'later'"));
    assert!(2 < pages.len(), "{} pages", pages.len());
    assert!(pages.iter().all(|page| page.len() < EXPORT_BYTES + 200_000));
    let lines: Vec<Value> = pages
        .concat()
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let messages = lines.iter().filter(|line| line["type"] == "message");
    let places: Vec<&str> = messages
        .map(|it| &it["serial"].as_str().unwrap()[4..])
        .collect();
    let expected: Vec<String> = (1..=10).map(|place| format!("{place:08x}")).collect();
    assert_eq!(places, expected);
}

/// P11.6: nothing is exported of a session that was deleted meanwhile, or that never was.
#[test]
fn p11_6_an_export_is_of_one_life() {
    let mut world = World::new(Limits::default());
    let (status, _) = ask(&mut world, page(None));
    assert_eq!(status, 404);
    world.run("alice post publish 'a'");
    let cursor = Cursor {
        epoch: Epoch::parse("zzzz").unwrap(),
        end: 1,
        count: 1,
        section: 0,
        key: 0,
    };
    let (status, body) = ask(&mut world, page(Some(cursor)));
    assert_eq!(status, 410, "{body}");
}

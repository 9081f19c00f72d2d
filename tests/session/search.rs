//! Messages are searched for words (P11.9).

use std::fmt::Write;

use expect_test::expect;
use sessile::protocol::limits::{Limits, SEARCH_STEP_ENTRIES};

use crate::world::{World, check};

/// P11.9: what everybody said is found, the newest first, as it now stands.
#[test]
fn p11_9_words_are_found_as_they_stand() {
    check(
        "
        alice get search 'needle'
        alice post publish 'A needle in the hay'
        bob post publish {\"parts\":[{\"text\":\"no needle, but needlework\"}]}
        agent post turn.start id=t1
        agent post publish 'streams: need' streaming turn=t1 attempt=1
        alice get search 'NEEDLE'
        agent post append #4 'le' attempt=1
        agent post append #4 '' complete attempt=1
        wait 100
        alice get search 'needle' limit=2
        alice get search 'needle' limit=2 before=#2
        alice get search 'needle*' limit=1
        alice post update #1 'A pin in the hay'
        bob post delete #2
        alice get search 'needle'
        alice get search 'pin hay'
        zoe get search 'pin' as=publish
        ",
        expect![[r##"
            alice = 200 {"found":[],"hasMore":false}
            alice = 200 {"ref":1,"result":{"messages":[{"serial":"#1","version":"#1"}]},
                  "type":"ack"}
            bob = 200 {"ref":1,"result":{"messages":[{"serial":"#2","version":"#2"}]},
                  "type":"ack"}
            agent = 200 {"ref":1,"result":{"turn":{"agent":"agent","attempt":1,"createdAt":"+0",
                  "id":"t1","leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0",
                  "status":"active"}},"type":"ack"}
            agent = 200 {"ref":2,"result":{"messages":[{"serial":"#4","version":"#4"}]},
                  "type":"ack"}
            alice = 200 {"found":[{"client":"bob","createdAt":"+0","name":"message",
                  "role":"user","serial":"#2","snippet":["no ","needle",", but needlework"]},
                  {"client":"alice","createdAt":"+0","name":"message","role":"user",
                  "serial":"#1","snippet":["A ","needle"," in the hay"]}],"hasMore":false}
            agent = 200 {"ref":3,"result":{"serial":"#4","version":"#5"},"type":"ack"}
            agent = 200 {"ref":4,"result":{"serial":"#4","version":"#6"},"type":"ack"}
            -- 100 ms
            alice = 200 {"found":[{"client":"agent","createdAt":"+0","name":"message",
                  "role":"user","serial":"#4","snippet":["streams: ","needle",""],"turn":"t1"},
                  {"client":"bob","createdAt":"+0","name":"message","role":"user","serial":"#2",
                  "snippet":["no ","needle",", but needlework"]}],"hasMore":true,"next":"#2"}
            alice = 200 {"found":[{"client":"alice","createdAt":"+0","name":"message",
                  "role":"user","serial":"#1","snippet":["A ","needle"," in the hay"]}],
                  "hasMore":false}
            alice = 200 {"found":[{"client":"agent","createdAt":"+0","name":"message",
                  "role":"user","serial":"#4","snippet":["streams: ","needle",""],"turn":"t1"}],
                  "hasMore":true,"next":"#4"}
            alice = 200 {"ref":2,"result":{"serial":"#1","version":"#7"},"type":"ack"}
            bob = 200 {"ref":2,"result":{"serial":"#2","version":"#8"},"type":"ack"}
            alice = 200 {"found":[{"client":"agent","createdAt":"+0","name":"message",
                  "role":"user","serial":"#4","snippet":["streams: ","needle",""],"turn":"t1"}],
                  "hasMore":false}
            alice = 200 {"found":[{"client":"alice","createdAt":"+0","name":"message",
                  "role":"user","serial":"#1","snippet":["A ","pin"," in the ","hay",""]}],
                  "hasMore":false}
            zoe = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation read for session s1, it has publish","status":403}}
        "##]],
    );
}

/// P11.9: the index survives a sleep, goes with retention, and with the session.
#[test]
fn p11_9_an_index_goes_with_its_messages() {
    let mut world = World::new(Limits::default());
    world.run(
        "
        admin patch {\"retentionMs\":60000}
        alice post publish 'one needle'
        alice get search 'needle'
        evict
        alice post publish 'another needle'
        alice get search 'needle'
        ",
    );
    let rows = |world: &World| world.host.disk.0.count("said");
    assert_eq!(rows(&world), 2);
    world.run("wait 200000");
    assert_eq!(rows(&world), 0);
    world.output.clear();
    world.run(
        "
        alice get search 'needle'
        alice post publish 'a new needle'
        alice get search 'needle'
        admin erase
        ",
    );
    expect![[r##"
        -- 200000 ms
        alice = 200 {"found":[],"hasMore":false}
        alice = 200 {"ref":3,"result":{"messages":[{"serial":"#3","version":"#3"}]},
              "type":"ack"}
        alice = 200 {"found":[{"client":"alice","createdAt":"+200000","name":"message",
              "role":"user","serial":"#3","snippet":["a new ","needle",""]}],
              "hasMore":false}
        erased
        admin = 200 {}
    "##]]
    .assert_eq(&world.output);
    assert_eq!(world.host.disk.0.tables(), [""; 0]);
}

/// P11.9: what is said costs no row more where somebody searched, and a search that finds nothing
/// new to read writes none.
#[test]
fn p11_9_what_is_said_costs_the_same_and_a_search_pays_for_it() {
    let mut world = World::new(Limits::default());
    world.run("alice attach rewind=0\nagent post publish 'a' streaming");
    let mut cost = |script: &str| {
        let before = (
            world.host.disk.0.rows_written(),
            world.host.disk.0.reads() + world.host.disk.0.writes(),
        );
        world.run(script);
        let after = world.host.disk.0.reads() + world.host.disk.0.writes();
        (
            world.host.disk.0.rows_written() - before.0,
            after - before.1,
        )
    };
    let said = "agent post append #1 'word'\nwait 100\nalice post publish 'hello'\nwait 100";
    let before = cost(said);
    let made = cost("alice get search 'hello'");
    assert!(0 < made.0);
    assert_eq!(cost(said), before);
    let again = cost("alice get search 'hello'");
    assert!(again.0 < 10, "{again:?} for one message");
    assert_eq!(cost("alice get search 'hello'").0, 0);
}

/// P11.9: a long log is read over several searches, each of which says so.
#[test]
fn p11_9_a_long_log_is_read_in_steps() {
    let mut world = World::new(Limits::default());
    let count = 2 * SEARCH_STEP_ENTRIES + 500;
    let mut script = String::new();
    for number in 0..count / 50 {
        for _ in 0..50 {
            let _ = writeln!(script, "c{number} post publish 'a word'");
        }
        let _ = writeln!(script, "wait 1000");
    }
    world.run(&script);
    world.output.clear();
    for _ in 0..4 {
        world.run("alice get search 'word' limit=1");
    }
    expect![[r##"
        -- 50000 ms
        alice = 200 {"behind":true,"found":[{"client":"c19","createdAt":"+19000",
              "name":"message","role":"user","serial":"#1000","snippet":["a ","word",""]}],
              "hasMore":true,"next":"#1000"}
        alice = 200 {"behind":true,"found":[{"client":"c39","createdAt":"+39000",
              "name":"message","role":"user","serial":"#2000","snippet":["a ","word",""]}],
              "hasMore":true,"next":"#2000"}
        alice = 200 {"found":[{"client":"c49","createdAt":"+49000","name":"message",
              "role":"user","serial":"#2500","snippet":["a ","word",""]}],"hasMore":true,
              "next":"#2500"}
        alice = 200 {"found":[{"client":"c49","createdAt":"+49000","name":"message",
              "role":"user","serial":"#2500","snippet":["a ","word",""]}],"hasMore":true,
              "next":"#2500"}
    "##]]
    .assert_eq(&world.output);
}

/// P11.9: without room for the index nobody is told less than there is.
#[test]
fn p11_9_a_full_session_refuses_to_read_on() {
    let limits = Limits {
        session_bytes: 200_000,
        ..Limits::default()
    };
    let mut world = World::new(limits);
    world.run("alice post publish 'a needle'\nalice get search 'needle'");
    for number in 0..4 {
        let text = "x".repeat(60_000);
        world.run(&format!("c{number} post publish '{text}'"));
    }
    world.output.clear();
    world.run("alice get search 'needle'\nalice post delete #1");
    expect![[r##"
        alice = 429 {"error":{"code":"over-limit","message":"unable to search; session s1
              has as many bytes as it may, sessionBytes is 200000: delete something or set
              retentionMs","status":429}}
        alice = 200 {"ref":2,"result":{"serial":"#1","version":"#5"},"type":"ack"}
    "##]]
    .assert_eq(&world.output);
}

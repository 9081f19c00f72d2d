//! Read marks (P9.5).

use std::fmt::Write;

use expect_test::expect;
use sessile::protocol::limits::{MARKS_TOLD, READ_MARKS};

use crate::world::{World, check};

/// P9.5: readers are told at once, and then at most once in two seconds; a mark moves forward
/// only, is one row, and outlives a sleep.
#[test]
fn p9_5_a_mark_moves_forward() {
    check(
        "
        alice attach rewind=0
        bob attach rewind=0
        alice publish 'a'
        alice publish 'b'
        alice publish 'c'
        ---
        rows
        bob read #1
        rows
        bob read #2
        bob read #3
        bob read #1
        alice read #2
        timer
        wait 1999
        wait 1
        rows
        timer
        alarm
        evict
        carol attach rewind=0
        bob read #2
        bob read #4
        bob attach since
        alice get marks
        bob get marks
        carol get snapshot rewind=0
        ",
        expect![[r##"
            rows: 4
            alice < bob has read #1
            bob < bob has read #1
            bob | ack 1 {}
            rows: 1
            bob < ack 2 {}
            bob < ack 3 {}
            bob < ack 4 {}
            alice < alice has read #2
            alice | ack 4 {}
            bob < alice has read #2
            timer: Some(500)
            -- 2000 ms
            alice < bob has read #3
            bob < bob has read #3
            rows: 2
            timer: None
            alarm: None
            carol < attached #3 anew, has older, read: alice #2; bob #3
            carol < caught-up #3
            bob < ack 5 {}
            bob < nack 6 not-found: unable to mark what was read; there is no message #4
            bob < attached #3 resumed, has older, read: alice #2; bob #3
            bob < caught-up #3
            alice = 200 {"marks":[{"client":"alice","serial":"#2"},{"client":"bob",
                  "serial":"#3"}],"unread":0}
            bob = 200 {"marks":[{"client":"alice","serial":"#2"},{"client":"bob",
                  "serial":"#3"}],"unread":0}
            carol = 200 {"approvals":[],"calls":[],"createdAt":"+0","grants":[],"hasOlder":true,
                  "marks":[{"client":"alice","serial":"#2"},{"client":"bob","serial":"#3"}],
                  "messages":[],"presence":[],"serial":"#3","session":"s1","settings":{},
                  "turns":[],"updatedAt":"+0"}
        "##]],
    );
}

/// P9.5: others' messages after the mark are unread.
#[test]
fn p9_5_what_is_unread() {
    check(
        "
        alice attach rewind=0
        alice publish 'a'
        alice publish 'b'
        bob post publish 'mine'
        alice delete #2
        ---
        bob get marks
        bob post read #1
        bob get marks
        bob post read #3
        bob get marks
        ",
        expect![[r##"
            bob = 200 {"marks":[],"unread":1}
            alice < bob has read #1
            bob = 200 {"ref":2,"result":{},"type":"ack"}
            bob = 200 {"marks":[{"client":"bob","serial":"#1"}],"unread":0}
            bob = 200 {"ref":3,"result":{},"type":"ack"}
            bob = 200 {"marks":[{"client":"bob","serial":"#3"}],"unread":0}
        "##]],
    );
}

/// P9.5: it needs `read`, and a serial of this log.
#[test]
fn p9_5_who_may_mark() {
    check(
        "
        alice post publish 'a'
        mallory post read #1 as=publish
        alice post read #2
        alice post read x
        viewer post read #1
        ",
        expect![[r##"
            alice = 200 {"ref":1,"result":{"messages":[{"serial":"#1","version":"#1"}]},
                  "type":"ack"}
            mallory = 403 {"error":{"code":"forbidden","message":"unable to mark what was read;
                  the token lacks the operation read for session s1, it has publish",
                  "status":403},"ref":1,"type":"nack"}
            alice = 404 {"error":{"code":"not-found","message":"unable to mark what was read;
                  there is no message #2","status":404},"ref":2,"type":"nack"}
            alice = 400 {"error":{"code":"invalid-frame","message":"unable to mark what was
                  read; serial: \"x\" is not a serial of a session","status":400},"ref":3,
                  "type":"nack"}
            viewer = 200 {"ref":1,"result":{},"type":"ack"}
        "##]],
    );
}

/// P9.5: where very many read, each is told of its own mark only, and the oldest go.
#[test]
fn p9_5_very_many_readers() {
    let mut script = "alice post publish 'a'\n".to_owned();
    for reader in 0..=MARKS_TOLD {
        let _ = writeln!(script, "r{reader} post read #1");
    }
    let mut world = World::new(Default::default());
    world.run(&script);
    world.run("r0 attach\nr1 attach\nr1/2 attach\nalice post publish 'b'\nwait 2000");
    world.output.clear();
    world.run("r1 read #2\nevict\nr2 attach");
    expect![[r#"
        -- 2000 ms
        r1 < r1 has read #2
        r1 | ack 2 {}
        r1/2 < r1 has read #2
        r2 < attached #2 anew, read: r2 #1
        r2 < create #1 alice 'a'
        r2 | create #2 alice 'b'
        r2 < caught-up #2
    "#]]
    .assert_eq(&world.output);
    for reader in 0..READ_MARKS {
        world.run(&format!("s{reader} post read #1\nwait 1"));
    }
    assert_eq!(world.host.log().marks().unwrap().len(), READ_MARKS);
    world.run("evict");
    world.output.clear();
    world.run("r1 get marks\ns7 get marks");
    expect![[r##"
        -- 3000 ms
        r1 = 200 {"marks":[],"unread":2}
        s7 = 200 {"marks":[{"client":"s7","serial":"#1"}],"unread":1}
    "##]]
    .assert_eq(&world.output);
}

//! Messages that are longer as JSON than in bytes: control characters take six (P3.6, P3.9).

use crate::world::World;
use expect_test::{Expect, expect};
use sessile::protocol::limits::Limits;

/// As JSON a message of so many control characters is longer than a replay may be.
const LONG: usize = 800_000;

/// Runs a script in which `…` stands for a long message; what comes out is cut short.
fn check(script: &str, expected: Expect) {
    let mut world = World::new(Limits {
        frame_bytes: 8 * 1024 * 1024,
        text_bytes_per_second: 80 * 1024 * 1024,
        effect_bytes: 16 * 1024 * 1024,
        ..Limits::default()
    });
    world.run(&script.replace('…', &"\u{1}".repeat(LONG)));
    expected.assert_eq(&world.output);
}

/// P3.6: whoever attaches is sent the newest message, however long it is, and so has a place to
/// read history from.
#[test]
fn the_newest_message_is_always_sent() {
    check(
        "
        alice attach window=0
        alice publish 'a'
        alice publish '…'
        ---
        bob attach
        bob brief messages before=#2
        ",
        expect![[r#"
            bob < attached #2 anew, has older
            bob < create #2 alice '…' (800000)
            bob < caught-up #2
            bob = 200 messages: #1 alice 'a'
        "#]],
    );
}

/// P3.6: a long one further back ends the replay, and what is newer is sent.
#[test]
fn a_long_message_ends_a_replay() {
    check(
        "
        alice attach window=0
        alice publish 'a'
        alice publish '…'
        alice publish 'b'
        ---
        bob attach
        bob brief messages before=#3 limit=1
        bob brief messages before=#2
        ",
        expect![[r#"
            bob < attached #3 anew, has older
            bob < create #3 alice 'b'
            bob < caught-up #3
            bob = 200 messages: #2 alice '…' (800000), hasMore=true, next=#2
            bob = 200 messages: #1 alice 'a'
        "#]],
    );
}

/// P3.6: who missed a long message begins anew, with that message where it is the newest.
#[test]
fn who_missed_a_long_message_begins_anew() {
    check(
        "
        alice attach window=0
        alice publish 'a'
        bob attach
        bob drop
        alice publish '…'
        ---
        bob attach since
        ",
        expect![[r#"
            bob < attached #2 anew, has older (unable to resume; more was missed than a replay
                  may bring)
            bob < create #2 alice '…' (800000)
            bob < caught-up #2
        "#]],
    );
}

/// P3.6, P6.9: the turn of a long message comes with it.
#[test]
fn the_turn_of_a_long_message_comes_with_it() {
    check(
        "
        agent attach window=0
        agent start t1
        agent publish '…' turn=t1
        agent end t1 complete
        ---
        bob attach
        ",
        expect![[r#"
            bob < attached #3 anew
            bob < turn.end #3 t1 complete agent
            bob < create #2 agent turn=t1 '…' (800000)
            bob < caught-up #3
        "#]],
    );
}

/// P3.6, P6.9: of messages that are too long for a replay nothing is sent, nor of their turns.
#[test]
fn the_turns_of_the_others_come_with_them() {
    check(
        "
        agent attach window=0
        agent start t1
        agent publish '…' turn=t1
        agent end t1 complete
        agent start t2
        agent publish 'b' turn=t2
        agent end t2 complete
        ---
        bob attach
        ",
        expect![[r#"
            bob < attached #6 anew, has older
            bob < turn.end #6 t2 complete agent
            bob | create #5 agent turn=t2 'b'
            bob < caught-up #6
        "#]],
    );
}

/// P3.3: those that stream are sent up to the bound as well, the newest first.
#[test]
fn long_messages_that_stream() {
    check(
        "
        alice attach window=0
        alice publish '…' streaming
        alice publish 'b' streaming
        alice publish 'c'
        ---
        bob attach rewind=1
        alice append #1 'd'
        bob holds
        ",
        expect![[r#"
            bob < attached #3 anew, has older
            bob < create #2 alice 'b' streaming
            bob | create #3 alice 'c'
            bob < caught-up #3
            alice < ack 4 #1 v#4
            bob < append #1 v#4 @800000 'd'
            bob holds #2 "b" streaming
            bob holds #3 "c"
        "#]],
    );
}

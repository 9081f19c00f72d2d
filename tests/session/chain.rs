//! Frames that are taken in order or not at all (P13.8).

use std::fmt::Write;

use crate::world::{World, check};
use expect_test::expect;
use sessile::protocol::limits::{CHAINS_MAX, Limits};

/// P13.8: what comes after a refused frame of the same chain does nothing, in the same array and
/// later; everything else is taken.
#[test]
fn a_chain_breaks_at_its_first_refusal() {
    check(
        "
        agent attach
        alice attach window=0
        agent publish 'a' streaming and 'b' streaming
        ---
        agent append #1 '1' seq=1 chain=7; append #1 '3' seq=3 chain=7; append #1 '2' seq=2 chain=7
        agent append #2 '1' seq=1 chain=7; append #2 '1' seq=1 chain=8; append #1 '2' seq=2
        agent publish 'c' chain=7; delete #1 chain=7; signal s chain=7; cancel all chain=7 noref
        agent publish 'c' chain=9
        alice holds
        ",
        expect![[r#"
            agent < ack 2 #1 v#3 seq=1
            agent | nack 3 gap: unable to append; message #1 expects seq 2 and holds 2
                  expectedSeq=2 length=2
            agent | nack 4 skipped: unable to take the frame; one before it in chain 7 was
                  refused
            alice < append #1 v#3 @1 '1'
            agent < nack 5 skipped: unable to take the frame; one before it in chain 7 was
                  refused
            agent < ack 6 #2 v#5 seq=1
            agent | ack 7 #1 v#4 seq=2
            alice < append #1 v#4 @2 '2'
            alice | append #2 v#5 @1 '1'
            agent < nack 8 skipped: unable to take the frame; one before it in chain 7 was
                  refused
            agent | nack 9 skipped: unable to take the frame; one before it in chain 7 was
                  refused
            agent | nack 10 skipped: unable to take the frame; one before it in chain 7 was
                  refused
            agent | nack null skipped: unable to take the frame; one before it in chain 7 was
                  refused
            agent < create #6 agent 'c'
            agent | ack 12 #6
            alice < create #6 agent 'c'
            alice holds #1 "a12" streaming
            alice holds #2 "b1" streaming
            alice holds #6 "c"
        "#]],
    );
}

/// P13.8: a chain is a connection's own, and a request's own.
#[test]
fn nobody_else_is_held_up() {
    check(
        "
        agent attach
        agent/2 attach
        ---
        agent delete #9 chain=1; publish 'a' chain=1
        agent/2 publish 'b' chain=1
        agent post delete #9 chain=1; publish 'c' chain=1; publish 'd' chain=2
        agent post publish 'e' chain=1
        ",
        expect![[r##"
            agent < nack 1 not-found: unable to delete; there is no message #9
            agent | nack 2 skipped: unable to take the frame; one before it in chain 1 was
                  refused
            agent < create #1 agent 'b'
            agent/2 < create #1 agent 'b'
            agent/2 | ack 1 #1
            agent < create #2 agent 'd'
            agent/2 < create #2 agent 'd'
            agent = 200 [{"error":{"code":"not-found","message":"unable to delete; there is no
                  message #9","status":404},"ref":3,"type":"nack"},{"error":{"code":"skipped",
                  "message":"unable to take the frame; one before it in chain 1 was refused",
                  "status":409},"ref":4,"type":"nack"},{"ref":5,
                  "result":{"messages":[{"serial":"#2","version":"#2"}]},"type":"ack"}]
            agent < create #3 agent 'e'
            agent/2 < create #3 agent 'e'
            agent = 200 {"ref":6,"result":{"messages":[{"serial":"#3","version":"#3"}]},
                  "type":"ack"}
        "##]],
    );
}

/// P12.1: the lines of one body are one connection.
#[test]
fn lines_of_a_body_may_be_a_chain() {
    check(
        "
        agent attach lines
        ---
        agent publish 'a' chain=3
        agent delete #9 chain=3 noref
        agent publish 'b' chain=3 noref
        ",
        expect![[r#"
            agent < ack 1 #1
            agent < nack null not-found: unable to delete; there is no message #9
            agent < nack null skipped: unable to take the frame; one before it in chain 3 was
                  refused
        "#]],
    );
}

/// Invariant 5: a session that sleeps wakes up knowing which chains broke.
#[test]
fn a_chain_stays_broken_over_a_sleep() {
    check(
        "
        agent attach
        agent delete #9 chain=5
        evict
        ---
        agent publish 'a' chain=5
        agent publish 'b' chain=6
        agent drop
        agent attach rewind=0
        agent publish 'c' chain=5
        ",
        expect![[r#"
            agent < nack 2 skipped: unable to take the frame; one before it in chain 5 was
                  refused
            agent < create #1 agent 'b'
            agent | ack 3 #1
            agent < attached #1 anew, has older
            agent < caught-up #1
            agent < create #2 agent 'c'
            agent | ack 4 #2
        "#]],
    );
}

/// P13.8: whatever a frame was refused for breaks its chain, as long as its number can be read.
#[test]
fn a_frame_that_is_malformed_breaks_its_chain() {
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let deep = format!(r#"{{"type":"publish","ref":4,"messages":[{{"data":{deep}}}],"chain":4}}"#);
    let script = format!(
        r#"
        agent attach
        ---
        agent raw {{"type":"wish","ref":1,"chain":1}}
        agent raw {{"type":"publish","ref":2,"messages":[],"chain":2}}
        agent raw {{"ref":3,"chain":3}}
        agent raw [{deep},{{"type":"publish","ref":5,"messages":[{{"data":1}}]}}]
        agent publish '1' chain=1
        agent publish '2' chain=2
        agent publish '3' chain=3
        agent publish '4' chain=4
        agent raw {{"type":"publish","ref":6,"messages":[{{"data":1}}],"chain":0}}
        agent raw {{"type":"publish","ref":7,"messages":[{{"data":1}}],"chain":"a"}}
        agent raw {{"type":"publish","ref":8,"messages":[{{"data":1}}],"chain":9007199254740992}}
        "#
    );
    check(
        &script,
        expect![[r#"
            agent < nack 1 unknown-frame: unable to read the frame; there is no type "wish",
                  only append, publish, update, delete, signal, turn.start, turn.end,
                  turn.suspend, turn.resume, turn.heartbeat, turn.usage, turn.adopt,
                  turn.steered, cancel, steer, approval.request, approval.decide,
                  approval.withdraw, grant.revoke, tool.call, tool.claim, tool.result,
                  tool.withdraw, notify, lead.take, lead.return, state, annotate, unannotate,
                  read, presence.set, presence.leave, auth, seen
            agent < nack 2 invalid-frame: unable to publish; messages has 0 items, not 1 to 100
            agent < nack 3 invalid-frame: unable to read the frame; type is missing
            agent < nack 4 invalid-frame: unable to read the frame; it nests deeper than 64
            agent | create #1 agent 1
            agent | ack 5 #1
            agent < nack 1 skipped: unable to take the frame; one before it in chain 1 was
                  refused
            agent < nack 2 skipped: unable to take the frame; one before it in chain 2 was
                  refused
            agent < nack 3 skipped: unable to take the frame; one before it in chain 3 was
                  refused
            agent < nack 4 skipped: unable to take the frame; one before it in chain 4 was
                  refused
            agent < nack 6 invalid-frame: unable to read the frame; chain: it is 0, the first
                  is 1
            agent < nack 7 invalid-frame: unable to read the frame; chain: it is the text "a",
                  not a whole number from 0
            agent < nack 8 invalid-frame: unable to read the frame; chain: it is
                  9007199254740992, the limit is 9007199254740991
        "#]],
    );
}

/// P13.8, P13.6: one that is too large breaks its chain as well.
#[test]
fn a_frame_that_is_too_large_breaks_its_chain() {
    check(
        "
        agent attach
        ---
        agent floods 300000 publish '…' chain=1
        agent publish 'a' chain=1
        ",
        expect![[r#"
            agent < nack 1 too-large: unable to read the message; 300061 bytes of UTF-8 exceed
                  the limit of 262144
            agent < nack 2 skipped: unable to take the frame; one before it in chain 1 was
                  refused
        "#]],
    );
}

/// P2.6: a fresh token may stand in a chain.
#[test]
fn a_token_may_be_in_a_chain() {
    check(
        "
        agent attach
        ---
        agent renew chain=1 client=bob
        agent publish 'a' chain=1
        agent renew chain=1
        agent renew chain=2
        agent publish 'b' chain=2
        ",
        expect![[r#"
            agent < nack 1 unauthorized: unable to renew the token; it is not agent's
            agent < nack 2 skipped: unable to take the frame; one before it in chain 1 was
                  refused
            agent < nack 3 skipped: unable to take the frame; one before it in chain 1 was
                  refused
            agent < ack 4 {"at":"+0","expiresAt":"+31536000000"}
            agent < create #1 agent 'b'
            agent | ack 5 #1
        "#]],
    );
}

/// P13.4: what is known of broken chains has a bound; the newest are.
#[test]
fn the_oldest_chains_are_forgotten() {
    let mut world = World::new(Limits::default());
    let mut script = "agent attach\n".to_owned();
    for chain in 1..=CHAINS_MAX + 1 {
        let _ = writeln!(script, "agent delete #9 chain={chain}");
    }
    world.run(&script);
    world.output.clear();
    world.run(&format!(
        "agent publish 'a' chain=1\nagent publish 'b' chain=2\nagent publish 'c' chain={}",
        CHAINS_MAX + 1
    ));
    expect![[r#"
        agent < create #1 agent 'a'
        agent | ack 102 #1
        agent < nack 103 skipped: unable to take the frame; one before it in chain 2 was
              refused
        agent < nack 104 skipped: unable to take the frame; one before it in chain 101 was
              refused
    "#]]
    .assert_eq(&world.output);
}

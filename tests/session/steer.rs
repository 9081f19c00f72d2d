//! Instructions to a running turn (P6.7).

use crate::world::{check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P6.7: a steer is a message and a frame, one entry of the log, in one array; taken, the
/// message says so.
#[test]
fn a_steer_is_taken() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent publish 'a' streaming turn=t1
        ---
        alice steer t1 'faster'
        agent steered t1 #3
        agent steered t1 #3
        alice steer t1 {\"speed\":2}
        alice get #3
        ",
        expect![[r##"
            agent < create #3 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            agent | turn.steer #3 t1 active agent message=#3 'faster'
            alice < create #3 alice name=steer turn=t1 'faster' headers={"steer":"waiting"}
            alice | turn.steer #3 t1 active agent message=#3 'faster'
            alice | ack 1 #3 in t1 active agent
            agent < update #3 v#4 alice name=steer turn=t1 headers={"steer":"taken"}
            agent | ack 3 t1 active agent
            alice < update #3 v#4 alice name=steer turn=t1 headers={"steer":"taken"}
            agent < ack 4 t1 active agent duplicate
            agent < create #5 alice name=steer turn=t1 {"speed":2} headers={"steer":"waiting"}
            agent | turn.steer #5 t1 active agent message=#5 {"speed":2}
            alice < create #5 alice name=steer turn=t1 {"speed":2} headers={"steer":"waiting"}
            alice | turn.steer #5 t1 active agent message=#5 {"speed":2}
            alice | ack 2 #5 in t1 active agent
            alice = 200 {"message":{"client":"alice","connection":"alice-1","createdAt":"+0",
                  "data":"faster","headers":{"steer":"taken"},"name":"steer","role":"user",
                  "serial":"#3","turn":"t1","updatedAt":"+0","version":"#4"}}
        "##]],
    );
}

/// P6.7: one not taken when the turn ends is missed, and its sender can tell; told before
/// the end, in its array.
#[test]
fn a_steer_is_missed() {
    check(
        "
        agent attach
        alice attach window=0
        agent start t1
        agent publish 'a' streaming turn=t1
        alice steer t1 'one'
        alice steer t1 'two'
        agent steered t1 #4
        ---
        agent end t1 complete
        agent steered t1 #3
        alice steer t1 'three'
        alice holds
        ",
        expect![[r#"
            agent < append #2 v#6 @1 '' complete
            agent | update #3 v#7 alice name=steer turn=t1 headers={"steer":"missed"}
            agent | turn.end #8 t1 complete agent
            agent | ack 4 t1 complete agent
            alice < append #2 v#6 @1 '' complete
            alice | update #3 v#7 alice name=steer turn=t1 headers={"steer":"missed"}
            alice | turn.end #8 t1 complete agent
            agent < nack 5 turn-closed: unable to take the instruction; turn t1 is complete
            alice < nack 3 turn-closed: unable to steer; turn t1 is complete
            alice holds #2 "a" complete
            alice holds #3 "one" missed
            alice holds #4 "two" taken
        "#]],
    );
}

/// P6.7: also when the turn is cancelled, or lost.
#[test]
fn a_steer_is_missed_at_every_end() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=1000
        agent start t2 lease=600000
        agent start t3
        agent suspend t3
        alice steer t1 'one'
        alice steer t2 'two'
        alice steer t3 'three'
        ---
        alice cancel turn=t2
        alice cancel turn=t3
        wait 1000
        wait 4000
        ",
        expect![[r#"
            agent < turn.cancel #8 t2 active agent cancel=alice
            alice < turn.cancel #8 t2 active agent cancel=alice
            alice | ack 4 [t2 active agent cancel=alice]
            agent < turn.cancel #9 t3 suspended agent cancel=alice
            agent | update #7 v#10 alice name=steer turn=t3 headers={"steer":"missed"}
            agent | turn.end #11 t3 cancelled agent cancel=alice
            alice < turn.cancel #9 t3 suspended agent cancel=alice
            alice | update #7 v#10 alice name=steer turn=t3 headers={"steer":"missed"}
            alice | turn.end #11 t3 cancelled agent cancel=alice
            alice | ack 5 [t3 cancelled agent cancel=alice]
            -- 1000 ms
            agent < update #5 v#12 alice name=steer turn=t1 headers={"steer":"missed"}
            agent | turn.end #13 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < update #5 v#12 alice name=steer turn=t1 headers={"steer":"missed"}
            alice | turn.end #13 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            -- 5000 ms
            agent < update #6 v#14 alice name=steer turn=t2 headers={"steer":"missed"}
            agent | turn.end #15 t2 cancelled agent cancel=alice
            alice < update #6 v#14 alice name=steer turn=t2 headers={"steer":"missed"}
            alice | turn.end #15 t2 cancelled agent cancel=alice
        "#]],
    );
}

/// P6.7, P6.8: steers that the attempt before took wait again; those that wait still do.
#[test]
fn steers_wait_again() {
    check(
        "
        agent attach
        agent/two attach
        alice attach rewind=0
        agent start t1
        agent publish 'a' streaming turn=t1
        alice steer t1 'one'
        alice steer t1 'two'
        agent steered t1 #3
        ---
        agent/two adopt t1
        agent steered t1 #4 attempt=1
        agent steered t1 #4
        agent/two steered t1 #3
        agent/two end t1 complete
        alice holds
        ",
        expect![[r#"
            agent < turn.adopt #6 t1 active agent attempt=2
            agent | delete #2 v#7 superseded
            agent | update #3 v#8 alice name=steer turn=t1 'one' headers={"steer":"waiting"}
            agent/two < turn.adopt #6 t1 active agent attempt=2
            agent/two | delete #2 v#7 superseded
            agent/two | update #3 v#8 alice name=steer turn=t1 'one' headers={"steer":"waiting"}
            agent/two | ack 1 t1 active agent attempt=2
            alice < turn.adopt #6 t1 active agent attempt=2
            alice | delete #2 v#7 superseded
            alice | update #3 v#8 alice name=steer turn=t1 'one' headers={"steer":"waiting"}
            agent < nack 4 not-leader: unable to take the instruction; turn t1 is at attempt 2,
                  not 1
            agent < nack 5 not-leader: unable to take the instruction; turn t1 was not taken
                  over this connection, send its current attempt with the frame
            agent < update #3 v#9 alice name=steer turn=t1 headers={"steer":"taken"}
            agent/two < update #3 v#9 alice name=steer turn=t1 headers={"steer":"taken"}
            agent/two | ack 2 t1 active agent attempt=2
            alice < update #3 v#9 alice name=steer turn=t1 headers={"steer":"taken"}
            agent < update #4 v#10 alice name=steer turn=t1 headers={"steer":"missed"}
            agent | turn.end #11 t1 complete agent attempt=2
            agent/two < update #4 v#10 alice name=steer turn=t1 headers={"steer":"missed"}
            agent/two | turn.end #11 t1 complete agent attempt=2
            agent/two | ack 3 t1 complete agent attempt=2
            alice < update #4 v#10 alice name=steer turn=t1 headers={"steer":"missed"}
            alice | turn.end #11 t1 complete agent attempt=2
            alice holds #2 null streaming deleted
            alice holds #3 "one" taken
            alice holds #4 "two" missed
        "#]],
    );
}

/// P6.8: also if the output is kept.
#[test]
fn steers_and_an_adoption_that_keeps() {
    check(
        "
        agent attach
        agent/two attach
        alice attach rewind=0
        agent start t1
        alice steer t1 'one'
        agent steered t1 #2
        ---
        agent/two adopt t1 keep
        ",
        expect![[r#"
            agent < turn.adopt #4 t1 active agent attempt=2
            agent | update #2 v#5 alice name=steer turn=t1 'one' headers={"steer":"waiting"}
            agent/two < turn.adopt #4 t1 active agent attempt=2
            agent/two | update #2 v#5 alice name=steer turn=t1 'one' headers={"steer":"waiting"}
            agent/two | ack 1 t1 active agent attempt=2
            alice < turn.adopt #4 t1 active agent attempt=2
            alice | update #2 v#5 alice name=steer turn=t1 'one' headers={"steer":"waiting"}
        "#]],
    );
}

/// P6.7: a suspended turn is steered; the leader finds it when it goes on, and over a sleep.
#[test]
fn a_suspended_turn_is_steered() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent suspend t1
        ---
        alice steer t1 'wait no longer'
        evict
        agent resume t1
        agent steered t1 #3
        evict
        agent end t1 complete
        ",
        expect![[r#"
            agent < create #3 alice name=steer turn=t1 'wait no longer'
                  headers={"steer":"waiting"}
            agent | turn.steer #3 t1 suspended agent message=#3 'wait no longer'
            alice < create #3 alice name=steer turn=t1 'wait no longer'
                  headers={"steer":"waiting"}
            alice | turn.steer #3 t1 suspended agent message=#3 'wait no longer'
            alice | ack 1 #3 in t1 suspended agent
            agent < turn.resume #4 t1 active agent
            agent | ack 3 t1 active agent
            alice < turn.resume #4 t1 active agent
            agent < update #3 v#5 alice name=steer turn=t1 headers={"steer":"taken"}
            agent | ack 4 t1 active agent
            alice < update #3 v#5 alice name=steer turn=t1 headers={"steer":"taken"}
            agent < turn.end #6 t1 complete agent
            agent | ack 5 t1 complete agent
            alice < turn.end #6 t1 complete agent
        "#]],
    );
}

/// P6.7: what is no instruction of the turn is not taken.
#[test]
fn what_is_no_steer() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        agent start t2
        agent publish 'a' turn=t1
        alice steer t2 'two'
        ---
        agent steered t1 #3
        agent steered t1 #4
        agent steered t1 #9
        agent steered t1 #1
        agent steered t1
        agent steer t1
        agent steer t1 'to myself'
        ",
        expect![[r#"
            agent < nack 4 not-found: unable to take the instruction; #3 is none of turn t1
            agent < nack 5 not-found: unable to take the instruction; #4 is none of turn t1
            agent < nack 6 not-found: unable to take the instruction; there is no message #9
            agent < nack 7 not-found: unable to take the instruction; #1 is none of turn t1
            agent < nack 8 invalid-frame: unable to take the instruction; serial is missing
            agent < nack 9 invalid-frame: unable to steer; data is missing
            agent < create #5 agent name=steer turn=t1 'to myself' headers={"steer":"waiting"}
            agent | turn.steer #5 t1 active agent message=#5 'to myself'
            agent | ack 10 #5 in t1 active agent
            alice < create #5 agent name=steer turn=t1 'to myself' headers={"steer":"waiting"}
            alice | turn.steer #5 t1 active agent message=#5 'to myself'
        "#]],
    );
}

/// P6.8, P4.3: a steer belongs to the turn: its sender does not take it back. It is not the
/// leader's message either.
#[test]
fn a_steer_stays() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        alice steer t1 'faster'
        ---
        alice update #2 'slower'
        alice delete #2
        agent update #2 'slower'
        agent delete #2
        ",
        expect![[r#"
            alice < nack 2 not-leader: unable to update; turn t1 is agent's
            alice < nack 3 not-leader: unable to delete; turn t1 is agent's
            agent < nack 2 forbidden: unable to update; the token lacks the operation edit for
                  session s1, it has read, publish, presence, turn, cancel, steer, state,
                  annotate
            agent < nack 3 forbidden: unable to delete; the token lacks the operation edit for
                  session s1, it has read, publish, presence, turn, cancel, steer, state,
                  annotate
        "#]],
    );
}

/// P4.3: whoever may edit deletes it; then there is nothing to take, to miss or to renew.
#[test]
fn a_steer_is_deleted() {
    check(
        "
        agent attach
        agent/two attach rewind=0
        supervisor attach rewind=0
        agent start t1
        supervisor steer t1 'one'
        supervisor steer t1 'two'
        supervisor steer t1 'three'
        agent steered t1 #3
        ---
        supervisor delete #2
        supervisor delete #3
        agent steered t1 #2
        agent/two adopt t1
        agent/two end t1 complete
        ",
        expect![[r#"
            agent < delete #2 v#6
            agent/two < delete #2 v#6
            supervisor < delete #2 v#6
            supervisor | ack 4 #2 v#6
            agent < delete #3 v#7
            agent/two < delete #3 v#7
            supervisor < delete #3 v#7
            supervisor | ack 5 #3 v#7
            agent < ack 3 t1 active agent
            agent < turn.adopt #8 t1 active agent attempt=2
            agent/two < turn.adopt #8 t1 active agent attempt=2
            agent/two | ack 1 t1 active agent attempt=2
            supervisor < turn.adopt #8 t1 active agent attempt=2
            agent < update #4 v#9 supervisor name=steer turn=t1 headers={"steer":"missed"}
            agent | turn.end #10 t1 complete agent attempt=2
            agent/two < update #4 v#9 supervisor name=steer turn=t1 headers={"steer":"missed"}
            agent/two | turn.end #10 t1 complete agent attempt=2
            agent/two | ack 2 t1 complete agent attempt=2
            supervisor < update #4 v#9 supervisor name=steer turn=t1 headers={"steer":"missed"}
            supervisor | turn.end #10 t1 complete agent attempt=2
        "#]],
    );
}

/// P13.1: a steer's id is one of steers.
#[test]
fn the_id_of_a_steer_is_its_own() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1
        alice publish 'a' id=x
        ---
        alice steer t1 'b' id=x
        alice steer t1 'c' id=x
        alice publish 'd' id=x
        ",
        expect![[r#"
            agent < create #3 alice name=steer turn=t1 'b' headers={"steer":"waiting"}
            agent | turn.steer #3 t1 active agent message=#3 'b'
            alice < create #3 alice name=steer turn=t1 'b' headers={"steer":"waiting"}
            alice | turn.steer #3 t1 active agent message=#3 'b'
            alice | ack 2 #3 in t1 active agent
            alice < ack 3 #3 in t1 active agent duplicate
            alice < ack 4 #2 id="x" duplicate
        "#]],
    );
}

/// P6.7: it needs `steer`, and nothing else.
#[test]
fn who_may_steer() {
    check(
        "
        agent attach
        dave attach as=read,steer rewind=0
        erin attach as=read,publish rewind=0
        agent start t1
        ---
        dave steer t1 'faster'
        erin steer t1 'faster'
        ",
        expect![[r#"
            agent < create #2 dave name=steer turn=t1 'faster' headers={"steer":"waiting"}
            agent | turn.steer #2 t1 active agent message=#2 'faster'
            dave < create #2 dave name=steer turn=t1 'faster' headers={"steer":"waiting"}
            dave | turn.steer #2 t1 active agent message=#2 'faster'
            dave | ack 1 #2 in t1 active agent
            erin < create #2 dave name=steer turn=t1 'faster' headers={"steer":"waiting"}
            erin | turn.steer #2 t1 active agent message=#2 'faster'
            erin < nack 1 forbidden: unable to steer; the token lacks the operation steer for
                  session s1, it has read, publish
        "#]],
    );
}

/// P14: data of a steer is a message's, and an id is checked.
#[test]
fn the_size_of_a_steer() {
    check_with(
        Limits {
            data_bytes: 5,
            ..Limits::default()
        },
        "
        agent attach
        agent start t1
        ---
        agent steer t1 'ééé'
        agent steer t1 'éé'
        ",
        expect![[r#"
            agent < nack 2 too-large: unable to steer; 6 bytes of UTF-8 exceed the limit of 5
            agent < create #2 agent name=steer turn=t1 'éé' headers={"steer":"waiting"}
            agent | turn.steer #2 t1 active agent message=#2 'éé'
            agent | ack 3 #2 in t1 active agent
        "#]],
    );
}

/// P3.5, P3.9: who comes later finds the steers with the turn.
#[test]
fn steers_in_a_replay() {
    check(
        "
        agent attach
        alice attach rewind=0
        bob attach rewind=0
        agent start t1
        bob drop
        alice steer t1 'one'
        alice steer t1 'two'
        agent steered t1 #2
        ---
        bob attach since
        carol attach
        agent end t1 complete
        ",
        expect![[r#"
            bob < attached #4 resumed, turns: t1 active agent
            bob < create #2 v#4 alice name=steer turn=t1 'one' headers={"steer":"taken"}
            bob | create #3 alice name=steer turn=t1 'two' headers={"steer":"waiting"}
            bob < caught-up #4
            carol < attached #4 anew, turns: t1 active agent
            carol < create #2 v#4 alice name=steer turn=t1 'one' headers={"steer":"taken"}
            carol | create #3 alice name=steer turn=t1 'two' headers={"steer":"waiting"}
            carol < caught-up #4
            agent < update #3 v#5 alice name=steer turn=t1 headers={"steer":"missed"}
            agent | turn.end #6 t1 complete agent
            agent | ack 3 t1 complete agent
            alice < update #3 v#5 alice name=steer turn=t1 headers={"steer":"missed"}
            alice | turn.end #6 t1 complete agent
            bob < update #3 v#5 alice name=steer turn=t1 headers={"steer":"missed"}
            bob | turn.end #6 t1 complete agent
            carol < update #3 v#5 alice name=steer turn=t1 headers={"steer":"missed"}
            carol | turn.end #6 t1 complete agent
        "#]],
    );
}

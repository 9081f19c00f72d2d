//! The life of a turn: begun, suspended, resumed, ended (P6.1–P6.4, P6.10).

use crate::world::check;
use expect_test::expect;

/// P6.2, P6.3, P6.10: a turn from its beginning to its end, as everybody sees it; its agent
/// is answered after it was told.
#[test]
fn a_turn_begins_and_ends() {
    check(
        "
        agent attach
        alice attach window=0
        alice publish 'question'
        ---
        agent start t1 input=#1 metadata={\"model\":\"m\"}
        agent publish 'answer' role=assistant turn=t1
        agent end t1 complete
        alice turns
        ",
        expect![[r#"
            agent < turn.start #2 t1 active agent input=#1 metadata={"model":"m"}
            agent | ack 1 t1 active agent input=#1 metadata={"model":"m"}
            alice < turn.start #2 t1 active agent input=#1 metadata={"model":"m"}
            agent < create #3 agent role=assistant turn=t1 'answer'
            agent | ack 2 #3
            alice < create #3 agent role=assistant turn=t1 'answer'
            agent < turn.end #4 t1 complete agent input=#1 metadata={"model":"m"}
            agent | ack 3 t1 complete agent input=#1 metadata={"model":"m"}
            alice < turn.end #4 t1 complete agent input=#1 metadata={"model":"m"}
            alice knows t1 complete agent input=#1 metadata={"model":"m"}
        "#]],
    );
}

/// P6.1: a turn has what its status says, and times; `leaseUntil` only while it is active.
#[test]
fn a_turn_as_a_whole() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice publish 'question'
        alice publish 'more' parent=#1
        ---
        agent start t1 input=#1 parent=#2 lease=2000 metadata={\"a\":1}
        alice get turn t1
        wait 100
        agent suspend t1 reason=tool
        alice get turn t1
        wait 100
        agent resume t1
        alice get turn t1
        wait 100
        alice cancel turn=t1 reason='too long'
        agent end t1 failed error={\"code\":\"x\",\"message\":\"y\"}
        alice get turn t1
        ",
        expect![[r##"
            agent < turn.start #3 t1 active agent input=#1 parent=#2 metadata={"a":1}
            agent | ack 1 t1 active agent input=#1 parent=#2 metadata={"a":1}
            alice < turn.start #3 t1 active agent input=#1 parent=#2 metadata={"a":1}
            alice = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","id":"t1",
                  "input":"#1","leaseMs":2000,"leaseUntil":"+2000","metadata":{"a":1},
                  "parent":"#2","startedAt":"+0","status":"active"}}
            -- 100 ms
            agent < turn.suspend #4 t1 suspended agent input=#1 parent=#2 reason=tool
                  metadata={"a":1}
            agent | ack 2 t1 suspended agent input=#1 parent=#2 reason=tool metadata={"a":1}
            alice < turn.suspend #4 t1 suspended agent input=#1 parent=#2 reason=tool
                  metadata={"a":1}
            alice = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","id":"t1",
                  "input":"#1","leaseMs":2000,"metadata":{"a":1},"parent":"#2","reason":"tool",
                  "startedAt":"+0","status":"suspended"}}
            -- 200 ms
            agent < turn.resume #5 t1 active agent input=#1 parent=#2 metadata={"a":1}
            agent | ack 3 t1 active agent input=#1 parent=#2 metadata={"a":1}
            alice < turn.resume #5 t1 active agent input=#1 parent=#2 metadata={"a":1}
            alice = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","id":"t1",
                  "input":"#1","leaseMs":2000,"leaseUntil":"+2200","metadata":{"a":1},
                  "parent":"#2","startedAt":"+0","status":"active"}}
            -- 300 ms
            agent < turn.cancel #6 t1 active agent input=#1 parent=#2 cancel=alice 'too long'
                  metadata={"a":1}
            alice < turn.cancel #6 t1 active agent input=#1 parent=#2 cancel=alice 'too long'
                  metadata={"a":1}
            alice | ack 3 [t1 active agent input=#1 parent=#2 cancel=alice 'too long'
                  metadata={"a":1}]
            agent < turn.end #7 t1 cancelled agent input=#1 parent=#2 cancel=alice 'too long'
                  error={"code":"x","message":"y"} metadata={"a":1}
            agent | ack 4 t1 cancelled agent input=#1 parent=#2 cancel=alice 'too long'
                  error={"code":"x","message":"y"} metadata={"a":1}
            alice < turn.end #7 t1 cancelled agent input=#1 parent=#2 cancel=alice 'too long'
                  error={"code":"x","message":"y"} metadata={"a":1}
            alice = 200 {"turn":{"agent":"agent","attempt":1,"cancel":{"at":"+300","by":"alice",
                  "reason":"too long"},"createdAt":"+0","endedAt":"+300","error":{"code":"x",
                  "message":"y"},"id":"t1","input":"#1","metadata":{"a":1},"parent":"#2",
                  "startedAt":"+0","status":"cancelled"}}
        "##]],
    );
}

/// P6.2: without an id the session names the turn.
#[test]
fn a_turn_without_a_name() {
    check(
        "
        agent attach
        ---
        agent start
        agent publish 'a' turn=turn-#1
        agent end turn-#1 complete
        agent start
        ",
        expect![[r#"
            agent < turn.start #1 turn-#1 active agent
            agent | ack 1 turn-#1 active agent
            agent < create #2 agent turn=turn-#1 'a'
            agent | ack 2 #2
            agent < turn.end #3 turn-#1 complete agent
            agent | ack 3 turn-#1 complete agent
            agent < turn.start #4 turn-#4 active agent
            agent | ack 4 turn-#4 active agent
        "#]],
    );
}

/// P6.3: the end closes the turn's streams as it ends itself, and everything is told in one
/// array; what was held in a window goes first (P3.7).
#[test]
fn the_end_closes_streams_in_one_step() {
    check(
        "
        agent attach
        alice attach window=500
        bob attach window=0
        agent start t1
        agent publish '' streaming turn=t1 and '' streaming turn=t1 name=thought
        agent publish 'other' streaming
        agent append #2 'a'
        agent append #2 'b'
        agent append #3 'c'
        ---
        agent end t1 complete
        alice holds
        bob holds
        alice get #2
        timer
        ",
        expect![[r##"
            agent < append #2 v#8 @2 '' complete
            agent | append #3 v#9 @1 '' complete
            agent | turn.end #10 t1 complete agent
            agent | ack 7 t1 complete agent
            alice < append #2 v#6 @1 'b'
            alice | append #3 v#7 @0 'c'
            alice | append #2 v#8 @2 '' complete
            alice | append #3 v#9 @1 '' complete
            alice | turn.end #10 t1 complete agent
            bob < append #2 v#8 @2 '' complete
            bob | append #3 v#9 @1 '' complete
            bob | turn.end #10 t1 complete agent
            alice holds #2 "ab" complete
            alice holds #3 "c" complete
            alice holds #4 "other" streaming
            bob holds #2 "ab" complete
            bob holds #3 "c" complete
            bob holds #4 "other" streaming
            alice = 200 {"message":{"client":"agent","connection":"agent-1","createdAt":"+0",
                  "data":"ab","name":"message","role":"user","serial":"#2","status":"complete",
                  "turn":"t1","updatedAt":"+0","version":"#8"}}
            timer: None
        "##]],
    );
}

/// P6.3: streams take the status of the turn; what was closed before keeps its own.
#[test]
fn streams_end_as_their_turn() {
    check(
        "
        agent attach
        alice attach window=0
        agent start t1
        agent start t2
        agent publish '' streaming turn=t1 and 'a' streaming turn=t1
        agent publish '' streaming turn=t2
        agent append #3 'x' cancelled
        wait 300
        ---
        agent end t1 failed error={\"code\":\"overloaded\"}
        agent end t2 cancelled
        alice holds
        ",
        expect![[r#"
            -- 300 ms
            agent < append #4 v#7 @1 '' failed
            agent | turn.end #8 t1 failed agent error={"code":"overloaded"}
            agent | ack 6 t1 failed agent error={"code":"overloaded"}
            alice < append #4 v#7 @1 '' failed
            alice | turn.end #8 t1 failed agent error={"code":"overloaded"}
            agent < append #5 v#9 @0 '' cancelled
            agent | turn.end #10 t2 cancelled agent
            agent | ack 7 t2 cancelled agent
            alice < append #5 v#9 @0 '' cancelled
            alice | turn.end #10 t2 cancelled agent
            alice holds #3 "x" cancelled
            alice holds #4 "a" failed
            alice holds #5 "" cancelled
        "#]],
    );
}

/// P6.3: what comes after the end is refused, by each frame that drives a turn; the turn is
/// named before the message is (P4.3).
#[test]
fn nothing_comes_after_the_end() {
    check(
        "
        agent attach
        agent start t1
        agent publish '' streaming turn=t1
        agent publish 'whole' turn=t1
        agent end t1 complete
        ---
        agent publish 'late' turn=t1
        agent publish 'late' turn=t1 attempt=1
        agent append #2 'late'
        agent append #2 'late' attempt=1
        agent update #3 'late'
        agent delete #3
        agent end t1 complete
        agent end t1 failed attempt=1
        agent suspend t1
        agent resume t1
        agent heartbeat t1
        agent adopt t1
        agent steered t1 #2
        ",
        expect![[r#"
            agent < nack 5 turn-closed: unable to publish; turn t1 is complete
            agent < nack 6 turn-closed: unable to publish; turn t1 is complete
            agent < nack 7 turn-closed: unable to append; turn t1 is complete
            agent < nack 8 turn-closed: unable to append; turn t1 is complete
            agent < nack 9 turn-closed: unable to update; turn t1 is complete
            agent < nack 10 turn-closed: unable to delete; turn t1 is complete
            agent < nack 11 turn-closed: unable to end the turn; turn t1 is complete
            agent < nack 12 turn-closed: unable to end the turn; turn t1 is complete
            agent < nack 13 turn-closed: unable to suspend the turn; turn t1 is complete
            agent < nack 14 turn-closed: unable to resume the turn; turn t1 is complete
            agent < nack 15 turn-closed: unable to renew the lease; turn t1 is complete
            agent < nack 16 turn-closed: unable to adopt the turn; turn t1 is complete
            agent < nack 17 turn-closed: unable to take the steer; turn t1 is complete
        "#]],
    );
}

/// P13.1, P5.3: what was taken before the end is still acknowledged when it is sent again.
#[test]
fn what_came_before_the_end_is_acknowledged_again() {
    check(
        "
        agent attach
        agent start t1
        agent publish '' streaming turn=t1 id=a
        agent append #2 'x' seq=1
        agent append #2 'y' id=b
        agent publish 'c' turn=t1
        agent update #5 'd' id=c
        agent publish 'e' turn=t1
        agent delete #7 id=d
        agent end t1 complete
        ---
        agent publish '' streaming turn=t1 id=a
        agent append #2 'x' seq=1
        agent append #2 'y' id=b
        agent append #2 'z' seq=2
        agent update #5 'd' id=c
        agent delete #7 id=d
        agent update #5 'd' id=e
        agent delete #7 id=f
        ",
        expect![[r#"
            agent < ack 10 #2 v#9 id="a" duplicate
            agent < ack 11 #2 v#9 seq=1 duplicate
            agent < ack 12 #2 v#9 duplicate
            agent < nack 13 turn-closed: unable to append; turn t1 is complete
            agent < ack 14 #5 v#6 duplicate
            agent < ack 15 #7 v#8 duplicate
            agent < nack 16 turn-closed: unable to update; turn t1 is complete
            agent < nack 17 turn-closed: unable to delete; turn t1 is complete
        "#]],
    );
}

/// P4.3: a message of a final turn is changed by whoever may edit.
#[test]
fn an_editor_changes_what_is_over() {
    check(
        "
        agent attach
        supervisor attach window=0
        agent start t1
        agent publish 'a' turn=t1 and 'b' turn=t1
        agent end t1 complete
        ---
        supervisor update #2 'better'
        supervisor delete #3
        ",
        expect![[r#"
            agent < update #2 v#5 agent turn=t1 'better'
            supervisor < update #2 v#5 agent turn=t1 'better'
            supervisor | ack 1 #2 v#5
            agent < delete #3 v#6
            supervisor < delete #3 v#6
            supervisor | ack 2 #3 v#6
        "#]],
    );
}

/// P4.3, P6.8: a client that may edit changes messages of an open turn as well, and does not drive
/// it: that renews no lease. Without `edit` it is refused.
#[test]
fn an_editor_changes_what_is_open() {
    check(
        "
        agent attach
        supervisor attach window=0
        alice attach window=0
        agent start t1 lease=1000
        agent publish '' streaming turn=t1 and 'b' turn=t1
        ---
        wait 900
        supervisor append #2 'x'
        supervisor update #3 'better'
        alice update #3 'no'
        alice append #2 'no'
        wait 100
        ",
        expect![[r#"
            -- 900 ms
            agent < append #2 v#4 @0 'x'
            alice < append #2 v#4 @0 'x'
            supervisor < ack 1 #2 v#4
            agent < update #3 v#5 agent turn=t1 'better'
            alice < update #3 v#5 agent turn=t1 'better'
            supervisor < update #3 v#5 agent turn=t1 'better'
            supervisor | ack 2 #3 v#5
            alice < nack 1 not-leader: unable to update; turn t1 is agent's
            alice < nack 2 not-leader: unable to append; turn t1 is agent's
            -- 1000 ms
            agent < append #2 v#6 @1 '' failed
            agent | turn.end #7 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            alice < append #2 v#6 @1 '' failed
            alice | turn.end #7 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            supervisor < append #2 v#6 @1 '' failed
            supervisor | turn.end #7 t1 failed agent reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
        "#]],
    );
}

/// P6.3: how a turn ends is said, in a word that there is.
#[test]
fn an_end_says_how() {
    check(
        "
        agent attach
        agent start t1
        ---
        agent end t1
        agent end t1 status=done
        agent end t1 status=streaming
        agent end t1 status=active
        agent raw {\"type\":\"turn.end\",\"ref\":9,\"status\":\"complete\"}
        agent raw {\"type\":\"turn.end\",\"ref\":9,\"turn\":7,\"status\":\"complete\"}
        agent raw {\"type\":\"turn.end\",\"ref\":9,\"turn\":\"t1\",\"status\":\"complete\",\
        \"attempt\":\"one\"}
        agent brief turns
        ",
        expect![[r#"
            agent < nack 2 invalid-frame: unable to end the turn; status is missing
            agent < nack 3 invalid-frame: unable to end the turn; status: it is `done`, not one
                  of `complete`, `cancelled`, `failed`
            agent < nack 4 invalid-frame: unable to end the turn; status: it is `streaming`,
                  not one of `complete`, `cancelled`, `failed`
            agent < nack 5 invalid-frame: unable to end the turn; status: it is `active`, not
                  one of `complete`, `cancelled`, `failed`
            agent < nack 9 invalid-frame: unable to end the turn; turn is missing
            agent < nack 9 invalid-frame: unable to end the turn; turn: it is the number 7, not
                  text
            agent < nack 9 invalid-frame: unable to end the turn; attempt: it is the text "one",
                   not a whole number from 0
            agent = 200 turns: t1 active agent
        "#]],
    );
}

/// P3.5, P6.3: who was away finds the streams of a turn that ended closed.
#[test]
fn a_reader_resumes_over_the_end() {
    check(
        "
        agent attach
        alice attach window=0
        agent start t1
        agent publish 'a' streaming turn=t1 and 'b' streaming turn=t1
        agent append #2 'c'
        ---
        alice drop
        agent append #3 'd'
        agent end t1 failed
        alice attach since window=0
        alice holds
        ",
        expect![[r#"
            agent < ack 4 #3 v#5
            agent | append #2 v#6 @2 '' failed
            agent | append #3 v#7 @2 '' failed
            agent | turn.end #8 t1 failed agent
            agent | ack 5 t1 failed agent
            alice < attached #8 resumed, has older
            alice < turn.end #8 t1 failed agent
            alice | append #2 v#6 @2 '' failed
            alice | append #3 v#7 @1 'd' failed
            alice < caught-up #8
            alice holds #2 "ac" failed
            alice holds #3 "bd" failed
        "#]],
    );
}

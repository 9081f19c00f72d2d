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
            agent < nack 15 turn-closed: unable to keep the turn; turn t1 is complete
            agent < nack 16 turn-closed: unable to adopt the turn; turn t1 is complete
            agent < nack 17 turn-closed: unable to take the instruction; turn t1 is complete
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

/// P4.3, P6.8: whoever may edit changes messages of an open turn as well, and does not drive
/// it: that renews no lease. Who may not, is not let.
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

/// P6.1: suspended, the turn has no lease; its reason is told, and gone when it goes on.
#[test]
fn a_turn_waits_for_something() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=1000
        ---
        agent suspend t1 reason=tool
        alarm
        wait 3600000
        agent resume t1
        agent suspend t1
        agent end t1 complete
        ",
        expect![[r#"
            agent < turn.suspend #2 t1 suspended agent reason=tool
            agent | ack 2 t1 suspended agent reason=tool
            alice < turn.suspend #2 t1 suspended agent reason=tool
            alarm: Some(1000)
            -- 3600000 ms
            agent < turn.resume #3 t1 active agent
            agent | ack 3 t1 active agent
            alice < turn.resume #3 t1 active agent
            agent < turn.suspend #4 t1 suspended agent
            agent | ack 4 t1 suspended agent
            alice < turn.suspend #4 t1 suspended agent
            agent < turn.end #5 t1 complete agent
            agent | ack 5 t1 complete agent
            alice < turn.end #5 t1 complete agent
        "#]],
    );
}

/// P6.1: a suspended turn is driven on: output, its end, by its leader.
#[test]
fn a_suspended_turn_still_speaks() {
    check(
        "
        agent attach
        agent start t1
        agent suspend t1
        ---
        agent publish 'waiting for the tool' turn=t1
        agent suspend t1 reason=again
        agent end t1 complete
        ",
        expect![[r#"
            agent < create #3 agent turn=t1 'waiting for the tool'
            agent | ack 3 #3
            agent < ack 4 t1 suspended agent
            agent < turn.end #4 t1 complete agent
            agent | ack 5 t1 complete agent
        "#]],
    );
}

/// P6.1: a turn suspended for `suspendMs` fails as abandoned, with nobody there.
#[test]
fn a_suspended_turn_is_abandoned() {
    check(
        "
        admin patch {\"suspendMs\":10000}
        agent attach
        agent start t1
        agent publish 'a' streaming turn=t1
        agent suspend t1
        agent drop
        evict
        wait 9999
        alice attach
        ---
        wait 1
        alice get turn t1
        alarm
        ",
        expect![[r#"
            -- 10000 ms
            alice < append #2 v#4 @1 '' failed
            alice | turn.end #5 t1 failed agent reason=abandoned error={"code":"abandoned",
                  "message":"the turn was suspended for too long"}
            alice = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0",
                  "endedAt":"+10000","error":{"code":"abandoned","message":"the turn was
                  suspended for too long"},"id":"t1","reason":"abandoned","startedAt":"+0",
                  "status":"failed"}}
            alarm: None
        "#]],
    );
}

/// P6.1: by default that is a week, and counts anew from each time.
#[test]
fn the_time_to_be_abandoned_begins_anew() {
    check(
        "
        admin patch {\"suspendMs\":10000}
        agent attach
        agent start t1
        agent suspend t1
        wait 9000
        agent resume t1
        agent suspend t1
        ---
        alarm
        wait 9999
        agent brief turns
        wait 1
        ",
        expect![[r#"
            alarm: Some(1000)
            -- 18999 ms
            agent = 200 turns: t1 suspended agent
            -- 19000 ms
            agent < turn.end #5 t1 failed agent reason=abandoned error={"code":"abandoned",
                  "message":"the turn was suspended for too long"}
        "#]],
    );
}

/// P6.1: what the table does not have, changes nothing: resumed while active, suspended while
/// suspended.
#[test]
fn edges_that_are_none() {
    check(
        "
        agent attach
        agent start t1
        ---
        agent resume t1
        agent suspend t1
        agent suspend t1 reason=other
        agent resume t1
        agent resume t1
        agent brief turns
        ",
        expect![[r#"
            agent < ack 2 t1 active agent
            agent < turn.suspend #2 t1 suspended agent
            agent | ack 3 t1 suspended agent
            agent < ack 4 t1 suspended agent
            agent < turn.resume #3 t1 active agent
            agent | ack 5 t1 active agent
            agent < ack 6 t1 active agent
            agent = 200 turns: t1 active agent
        "#]],
    );
}

/// P6.4, P6.8: only the turn's own client drives it, also who may edit, or start turns.
#[test]
fn only_the_leader_drives() {
    check(
        "
        agent attach
        agent-two attach rewind=0
        supervisor attach rewind=0
        agent start t1
        agent publish '' streaming turn=t1
        agent publish 'a' turn=t1
        ---
        agent-two publish 'x' turn=t1
        agent-two publish 'x' turn=t1 attempt=1
        agent-two append #2 'x' attempt=1
        agent-two update #3 'x' attempt=1
        agent-two delete #3 attempt=1
        agent-two end t1 complete attempt=1
        agent-two suspend t1 attempt=1
        agent-two resume t1 attempt=1
        agent-two heartbeat t1 attempt=1
        agent-two adopt t1
        agent-two steered t1 #3 attempt=1
        supervisor publish 'x' turn=t1 attempt=1
        supervisor end t1 complete attempt=1
        supervisor adopt t1
        ",
        expect![[r#"
            agent-two < nack 1 not-leader: unable to publish; turn t1 is agent's
            agent-two < nack 2 not-leader: unable to publish; turn t1 is agent's
            agent-two < nack 3 not-leader: unable to append; turn t1 is agent's
            agent-two < nack 4 not-leader: unable to update; turn t1 is agent's
            agent-two < nack 5 not-leader: unable to delete; turn t1 is agent's
            agent-two < nack 6 not-leader: unable to end the turn; turn t1 is agent's
            agent-two < nack 7 not-leader: unable to suspend the turn; turn t1 is agent's
            agent-two < nack 8 not-leader: unable to resume the turn; turn t1 is agent's
            agent-two < nack 9 not-leader: unable to keep the turn; turn t1 is agent's
            agent-two < nack 10 not-leader: unable to adopt the turn; turn t1 is agent's
            agent-two < nack 11 not-leader: unable to take the instruction; turn t1 is agent's
            supervisor < nack 1 not-leader: unable to publish; turn t1 is agent's
            supervisor < nack 2 not-leader: unable to end the turn; turn t1 is agent's
            supervisor < nack 3 not-leader: unable to adopt the turn; turn t1 is agent's
        "#]],
    );
}

/// P6: turns that are not there, and names of another session's.
#[test]
fn there_is_no_such_turn() {
    check(
        "
        agent attach
        ---
        agent publish 'x' turn=t9
        agent end t9 complete
        agent suspend t9
        agent resume t9
        agent heartbeat t9
        agent adopt t9
        agent steered t9 #1
        agent steer t9 'x'
        agent cancel turn=t9
        agent publish 'x' interrupt=t9
        agent get turn t9
        tables
        ",
        expect![[r#"
            agent < nack 1 not-found: unable to publish; there is no turn t9
            agent < nack 2 not-found: unable to end the turn; there is no turn t9
            agent < nack 3 not-found: unable to suspend the turn; there is no turn t9
            agent < nack 4 not-found: unable to resume the turn; there is no turn t9
            agent < nack 5 not-found: unable to keep the turn; there is no turn t9
            agent < nack 6 not-found: unable to adopt the turn; there is no turn t9
            agent < nack 7 not-found: unable to take the instruction; there is no turn t9
            agent < nack 8 not-found: unable to steer; there is no turn t9
            agent < nack 9 not-found: unable to cancel; there is no turn t9
            agent < nack 10 not-found: unable to interrupt; there is no turn t9
            agent = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  turn t9","status":404}}
            tables: 0
        "#]],
    );
}

/// P2.3: driving turns needs `turn`.
#[test]
fn turns_need_the_operation() {
    check(
        "
        agent attach
        alice attach rewind=0
        viewer attach rewind=0
        agent start t1
        ---
        alice start t2
        alice end t1 complete
        alice suspend t1
        alice resume t1
        alice heartbeat t1
        alice adopt t1
        alice steered t1 #1
        viewer cancel turn=t1
        viewer steer t1 'x'
        viewer brief turns
        dave brief turns as=publish
        dave get turn t1 as=publish
        dave get presence as=publish
        ",
        expect![[r#"
            alice < nack 1 forbidden: unable to start the turn; the token lacks turn on session
                  s1
            alice < nack 2 forbidden: unable to end the turn; the token lacks turn on session s1
            alice < nack 3 forbidden: unable to suspend the turn; the token lacks turn on
                  session s1
            alice < nack 4 forbidden: unable to resume the turn; the token lacks turn on
                  session s1
            alice < nack 5 forbidden: unable to keep the turn; the token lacks turn on session
                  s1
            alice < nack 6 forbidden: unable to adopt the turn; the token lacks turn on session
                  s1
            alice < nack 7 forbidden: unable to take the instruction; the token lacks turn on
                  session s1
            viewer < nack 1 forbidden: unable to cancel; the token lacks cancel on session s1
            viewer < nack 2 forbidden: unable to steer; the token lacks steer on session s1
            viewer = 200 turns: t1 active agent
            dave = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  read on session s1","status":403}}
            dave = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  read on session s1","status":403}}
            dave = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  read on session s1","status":403}}
        "#]],
    );
}

/// P6.4: the output of two turns never mixes, and each ends alone.
#[test]
fn two_turns_at_once() {
    check(
        "
        agent attach
        agent-two attach rewind=0
        alice attach window=0
        agent start t1
        agent-two start t2
        agent publish 'one:' streaming turn=t1
        agent-two publish 'two:' streaming turn=t2
        agent append #3 ' a'
        agent-two append #4 ' x'
        agent append #3 ' b'
        agent-two append #4 ' y'
        ---
        agent end t1 complete
        agent-two append #4 ' z'
        wait 300
        agent-two end t2 complete
        alice holds
        alice turns
        ",
        expect![[r#"
            agent < append #4 v#8 @4 ' x y'
            agent | append #3 v#9 @8 '' complete
            agent | turn.end #10 t1 complete agent
            agent | ack 5 t1 complete agent
            agent-two < append #3 v#7 @6 ' b'
            agent-two | append #3 v#9 @8 '' complete
            agent-two | turn.end #10 t1 complete agent
            alice < append #3 v#9 @8 '' complete
            alice | turn.end #10 t1 complete agent
            agent-two < ack 5 #4 v#11
            alice < append #4 v#11 @8 ' z'
            -- 40 ms
            agent < append #4 v#11 @8 ' z'
            -- 300 ms
            agent < append #4 v#12 @10 '' complete
            agent | turn.end #13 t2 complete agent-two
            agent-two < append #4 v#12 @10 '' complete
            agent-two | turn.end #13 t2 complete agent-two
            agent-two | ack 6 t2 complete agent-two
            alice < append #4 v#12 @10 '' complete
            alice | turn.end #13 t2 complete agent-two
            alice holds #3 "one: a b" complete
            alice holds #4 "two: x y z" complete
            alice knows t1 complete agent
            alice knows t2 complete agent-two
        "#]],
    );
}

/// P6.4: a message belongs to one turn; the leader of another does not grow it.
#[test]
fn no_token_in_the_wrong_message() {
    check(
        "
        agent attach
        agent-two attach rewind=0
        agent start t1
        agent-two start t2
        agent publish '' streaming turn=t1
        ---
        agent-two append #3 'x'
        agent-two append #3 'x' attempt=1
        agent-two publish 'x' turn=t1 and 'y' turn=t2
        agent-two brief messages
        ",
        expect![[r#"
            agent-two < nack 2 not-leader: unable to append; turn t1 is agent's
            agent-two < nack 3 not-leader: unable to append; turn t1 is agent's
            agent-two < nack 4 not-leader: unable to publish; turn t1 is agent's
            agent-two = 200 turns: t1 active agent, messages: #3 agent turn=t1 '' streaming
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
            agent < nack 2 invalid-frame: unable to end the turn; missing field `status`
            agent < nack 3 invalid-frame: unable to end the turn; status: unknown variant
                  `done`, expected one of `complete`, `cancelled`, `failed`
            agent < nack 4 invalid-frame: unable to end the turn; status: unknown variant
                  `streaming`, expected one of `complete`, `cancelled`, `failed`
            agent < nack 5 invalid-frame: unable to end the turn; status: unknown variant
                  `active`, expected one of `complete`, `cancelled`, `failed`
            agent < nack 9 invalid-frame: unable to end the turn; missing field `turn`
            agent < nack 9 invalid-frame: unable to end the turn; turn: invalid type: integer
                  `7`, expected a string
            agent < nack 9 invalid-frame: unable to end the turn; attempt: invalid type: string
                  "one", expected u64
            agent = 200 turns: t1 active agent
        "#]],
    );
}

/// P6.10: turns survive a sleep and a crash as they were.
#[test]
fn turns_are_kept() {
    check(
        "
        agent attach
        agent publish 'q'
        agent start t1 input=#1
        agent start t2 metadata={\"a\":[1]}
        agent suspend t2 reason=tool
        agent start t3
        agent end t3 failed error={\"code\":\"x\"}
        evict
        ---
        agent brief turns all
        crash
        agent brief turns all
        agent attach
        agent heartbeat t1 attempt=1
        ",
        expect![[r#"
            agent = 200 turns: t3 failed agent error={"code":"x"}; t2 suspended agent
                  reason=tool metadata={"a":[1]}; t1 active agent input=#1
            agent = 200 turns: t3 failed agent error={"code":"x"}; t2 suspended agent
                  reason=tool metadata={"a":[1]}; t1 active agent input=#1
            agent < attached #6 anew, turns: t1 active agent input=#1; t2 suspended agent
                  reason=tool metadata={"a":[1]}
            agent < create #1 agent 'q'
            agent < caught-up #6
            agent < ack 7 t1 active agent input=#1
        "#]],
    );
}

/// P6.2: over HTTP, as a shorthand and as a frame, an agent needs nothing but the attempt.
#[test]
fn turns_over_http() {
    check(
        "
        alice attach window=0
        alice publish 'q'
        ---
        agent shorthand start t1 input=#1
        agent shorthand publish 'no attempt' turn=t1
        agent shorthand publish 'a' turn=t1 attempt=1
        agent post heartbeat t1 attempt=1
        agent post publish 'b' turn=t1 its-attempt=1; end t1 complete attempt=1
        agent shorthand end t1 complete attempt=1
        agent shorthand start t2
        alice shorthand cancel turn=t2
        agent post end t2 complete
        agent post end t2 complete attempt=1
        ",
        expect![[r##"
            alice < turn.start #2 t1 active agent input=#1
            agent = 201 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","id":"t1",
                  "input":"#1","leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0",
                  "status":"active"}}
            agent = 409 {"error":{"code":"not-leader","message":"unable to publish; turn t1 was
                  not taken over this connection, send its current attempt with the frame",
                  "status":409}}
            alice < create #3 agent turn=t1 'a'
            agent = 201 {"messages":[{"serial":"#3","version":"#3"}]}
            agent = 200 {"ref":4,"result":{"turn":{"agent":"agent","attempt":1,"createdAt":"+0",
                  "id":"t1","input":"#1","leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0",
                  "status":"active"}},"type":"ack"}
            alice < create #4 agent turn=t1 'b'
            alice | turn.end #5 t1 complete agent input=#1
            agent = 200 [{"ref":5,"result":{"messages":[{"serial":"#4","version":"#4"}]},
                  "type":"ack"},{"ref":6,"result":{"turn":{"agent":"agent","attempt":1,
                  "createdAt":"+0","endedAt":"+0","id":"t1","input":"#1","startedAt":"+0",
                  "status":"complete"}},"type":"ack"}]
            agent = 409 {"error":{"code":"turn-closed","message":"unable to end the turn; turn
                  t1 is complete","status":409}}
            alice < turn.start #6 t2 active agent
            agent = 201 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","id":"t2",
                  "leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0","status":"active"}}
            alice < turn.cancel #7 t2 active agent cancel=alice
            alice = 200 {"turns":[{"agent":"agent","attempt":1,"cancel":{"at":"+0",
                  "by":"alice"},"createdAt":"+0","id":"t2","leaseMs":30000,
                  "leaseUntil":"+30000","startedAt":"+0","status":"active"}]}
            agent = 409 {"error":{"code":"not-leader","message":"unable to end the turn; turn
                  t2 was not taken over this connection, send its current attempt with the
                  frame","status":409},"ref":9,"type":"nack"}
            alice < turn.end #8 t2 cancelled agent cancel=alice
            agent = 200 {"ref":10,"result":{"turn":{"agent":"agent","attempt":1,
                  "cancel":{"at":"+0","by":"alice"},"createdAt":"+0","endedAt":"+0","id":"t2",
                  "startedAt":"+0","status":"cancelled"}},"type":"ack"}
        "##]],
    );
}

/// P11.1, P3.9: lists of turns: the open ones from the oldest, all of them from the newest,
/// in pages.
#[test]
fn lists_of_turns() {
    check(
        "
        agent attach
        agent start t1
        agent start t2
        agent end t2 complete
        agent start t3
        agent start t4
        agent suspend t1
        ---
        agent brief turns
        agent brief turns all
        agent brief turns all limit=2
        agent brief turns all limit=2 before=#4
        agent brief turns all limit=2 before=#1
        agent get turns before=nonsense all
        agent get turn t2
        ",
        expect![[r#"
            agent = 200 turns: t1 suspended agent; t3 active agent; t4 active agent
            agent = 200 turns: t4 active agent; t3 active agent; t2 complete agent; t1
                  suspended agent
            agent = 200 turns: t4 active agent; t3 active agent, hasMore=true, next=#4
            agent = 200 turns: t2 complete agent; t1 suspended agent
            agent = 200 turns: 
            agent = 404 {"error":{"code":"not-found","message":"unable to read; before
                  \"nonsense\" is no serial of this session","status":404}}
            agent = 200 {"turn":{"agent":"agent","attempt":1,"createdAt":"+0","endedAt":"+0",
                  "id":"t2","startedAt":"+0","status":"complete"}}
        "#]],
    );
}

//! Many turns, who drives them, and how they are asked for (P6.2, P6.4, P12.2).

use crate::world::check;
use expect_test::expect;

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
            agent-two < nack 9 not-leader: unable to renew the lease; turn t1 is agent's
            agent-two < nack 10 not-leader: unable to adopt the turn; turn t1 is agent's
            agent-two < nack 11 not-leader: unable to take the steer; turn t1 is agent's
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
            agent < nack 5 not-found: unable to renew the lease; there is no turn t9
            agent < nack 6 not-found: unable to adopt the turn; there is no turn t9
            agent < nack 7 not-found: unable to take the steer; there is no turn t9
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
            alice < nack 1 forbidden: unable to start the turn; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            alice < nack 2 forbidden: unable to end the turn; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            alice < nack 3 forbidden: unable to suspend the turn; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            alice < nack 4 forbidden: unable to resume the turn; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            alice < nack 5 forbidden: unable to renew the lease; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            alice < nack 6 forbidden: unable to adopt the turn; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            alice < nack 7 forbidden: unable to take the steer; the token lacks the operation
                  turn for session s1, it has read, publish, presence, cancel, steer, approve,
                  state, annotate, push
            viewer < nack 1 forbidden: unable to cancel; the token lacks the operation cancel
                  for session s1, it has read, presence
            viewer < nack 2 forbidden: unable to steer; the token lacks the operation steer for
                  session s1, it has read, presence
            viewer = 200 turns: t1 active agent
            dave = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation read for session s1, it has publish","status":403}}
            dave = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation read for session s1, it has publish","status":403}}
            dave = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation read for session s1, it has publish","status":403}}
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

/// P3.7: what a window holds goes before a turn that starts, is steered, suspended, adopted or
/// cancelled, in one array.
#[test]
fn what_was_held_goes_before_turns() {
    check(
        "
        agent attach rewind=0
        alice attach window=500
        agent publish '' streaming
        agent append #1 'a'
        ---
        agent append #1 'b'
        agent start t1
        agent append #1 'c'
        alice steer t1 'x'
        agent append #1 'd'
        agent suspend t1
        agent append #1 'e'
        agent adopt t1
        agent append #1 'f'
        alice cancel turn=t1
        alice holds
        ",
        expect![[r#"
            agent < ack 3 #1 v#3
            agent | turn.start #4 t1 active agent
            agent | ack 4 t1 active agent
            alice < append #1 v#3 @1 'b'
            alice | turn.start #4 t1 active agent
            agent < ack 5 #1 v#5
            agent | create #6 alice name=steer turn=t1 'x' headers={"steer":"waiting"}
            agent | turn.steer #6 t1 active agent message=#6 'x'
            alice < append #1 v#5 @2 'c'
            alice | create #6 alice name=steer turn=t1 'x' headers={"steer":"waiting"}
            alice | turn.steer #6 t1 active agent message=#6 'x'
            alice | ack 1 #6 in t1 active agent
            agent < ack 6 #1 v#7
            agent | turn.suspend #8 t1 suspended agent
            agent | ack 7 t1 suspended agent
            alice < append #1 v#7 @3 'd'
            alice | turn.suspend #8 t1 suspended agent
            agent < ack 8 #1 v#9
            agent | turn.adopt #10 t1 suspended agent attempt=2
            agent | ack 9 t1 suspended agent attempt=2
            alice < append #1 v#9 @4 'e'
            alice | turn.adopt #10 t1 suspended agent attempt=2
            agent < ack 10 #1 v#11
            agent | turn.cancel #12 t1 suspended agent attempt=2 cancel=alice
            agent | update #6 v#13 alice name=steer turn=t1 headers={"steer":"missed"}
            agent | turn.end #14 t1 cancelled agent attempt=2 cancel=alice
            alice < append #1 v#11 @5 'f'
            alice | turn.cancel #12 t1 suspended agent attempt=2 cancel=alice
            alice | update #6 v#13 alice name=steer turn=t1 headers={"steer":"missed"}
            alice | turn.end #14 t1 cancelled agent attempt=2 cancel=alice
            alice | ack 2 [t1 cancelled agent attempt=2 cancel=alice]
            alice holds #1 "abcdef" streaming
            alice holds #6 "x" missed
        "#]],
    );
}

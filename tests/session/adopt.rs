//! Another process of the same client takes a turn (P6.8).

use crate::world::check;
use expect_test::expect;

/// P6.8: attempt goes up; the output of the attempts before it is superseded, in one array;
/// the next says the same again, with the same ids.
#[test]
fn output_is_superseded() {
    check(
        "
        agent attach
        agent/two attach
        alice attach window=0
        alice publish 'q'
        agent start t1 input=#1
        agent publish 'thought' name=reasoning turn=t1 id=r
        agent publish 'ans' streaming turn=t1 id=a
        agent append #4 'wer'
        agent publish 'aside'
        ---
        agent/two adopt t1
        agent/two publish 'thought' name=reasoning turn=t1 id=r
        agent/two publish 'answer' turn=t1 id=a
        agent/two publish 'answer' turn=t1 id=a
        agent/two end t1 complete
        alice holds
        alice brief messages
        alice get #4
        ",
        expect![[r##"
            agent < turn.adopt #7 t1 active agent attempt=2 input=#1
            agent | delete #3 v#8 superseded
            agent | delete #4 v#9 superseded
            agent/two < turn.adopt #7 t1 active agent attempt=2 input=#1
            agent/two | delete #3 v#8 superseded
            agent/two | delete #4 v#9 superseded
            agent/two | ack 1 t1 active agent attempt=2 input=#1
            alice < turn.adopt #7 t1 active agent attempt=2 input=#1
            alice | delete #3 v#8 superseded
            alice | delete #4 v#9 superseded
            agent < create #10 agent name=reasoning id=r turn=t1 'thought'
            agent/two < create #10 agent name=reasoning id=r turn=t1 'thought'
            agent/two | ack 2 #10 id="r"
            alice < create #10 agent name=reasoning id=r turn=t1 'thought'
            agent < create #11 agent id=a turn=t1 'answer'
            agent/two < create #11 agent id=a turn=t1 'answer'
            agent/two | ack 3 #11 id="a"
            alice < create #11 agent id=a turn=t1 'answer'
            agent/two < ack 4 #11 id="a" duplicate
            agent < turn.end #12 t1 complete agent attempt=2 input=#1
            agent/two < turn.end #12 t1 complete agent attempt=2 input=#1
            agent/two | ack 5 t1 complete agent attempt=2 input=#1
            alice < turn.end #12 t1 complete agent attempt=2 input=#1
            alice holds #1 "q"
            alice holds #3 null deleted
            alice holds #4 null streaming deleted
            alice holds #6 "aside"
            alice holds #10 "thought"
            alice holds #11 "answer"
            alice = 200 turns: t1 complete agent attempt=2 input=#1, messages: #11 agent id=a
                  turn=t1 'answer'; #10 agent name=reasoning id=r turn=t1 'thought'; #6 agent
                  'aside'; #4 v#9 agent turn=t1 cancelled deleted; #3 v#8 agent name=reasoning
                  turn=t1 deleted; #1 alice 'q'
            alice = 200 {"message":{"client":"agent","connection":"agent-1","createdAt":"+0",
                  "deletedAt":"+0","name":"message","role":"user","serial":"#4",
                  "status":"cancelled","turn":"t1","updatedAt":"+0","version":"#9"}}
        "##]],
    );
}

/// P6.8: what a window held back of the output goes first, so that everybody can follow.
#[test]
fn what_was_held_goes_first() {
    check(
        "
        agent attach
        agent/two attach
        alice attach window=500
        agent start t1
        agent publish '' streaming turn=t1
        agent append #2 'a'
        agent append #2 'b'
        ---
        agent/two adopt t1
        timer
        ",
        expect![[r#"
            agent < ack 4 #2 v#4
            agent | turn.adopt #5 t1 active agent attempt=2
            agent | delete #2 v#6 superseded
            agent/two < append #2 v#4 @1 'b'
            agent/two | turn.adopt #5 t1 active agent attempt=2
            agent/two | delete #2 v#6 superseded
            agent/two | ack 1 t1 active agent attempt=2
            alice < append #2 v#4 @1 'b'
            alice | turn.adopt #5 t1 active agent attempt=2
            alice | delete #2 v#6 superseded
            timer: None
        "#]],
    );
}

/// P6.8: `keep` lets it stand; the stream goes on, from the new process.
#[test]
fn output_is_kept() {
    check(
        "
        agent attach
        agent/two attach
        alice attach window=0
        agent start t1
        agent publish 'ans' streaming turn=t1 id=a
        ---
        agent/two adopt t1 keep
        agent append #2 'x'
        agent/two append #2 'wer'
        agent/two publish 'ans' streaming turn=t1 id=a
        agent/two end t1 complete
        wait 300
        alice holds
        ",
        expect![[r#"
            agent < turn.adopt #3 t1 active agent attempt=2
            agent/two < turn.adopt #3 t1 active agent attempt=2
            agent/two | ack 1 t1 active agent attempt=2
            alice < turn.adopt #3 t1 active agent attempt=2
            agent < nack 3 not-leader: unable to append; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent < append #2 v#4 @3 'wer'
            agent/two < ack 2 #2 v#4
            alice < append #2 v#4 @3 'wer'
            agent/two < ack 3 #2 v#4 id="a" duplicate
            agent < append #2 v#5 @6 '' complete
            agent | turn.end #6 t1 complete agent attempt=2
            agent/two < append #2 v#5 @6 '' complete
            agent/two | turn.end #6 t1 complete agent attempt=2
            agent/two | ack 4 t1 complete agent attempt=2
            alice < append #2 v#5 @6 '' complete
            alice | turn.end #6 t1 complete agent attempt=2
            alice holds #2 "answer" complete
        "#]],
    );
}

/// P6.8, P3.5: who was away finds the old output gone: at a position before it, in the middle
/// of it, after it.
#[test]
fn a_reader_resumes_over_an_adoption() {
    check(
        "
        agent attach
        agent/two attach
        alice attach rewind=0
        bob attach rewind=0
        carol attach rewind=0
        agent start t1
        alice drop
        agent publish 'ans' streaming turn=t1 id=a
        bob drop
        agent append #2 'wer'
        wait 300
        carol drop
        agent/two adopt t1
        agent/two publish 'ANSWER' turn=t1 id=a
        ---
        alice attach since
        bob attach since
        carol attach since
        alice holds
        bob holds
        carol holds
        ",
        expect![[r#"
            alice < attached #6 resumed, turns: t1 active agent attempt=2
            alice < turn.adopt #4 t1 active agent attempt=2
            alice | create #2 v#5 agent turn=t1 cancelled deleted
            alice | create #6 agent id=a turn=t1 'ANSWER'
            alice < caught-up #6
            bob < attached #6 resumed, has older, turns: t1 active agent attempt=2
            bob < turn.adopt #4 t1 active agent attempt=2
            bob | delete #2 v#5 superseded
            bob | create #6 agent id=a turn=t1 'ANSWER'
            bob < caught-up #6
            carol < attached #6 resumed, has older, turns: t1 active agent attempt=2
            carol < turn.adopt #4 t1 active agent attempt=2
            carol | delete #2 v#5 superseded
            carol | create #6 agent id=a turn=t1 'ANSWER'
            carol < caught-up #6
            alice holds #2 null cancelled deleted
            alice holds #6 "ANSWER"
            bob holds #2 null streaming deleted
            bob holds #6 "ANSWER"
            carol holds #2 null streaming deleted
            carol holds #6 "ANSWER"
        "#]],
    );
}

/// P6.8: who comes later sees what stands, and that something was replaced.
#[test]
fn a_reader_comes_after_an_adoption() {
    check(
        "
        agent attach
        agent/two attach
        agent start t1
        agent publish 'ans' streaming turn=t1 id=a
        agent/two adopt t1
        agent/two publish 'ANSWER' turn=t1 id=a
        agent/two end t1 complete
        ---
        alice attach
        alice attach rewind=1
        alice brief messages
        alice brief snapshot
        ",
        expect![[r#"
            alice < attached #6 anew
            alice < turn.end #6 t1 complete agent attempt=2
            alice | create #2 v#4 agent turn=t1 cancelled deleted
            alice | create #5 agent id=a turn=t1 'ANSWER'
            alice < caught-up #6
            alice < attached #6 anew, has older
            alice < turn.end #6 t1 complete agent attempt=2
            alice | create #5 agent id=a turn=t1 'ANSWER'
            alice < caught-up #6
            alice = 200 turns: t1 complete agent attempt=2, messages: #5 agent id=a turn=t1
                  'ANSWER'; #2 v#4 agent turn=t1 cancelled deleted
            alice = 200 turns: t1 complete agent attempt=2, approvals: , calls: , presence: ,
                  messages: #2 v#4 agent turn=t1 cancelled deleted; #5 agent id=a turn=t1
                  'ANSWER'
        "#]],
    );
}

/// P6.8: a suspended turn is adopted as it is: it stays suspended, its output stands.
#[test]
fn a_suspended_turn_is_adopted() {
    check(
        "
        agent attach
        agent/two attach
        agent start t1
        agent publish 'a' streaming turn=t1
        agent suspend t1 reason=tool
        ---
        agent/two adopt t1
        agent resume t1
        agent/two resume t1
        agent/two append #2 'b' complete
        ",
        expect![[r#"
            agent < turn.adopt #4 t1 suspended agent attempt=2 reason=tool
            agent/two < turn.adopt #4 t1 suspended agent attempt=2 reason=tool
            agent/two | ack 1 t1 suspended agent attempt=2 reason=tool
            agent < nack 4 not-leader: unable to resume the turn; turn t1 was not taken over
                  this connection, send its current attempt with the frame
            agent < turn.resume #5 t1 active agent attempt=2
            agent/two < turn.resume #5 t1 active agent attempt=2
            agent/two | ack 2 t1 active agent attempt=2
            agent < append #2 v#6 @1 'b' complete
            agent/two < ack 3 #2 v#6
        "#]],
    );
}

/// P6.8: an adoption begins the lease anew; without one of its own it keeps the length.
#[test]
fn an_adoption_begins_the_lease_anew() {
    check(
        "
        agent attach
        agent/two attach
        agent start t1 lease=2000
        agent start t2 lease=2000
        wait 1500
        ---
        agent/two adopt t1
        agent/two adopt t2 lease=5000
        agent get turn t1
        agent get turn t2
        wait 1999
        agent brief turns
        wait 1
        ",
        expect![[r#"
            -- 1500 ms
            agent < turn.adopt #3 t1 active agent attempt=2
            agent/two < turn.adopt #3 t1 active agent attempt=2
            agent/two | ack 1 t1 active agent attempt=2
            agent < turn.adopt #4 t2 active agent attempt=2
            agent/two < turn.adopt #4 t2 active agent attempt=2
            agent/two | ack 2 t2 active agent attempt=2
            agent = 200 {"turn":{"agent":"agent","attempt":2,"createdAt":"+0","id":"t1",
                  "leaseMs":2000,"leaseUntil":"+3500","startedAt":"+0","status":"active"}}
            agent = 200 {"turn":{"agent":"agent","attempt":2,"createdAt":"+0","id":"t2",
                  "leaseMs":5000,"leaseUntil":"+6500","startedAt":"+0","status":"active"}}
            -- 3499 ms
            agent = 200 turns: t1 active agent attempt=2; t2 active agent attempt=2
            -- 3500 ms
            agent < turn.end #5 t1 failed agent attempt=2 reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
            agent/two < turn.end #5 t1 failed agent attempt=2 reason=agent-lost
                  error={"code":"agent-lost","message":"the agent was not heard within its
                  lease"}
        "#]],
    );
}

/// P6.8: adopted again and again; each time everything before is superseded, once.
#[test]
fn attempts_go_up() {
    check(
        "
        agent attach
        alice attach window=0
        agent start t1
        agent publish 'one' turn=t1 id=a
        ---
        agent adopt t1
        agent publish 'two' turn=t1 id=a
        agent adopt t1 keep
        agent publish 'three' turn=t1
        agent publish 'two' turn=t1 id=a
        agent adopt t1
        evict
        agent publish 'four' turn=t1 id=a attempt=4
        alice holds
        ",
        expect![[r#"
            agent < turn.adopt #3 t1 active agent attempt=2
            agent | delete #2 v#4 superseded
            agent | ack 3 t1 active agent attempt=2
            alice < turn.adopt #3 t1 active agent attempt=2
            alice | delete #2 v#4 superseded
            agent < create #5 agent id=a turn=t1 'two'
            agent | ack 4 #5 id="a"
            alice < create #5 agent id=a turn=t1 'two'
            agent < turn.adopt #6 t1 active agent attempt=3
            agent | ack 5 t1 active agent attempt=3
            alice < turn.adopt #6 t1 active agent attempt=3
            agent < create #7 agent turn=t1 'three'
            agent | ack 6 #7
            alice < create #7 agent turn=t1 'three'
            agent < ack 7 #5 id="a" duplicate
            agent < turn.adopt #8 t1 active agent attempt=4
            agent | delete #5 v#9 superseded
            agent | delete #7 v#10 superseded
            agent | ack 8 t1 active agent attempt=4
            alice < turn.adopt #8 t1 active agent attempt=4
            alice | delete #5 v#9 superseded
            alice | delete #7 v#10 superseded
            agent < create #11 agent id=a turn=t1 'four'
            agent | ack 9 #11 id="a"
            alice < create #11 agent id=a turn=t1 'four'
            alice holds #2 null deleted
            alice holds #5 null deleted
            alice holds #7 null deleted
            alice holds #11 "four"
        "#]],
    );
}

/// P6.8, P6.5: a turn that is being cancelled is adopted, and still ends.
#[test]
fn a_cancelled_turn_is_adopted() {
    check(
        "
        agent attach
        agent/two attach
        agent start t1
        alice post cancel turn=t1
        wait 3000
        ---
        agent/two adopt t1
        wait 2000
        ",
        expect![[r#"
            -- 3000 ms
            agent < turn.adopt #3 t1 active agent attempt=2 cancel=alice
            agent/two < turn.adopt #3 t1 active agent attempt=2 cancel=alice
            agent/two | ack 1 t1 active agent attempt=2 cancel=alice
            -- 5000 ms
            agent < turn.end #4 t1 cancelled agent attempt=2 cancel=alice
            agent/two < turn.end #4 t1 cancelled agent attempt=2 cancel=alice
        "#]],
    );
}

/// P6.8, P4.3: what somebody deleted, or an editor wrote, in the turn: the deleted is left
/// alone; whatever is of the turn's output is superseded.
#[test]
fn what_is_superseded() {
    check(
        "
        agent attach
        agent/two attach
        supervisor attach rewind=0
        agent start t1
        agent publish 'a' turn=t1 and 'b' turn=t1
        supervisor delete #2
        supervisor update #3 'B'
        ---
        agent/two adopt t1
        ",
        expect![[r#"
            agent < turn.adopt #6 t1 active agent attempt=2
            agent | delete #3 v#7 superseded
            agent/two < turn.adopt #6 t1 active agent attempt=2
            agent/two | delete #3 v#7 superseded
            agent/two | ack 1 t1 active agent attempt=2
            supervisor < turn.adopt #6 t1 active agent attempt=2
            supervisor | delete #3 v#7 superseded
        "#]],
    );
}

/// P6.8: of what is kept, a message that the attempt before left failed makes room for the same id.
#[test]
fn a_failed_message_makes_room() {
    check(
        "
        agent attach
        agent/two attach rewind=0
        agent start t1
        agent publish 'a' streaming turn=t1 id=x and 'b' turn=t1 id=y
        agent append #2 '' failed
        agent publish 'a' turn=t1 id=x
        agent/two adopt t1 keep
        ---
        agent/two publish 'A' turn=t1 id=x
        agent/two publish 'B' turn=t1 id=y
        agent/two publish 'A' turn=t1 id=x
        ",
        expect![[r#"
            agent < delete #2 v#6 superseded
            agent | create #7 agent id=x turn=t1 'A'
            agent/two < delete #2 v#6 superseded
            agent/two | create #7 agent id=x turn=t1 'A'
            agent/two | ack 2 #7 id="x"
            agent/two < ack 3 #3 id="y" duplicate
            agent/two < ack 4 #7 id="x" duplicate
        "#]],
    );
}

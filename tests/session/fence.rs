//! The process that was believed dead, and who may take its turn (P6.8).

use crate::world::check;
use expect_test::expect;

/// P6.8: fencing: whatever the process believed dead still says is refused, with its attempt,
/// without, on its own connection, by HTTP.
#[test]
fn the_old_process_is_fenced() {
    check(
        "
        agent attach
        agent/two attach
        alice attach rewind=0
        agent start t1
        agent publish 'a' streaming turn=t1
        alice steer t1 'x'
        agent/two adopt t1 keep
        ---
        agent publish 'b' turn=t1
        agent publish 'b' turn=t1 attempt=1
        agent append #2 'b'
        agent append #2 'b' attempt=1
        agent append #2 'b' complete attempt=1
        agent update #2 'b' attempt=1
        agent update #2 'b'
        agent delete #2 attempt=1
        agent delete #2
        agent suspend t1
        agent suspend t1 attempt=1
        agent resume t1 attempt=1
        agent heartbeat t1
        agent heartbeat t1 attempt=1
        agent steered t1 #3 attempt=1
        agent end t1 complete
        agent end t1 complete attempt=1
        agent end t1 complete attempt=3
        agent post end t1 complete attempt=1
        agent post end t1 complete
        agent/two append #2 'ok' attempt=1
        agent/two append #2 'ok' complete
        agent heartbeat t1 attempt=2
        ",
        expect![[r#"
            agent < nack 3 not-leader: unable to publish; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent < nack 4 not-leader: unable to publish; turn t1 is at attempt 2, not 1
            agent < nack 5 not-leader: unable to append; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent < nack 6 not-leader: unable to append; turn t1 is at attempt 2, not 1
            agent < nack 7 not-leader: unable to append; turn t1 is at attempt 2, not 1
            agent < nack 8 not-leader: unable to update; turn t1 is at attempt 2, not 1
            agent < nack 9 not-leader: unable to update; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent < nack 10 not-leader: unable to delete; turn t1 is at attempt 2, not 1
            agent < nack 11 not-leader: unable to delete; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent < nack 12 not-leader: unable to suspend the turn; turn t1 was not taken over
                  this connection, send its current attempt with the frame
            agent < nack 13 not-leader: unable to suspend the turn; turn t1 is at attempt 2,
                  not 1
            agent < nack 14 not-leader: unable to resume the turn; turn t1 is at attempt 2, not
                  1
            agent < nack 15 not-leader: unable to renew the lease; turn t1 was not taken over
                  this connection, send its current attempt with the frame
            agent < nack 16 not-leader: unable to renew the lease; turn t1 is at attempt 2, not
                  1
            agent < nack 17 not-leader: unable to take the steer; turn t1 is at attempt 2, not 1
            agent < nack 18 not-leader: unable to end the turn; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent < nack 19 not-leader: unable to end the turn; turn t1 is at attempt 2, not 1
            agent < nack 20 not-leader: unable to end the turn; turn t1 is at attempt 2, not 3
            agent = 409 {"error":{"code":"not-leader","message":"unable to end the turn; turn
                  t1 is at attempt 2, not 1","status":409},"ref":21,"type":"nack"}
            agent = 409 {"error":{"code":"not-leader","message":"unable to end the turn; turn
                  t1 was not taken over this connection, send its current attempt with the
                  frame","status":409},"ref":22,"type":"nack"}
            agent/two < nack 2 not-leader: unable to append; turn t1 is at attempt 2, not 1
            agent < append #2 v#5 @1 'ok' complete
            agent/two < ack 3 #2 v#5
            alice < append #2 v#5 @1 'ok' complete
            agent < ack 23 t1 active agent attempt=2
        "#]],
    );
}

/// P6.8: the same process adopts its own turn: then its old attempt is refused.
#[test]
fn a_process_adopts_its_own() {
    check(
        "
        agent attach
        agent start t1
        agent publish 'a' turn=t1
        ---
        agent adopt t1
        agent publish 'b' turn=t1 attempt=1
        agent publish 'b' turn=t1
        agent publish 'c' turn=t1 attempt=2
        ",
        expect![[r#"
            agent < turn.adopt #3 t1 active agent attempt=2
            agent | delete #2 v#4 superseded
            agent | ack 3 t1 active agent attempt=2
            agent < nack 4 not-leader: unable to publish; turn t1 is at attempt 2, not 1
            agent < create #5 agent turn=t1 'b'
            agent | ack 5 #5
            agent < create #6 agent turn=t1 'c'
            agent | ack 6 #6
        "#]],
    );
}

/// P6.8: adopted by HTTP there is no connection: the attempt alone leads.
#[test]
fn adopted_by_http() {
    check(
        "
        agent attach
        agent start t1
        ---
        agent shorthand adopt t1 lease=2000
        agent publish 'a' turn=t1
        agent publish 'a' turn=t1 attempt=2
        agent post publish 'b' turn=t1
        agent post publish 'b' turn=t1 attempt=2
        ",
        expect![[r##"
            agent < turn.adopt #2 t1 active agent attempt=2
            agent = 200 {"turn":{"agent":"agent","attempt":2,"createdAt":"+0","id":"t1",
                  "leaseMs":2000,"leaseUntil":"+2000","startedAt":"+0","status":"active"}}
            agent < nack 3 not-leader: unable to publish; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent < create #3 agent turn=t1 'a'
            agent | ack 4 #3
            agent = 409 {"error":{"code":"not-leader","message":"unable to publish; turn t1 was
                  not taken over this connection, send its current attempt with the frame",
                  "status":409},"ref":5,"type":"nack"}
            agent < create #4 agent turn=t1 'b'
            agent = 200 {"ref":6,"result":{"messages":[{"serial":"#4","version":"#4"}]},
                  "type":"ack"}
        "##]],
    );
}

/// P6.8: a body that streams for the old attempt (P5.5) is cut off: its text is refused, and
/// its end changes nothing of the new attempt.
#[test]
fn the_body_of_an_old_attempt() {
    check(
        "
        agent shorthand start t1
        agent/body attach body
        alice attach window=0
        agent/body publish 'a' streaming turn=t1 attempt=1 id=x role=assistant
        agent/body append #2 'b' attempt=1 seq=1
        ---
        agent shorthand adopt t1
        agent/body append #2 'c' attempt=1 seq=2
        agent/next attach body
        agent/next publish 'A' streaming turn=t1 attempt=2 id=x role=assistant
        agent/body drop
        agent/next append #6 'B' attempt=2 seq=1
        agent/next append #6 '' complete attempt=2 seq=2
        agent/next drop
        agent post end t1 complete attempt=2
        alice holds
        ",
        expect![[r#"
            alice < turn.adopt #4 t1 active agent attempt=2
            alice | delete #2 v#5 superseded
            agent = 200 {"turn":{"agent":"agent","attempt":2,"createdAt":"+0","id":"t1",
                  "leaseMs":30000,"leaseUntil":"+30000","startedAt":"+0","status":"active"}}
            agent/body < nack 3 not-leader: unable to append; turn t1 is at attempt 2, not 1
            agent/next < ack 1 #6 id="x"
            alice < create #6 agent role=assistant id=x turn=t1 'A' streaming
            agent/next < ack 2 #6 v#7 seq=1
            alice < append #6 v#7 @1 'B'
            agent/next < ack 3 #6 v#8 seq=2
            alice < append #6 v#8 @2 '' complete
            alice < turn.end #9 t1 complete agent attempt=2
            agent = 200 {"ref":3,"result":{"turn":{"agent":"agent","attempt":2,"createdAt":"+0",
                  "endedAt":"+0","id":"t1","startedAt":"+0","status":"complete"}},"type":"ack"}
            alice holds #2 null streaming deleted
            alice holds #6 "AB" complete
        "#]],
    );
}

/// P5.5: a body of a turn that breaks off leaves a failed message, and the turn goes on. Its
/// id is free again.
#[test]
fn a_body_of_a_turn_breaks_off() {
    check(
        "
        agent shorthand start t1
        agent/body attach body
        alice attach window=0
        agent/body publish 'a' streaming turn=t1 attempt=1 id=x role=assistant
        ---
        agent/body drop
        agent/again attach body
        agent/again publish 'b' streaming turn=t1 attempt=1 id=x role=assistant
        agent/again append #4 '' complete attempt=1
        agent post end t1 complete attempt=1
        alice holds
        ",
        expect![[r#"
            alice < append #2 v#3 @1 '' failed
            agent/again < ack 1 #4 id="x"
            alice < create #4 agent role=assistant id=x turn=t1 'b' streaming
            agent/again < ack 2 #4 v#5
            alice < append #4 v#5 @1 '' complete
            alice < turn.end #6 t1 complete agent
            agent = 200 {"ref":2,"result":{"turn":{"agent":"agent","attempt":1,"createdAt":"+0",
                  "endedAt":"+0","id":"t1","startedAt":"+0","status":"complete"}},"type":"ack"}
            alice holds #2 "a" failed
            alice holds #4 "b" complete
        "#]],
    );
}

/// P6.8: only the same client, unless nobody leads; nothing of a turn that is over.
#[test]
fn who_may_adopt() {
    check(
        "
        agent attach
        agent-two attach rewind=0
        agent start t1
        agent start t2
        agent suspend t2
        agent start t3
        agent end t3 complete
        ---
        agent-two adopt t1
        agent-two adopt t2
        agent-two adopt t3
        agent-two adopt t4
        agent adopt t3
        ",
        expect![[r#"
            agent-two < nack 1 not-leader: unable to adopt the turn; turn t1 is agent's
            agent-two < nack 2 not-leader: unable to adopt the turn; turn t2 is agent's
            agent-two < nack 3 turn-closed: unable to adopt the turn; turn t3 is complete
            agent-two < nack 4 not-found: unable to adopt the turn; there is no turn t4
            agent < nack 6 turn-closed: unable to adopt the turn; turn t3 is complete
        "#]],
    );
}

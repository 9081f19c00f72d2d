//! A leader that comes back over another connection (P6.8).

use crate::world::check;
use expect_test::expect;

/// P6.8: it leads from there with whatever it does next, be it appends: its pings keep the turn,
/// and it needs no attempt any more.
#[test]
fn a_leader_that_comes_back_and_appends() {
    check(
        "
        agent attach rewind=0
        agent start t1 lease=3000
        agent publish '' streaming turn=t1
        agent append #2 'a' seq=1
        agent drop
        agent attach rewind=0
        ---
        agent append #2 'b' seq=2 attempt=1
        wait 300
        evict
        wait 2500
        agent pings
        wait 2500
        agent brief turns
        agent append #2 'c' seq=3
        wait 3000
        agent brief turns
        ",
        expect![[r#"
            -- 250 ms
            agent < ack 4 #2 v#4 seq=2
            -- 5300 ms
            agent = 200 turns: t1 active agent
            agent < ack 5 #2 v#5 seq=3
            -- 8300 ms
            agent < append #2 v#6 @3 '' failed
            agent | turn.end #7 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            agent = 200 turns: 
        "#]],
    );
}

/// P6.8: not while the connection that took the turn is there, and not a body, which reads
/// nothing and sends no pings.
#[test]
fn a_leader_that_did_not_leave() {
    check(
        "
        agent attach rewind=0
        agent start t1 lease=3000
        agent publish '' streaming turn=t1
        agent/2 attach rewind=0
        agent/3 attach body
        agent/3 publish '' streaming turn=t1 its-attempt=1
        ---
        agent/2 append #2 'a' seq=1 attempt=1
        agent/3 append #3 'a' seq=1 attempt=1
        wait 300
        agent/2 append #2 'b' seq=2
        agent drop
        agent/3 append #3 'b' seq=2 attempt=1
        wait 300
        agent/3 append #3 'c' seq=3
        agent/2 append #2 'c' seq=2
        ",
        expect![[r#"
            agent < append #2 v#4 @0 'a'
            agent/2 < ack 1 #2 v#4 seq=1
            -- 40 ms
            agent < append #3 v#5 @0 'a'
            agent/2 < append #3 v#5 @0 'a'
            agent/3 < ack 2 #3 v#5 seq=1
            -- 300 ms
            agent/2 < nack 2 not-leader: unable to append; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent/2 < append #3 v#6 @1 'b'
            agent/3 < ack 3 #3 v#6 seq=2
            -- 600 ms
            agent/3 < nack 4 not-leader: unable to append; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent/2 < nack 3 not-leader: unable to append; turn t1 was not taken over this
                  connection, send its current attempt with the frame
        "#]],
    );
}

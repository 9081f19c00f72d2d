//! Frames that come as lines of an HTTP body, within turns (P12.1, P6.8).

use crate::world::check;
use expect_test::expect;

/// P12.1: what only means something on a WebSocket is refused on a line.
#[test]
fn some_frames_are_for_sockets() {
    check(
        "
        agent attach lines
        agent seen 1
        agent presence
        agent absent noref
        ",
        expect![[r#"
            agent < nack 1 unknown-frame: unable to take seen; it is only valid on a WebSocket
            agent < nack 2 unknown-frame: unable to take presence.set; it is only valid on a
                  WebSocket
            agent < nack null unknown-frame: unable to take presence.leave; it is only valid on
                  a WebSocket
        "#]],
    );
}

/// P6.8: lines that start a turn lead it; who carries the attempt leads it from a socket once
/// they ended, so that its pings keep the turn.
#[test]
fn lines_lead_until_they_end() {
    check(
        "
        agent attach lines
        agent/2 attach rewind=0
        agent start t1 lease=3000
        agent publish 'a' turn=t1 streaming
        ---
        agent/2 append #2 'b' seq=1
        agent/2 append #2 'b' seq=1 attempt=1
        wait 300
        agent/2 heartbeat t1
        agent ends-body
        agent drop
        agent/2 heartbeat t1
        agent/2 heartbeat t1 attempt=1
        agent/2 heartbeat t1
        evict
        wait 2500
        agent/2 pings
        wait 2500
        agent/2 brief turns
        wait 3000
        agent/2 brief turns
        ",
        expect![[r#"
            agent/2 < nack 1 not-leader: unable to append; turn t1 was not taken over this
                  connection, send its current attempt with the frame
            agent/2 < ack 2 #2 v#3 seq=1
            -- 300 ms
            agent/2 < nack 3 not-leader: unable to renew the lease; turn t1 was not taken over
                  this connection, send its current attempt with the frame
            agent/2 < nack 4 not-leader: unable to renew the lease; turn t1 was not taken over
                  this connection, send its current attempt with the frame
            agent/2 < ack 5 t1 active agent
            agent/2 < ack 6 t1 active agent
            -- 5300 ms
            agent/2 = 200 turns: t1 active agent
            -- 5800 ms
            agent/2 < append #2 v#4 @2 '' failed
            agent/2 | turn.end #5 t1 failed agent reason=agent-lost error={"code":"agent-lost",
                  "message":"the agent was not heard within its lease"}
            -- 8300 ms
            agent/2 = 200 turns: 
        "#]],
    );
}

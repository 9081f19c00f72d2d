//! Calls by the clock: deadlines and leases, in order (P8.9).

use crate::world::check;
use expect_test::expect;

/// P8.9: at the deadline it is expired, with nobody connected.
#[test]
fn p8_9_a_call_expires() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=600000
        agent call c1 turn=t1 deadlineMs=60000 suspend
        agent call c2 turn=t1 deadlineMs=20000
        alice claim c2
        alarm
        ---
        wait 21000
        alice settle c2 'late'
        agent drop
        alice drop
        wait 40000
        alice attach rewind=0
        alice get call c1
        ",
        expect![[r##"
            -- 20000 ms
            agent < tool.expire #5 c2 where expired turn=t1
            alice < tool.expire #5 c2 where expired turn=t1
            -- 21000 ms
            alice < nack 2 already-settled: unable to settle the call; call c2 is expired (c2
                  where expired turn=t1)
            -- 61000 ms
            alice < attached #7 anew, turns: t1 queued attempt=2
            alice < caught-up #7
            alice = 200 {"call":{"client":"agent","createdAt":"+0","deadlineAt":"+60000",
                  "id":"c1","name":"where","serial":"#2","session":"s1","settledAt":"+60000",
                  "status":"expired","suspend":true,"turn":"t1","version":"#6"}}
        "##]],
    );
}

/// P8.9: a clock that jumps past a lease and a deadline gives what would have come.
#[test]
fn p8_9_a_jump_passes_leases_and_deadlines_in_order() {
    check(
        "
        agent attach
        alice attach rewind=0
        bob attach rewind=0
        agent start t1 lease=600000
        agent call c1 turn=t1 deadlineMs=60000
        agent call c2 turn=t1 deadlineMs=30000
        agent call c3 turn=t1
        alice claim c1
        alice claim c2
        alice claim c3 lease=100000
        ---
        clock 90000
        bob claim c1
        ",
        expect![[r#"
            agent < tool.call #8 c1 where pending turn=t1
            agent | tool.expire #9 c2 where expired turn=t1
            agent | tool.expire #10 c1 where expired turn=t1
            alice < tool.call #8 c1 where pending turn=t1
            alice | tool.expire #9 c2 where expired turn=t1
            alice | tool.expire #10 c1 where expired turn=t1
            bob < tool.call #8 c1 where pending turn=t1
            bob | tool.expire #9 c2 where expired turn=t1
            bob | tool.expire #10 c1 where expired turn=t1
            bob < nack 1 already-settled: unable to claim the call; call c1 is expired (c1
                  where expired turn=t1)
        "#]],
    );
}

/// P6.8: the end of its turn that was due before withdraws it; a turn that goes on keeps it.
#[test]
fn p8_9_what_came_first_counts() {
    check(
        "
        hook always answers 410
        admin patch {\"maxAttempts\":2,\"agent\":{\"url\":\"https://a.example/\"}}
        agent attach
        bob attach rewind=0
        agent start t1 lease=10000
        agent call c1 turn=t1 deadlineMs=15000
        agent call c2 turn=t1 deadlineMs=5000
        agent call c3 turn=t1 deadlineMs=60000
        agent drop
        ---
        clock 10500
        ring
        clock 15000
        bob claim c3
        ",
        expect![[r#"
            bob < tool.expire #5 c2 where expired turn=t1
            bob | turn.queue #6 t1 queued attempt=2
            !1 > https://a.example/ {"at":"+10500","attempt":2,"session":"s1","turn":"t1",
                  "type":"input"}
            bob < tool.expire #7 c1 where expired turn=t1
            bob < tool.claim #8 c3 where pending turn=t1 [bob-1 until +55500]
            bob | ack 1 c3 where pending turn=t1 [bob-1 until +55500]
        "#]],
    );
}

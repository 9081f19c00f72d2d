//! Claims: how long they hold, and what becomes of a device that was gone (P8.9).

use crate::world::check;
use expect_test::expect;

/// P8.9: a claim ends with its connection; its client may still bring the result.
#[test]
fn p8_9_a_closed_connection_lets_go_of_its_calls() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice/2 attach rewind=0
        agent start t1
        agent call c1 turn=t1 to=[\"alice\"]
        agent call c2 turn=t1 to=[\"alice\"]
        alice claim c1
        alice claim c2
        ---
        alice drop
        alice attach rewind=0
        alice settle c1 'done'
        alice/2 claim c2
        alice settle c2 'done'
        alice/2 settle c2 'other'
        ",
        expect![[r#"
            agent < tool.call #6 c1 where pending turn=t1 to=["alice"]
            agent | tool.call #7 c2 where pending turn=t1 to=["alice"]
            alice/2 < tool.call #6 c1 where pending turn=t1 to=["alice"]
            alice/2 | tool.call #7 c2 where pending turn=t1 to=["alice"]
            alice < attached #7 anew, turns: t1 active agent, called: c1 where pending turn=t1
                  to=["alice"]; c2 where pending turn=t1 to=["alice"]
            alice < caught-up #7
            agent < tool.result #8 c1 where complete turn=t1 to=["alice"] output="done"
                  [alice-1]
            alice < tool.result #8 c1 where complete turn=t1 to=["alice"] output="done"
                  [alice-1]
            alice | ack 3 c1 where complete turn=t1 to=["alice"] output="done" [alice-1]
            alice/2 < tool.result #8 c1 where complete turn=t1 to=["alice"] output="done"
                  [alice-1]
            agent < tool.claim #9 c2 where pending turn=t1 to=["alice"] [alice/2-1 until +30000]
            alice < tool.claim #9 c2 where pending turn=t1 to=["alice"] [alice/2-1 until +30000]
            alice/2 < tool.claim #9 c2 where pending turn=t1 to=["alice"] [alice/2-1 until
                  +30000]
            alice/2 | ack 1 c2 where pending turn=t1 to=["alice"] [alice/2-1 until +30000]
            alice < nack 4 claimed: unable to settle the call; alice holds call c2 over
                  alice/2-1 (alice/2-1)
            agent < tool.result #10 c2 where complete turn=t1 to=["alice"] output="other"
                  [alice/2-1]
            alice < tool.result #10 c2 where complete turn=t1 to=["alice"] output="other"
                  [alice/2-1]
            alice/2 < tool.result #10 c2 where complete turn=t1 to=["alice"] output="other"
                  [alice/2-1]
            alice/2 | ack 2 c2 where complete turn=t1 to=["alice"] output="other" [alice/2-1]
        "#]],
    );
}

/// P8.9: a lease ends without a word; frames and pings renew it.
#[test]
fn p8_9_a_silent_device_loses_its_claim() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice/2 attach rewind=0
        agent start t1 lease=600000
        agent call c1 turn=t1 to=[\"alice\"]
        alice claim c1
        wait 20000
        alice signal hello
        wait 20000
        alice pings
        wait 20000
        alice claim c1 lease=10000
        ---
        wait 9000
        alice brief calls
        wait 2000
        alice/2 claim c1
        alice settle c1 'late'
        alice brief calls
        ",
        expect![[r#"
            -- 69000 ms
            alice = 200 calls: c1 where pending turn=t1 to=["alice"] [alice-1 until +70000]
            -- 70000 ms
            agent < tool.call #4 c1 where pending turn=t1 to=["alice"]
            alice < tool.call #4 c1 where pending turn=t1 to=["alice"]
            alice/2 < tool.call #4 c1 where pending turn=t1 to=["alice"]
            -- 71000 ms
            agent < tool.claim #5 c1 where pending turn=t1 to=["alice"] [alice/2-1 until
                  +101000]
            alice < tool.claim #5 c1 where pending turn=t1 to=["alice"] [alice/2-1 until
                  +101000]
            alice/2 < tool.claim #5 c1 where pending turn=t1 to=["alice"] [alice/2-1 until
                  +101000]
            alice/2 | ack 1 c1 where pending turn=t1 to=["alice"] [alice/2-1 until +101000]
            alice < nack 4 claimed: unable to settle the call; alice holds call c1 over
                  alice/2-1 (alice/2-1)
            alice = 200 calls: c1 where pending turn=t1 to=["alice"] [alice/2-1 until +101000]
        "#]],
    );
}

/// P8.9: what a device said is remembered over a sleep, without a row.
#[test]
fn p8_9_a_claim_outlives_the_sleep_of_the_session() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=600000
        agent call c1 turn=t1 to=[\"alice\"]
        alice claim c1
        wait 20000
        rows
        alice seen 1
        evict
        wait 15000
        alice pings
        evict
        wait 25000
        rows
        ---
        alice brief calls
        evict
        wait 10000
        ",
        expect![[r#"
            -- 60000 ms
            alice = 200 calls: c1 where pending turn=t1 to=["alice"] [alice-1 until +75000]
        "#]],
    );
}

/// P8.9: a claim with an id is made again by it, from anywhere, and its result named by it.
#[test]
fn p8_9_a_claim_with_an_id_moves_with_its_device() {
    check(
        "
        agent attach
        alice attach rewind=0
        alice/2 attach rewind=0
        bob attach rewind=0
        agent start t1
        agent call c1 turn=t1
        agent call c2 turn=t1
        agent call c3 turn=t1
        alice claim c1 id=k1
        alice claim c2 id=k2
        alice claim c3 id=k3
        ---
        alice/2 claim c1
        alice/2 claim c1 id=k1
        bob claim c1 id=k1
        alice settle c1 'x'
        alice/2 settle c1 'x'
        alice/2 settle c2 'x' claim=k1
        alice/2 settle c2 'x' claim=k2
        alice post settle c3 'x' claim=k3
        ",
        expect![[r##"
            alice/2 < nack 1 claimed: unable to claim the call; alice holds call c1 over
                  alice-1 (alice-1)
            agent < tool.claim #8 c1 where pending turn=t1 [alice/2-1 as k1 until +30000]
            alice < tool.claim #8 c1 where pending turn=t1 [alice/2-1 as k1 until +30000]
            alice/2 < tool.claim #8 c1 where pending turn=t1 [alice/2-1 as k1 until +30000]
            alice/2 | ack 2 c1 where pending turn=t1 [alice/2-1 as k1 until +30000] duplicate
            bob < tool.claim #8 c1 where pending turn=t1 [alice/2-1 as k1 until +30000]
            bob < nack 1 claimed: unable to claim the call; alice holds call c1 over alice/2-1
                  (alice/2-1)
            alice < nack 4 claimed: unable to settle the call; alice holds call c1 over
                  alice/2-1 (alice/2-1)
            agent < tool.result #9 c1 where complete turn=t1 output="x" [alice/2-1 as k1]
            alice < tool.result #9 c1 where complete turn=t1 output="x" [alice/2-1 as k1]
            alice/2 < tool.result #9 c1 where complete turn=t1 output="x" [alice/2-1 as k1]
            alice/2 | ack 3 c1 where complete turn=t1 output="x" [alice/2-1 as k1]
            bob < tool.result #9 c1 where complete turn=t1 output="x" [alice/2-1 as k1]
            alice/2 < nack 4 claimed: unable to settle the call; alice holds call c2 over
                  alice-1 (alice-1)
            agent < tool.result #10 c2 where complete turn=t1 output="x" [alice-1 as k2]
            alice < tool.result #10 c2 where complete turn=t1 output="x" [alice-1 as k2]
            alice/2 < tool.result #10 c2 where complete turn=t1 output="x" [alice-1 as k2]
            alice/2 | ack 5 c2 where complete turn=t1 output="x" [alice-1 as k2]
            bob < tool.result #10 c2 where complete turn=t1 output="x" [alice-1 as k2]
            agent < tool.result #11 c3 where complete turn=t1 output="x" [alice-1 as k3]
            alice < tool.result #11 c3 where complete turn=t1 output="x" [alice-1 as k3]
            alice/2 < tool.result #11 c3 where complete turn=t1 output="x" [alice-1 as k3]
            bob < tool.result #11 c3 where complete turn=t1 output="x" [alice-1 as k3]
            alice = 200 {"ref":5,"result":{"call":{"claim":{"at":"+0","client":"alice",
                  "connection":"alice-1","id":"k3","leaseMs":30000},"client":"agent",
                  "createdAt":"+0","id":"c3","name":"where","output":"x","serial":"#4",
                  "session":"s1","settledAt":"+0","status":"complete","turn":"t1",
                  "version":"#11"}},"type":"ack"}
        "##]],
    );
}

/// P8.9: by HTTP a claim is its client's for the time of its lease, and is renewed by its id.
#[test]
fn p8_9_a_claim_by_http_lasts_its_lease() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=600000
        agent call c1 turn=t1
        agent call c2 turn=t1
        alice post claim c1 id=k1
        alice post claim c2
        ---
        alice post claim c1 id=k2
        alice post claim c1
        alice post claim c2
        alice claim c2
        wait 20000
        alice post claim c1 id=k1
        crash
        wait 11000
        alice attach rewind=0
        alice post settle c1 'x'
        alice post settle c1 'x' claim=k1
        alice post settle c2 'y'
        ",
        expect![[r##"
            alice = 409 {"error":{"client":"alice","code":"claimed","message":"unable to claim
                  the call; alice holds call c1","status":409},"ref":3,"type":"nack"}
            alice = 409 {"error":{"client":"alice","code":"claimed","message":"unable to claim
                  the call; alice holds call c1","status":409},"ref":4,"type":"nack"}
            alice = 409 {"error":{"client":"alice","code":"claimed","message":"unable to claim
                  the call; alice holds call c2","status":409},"ref":5,"type":"nack"}
            alice < nack 6 claimed: unable to claim the call; alice holds call c2
            -- 20000 ms
            alice = 200 {"ref":7,"result":{"call":{"claim":{"at":"+20000","client":"alice",
                  "id":"k1","leaseMs":30000,"leaseUntil":"+50000"},"client":"agent",
                  "createdAt":"+0","id":"c1","name":"where","serial":"#2","session":"s1",
                  "status":"pending","turn":"t1","version":"#4"},"duplicate":true},"type":"ack"}
            -- 31000 ms
            alice < attached #6 anew, turns: t1 active agent, called: c1 where pending turn=t1
                  [alice as k1 until +50000]; c2 where pending turn=t1
            alice < caught-up #6
            alice = 409 {"error":{"client":"alice","code":"claimed","message":"unable to settle
                  the call; alice holds call c1","status":409},"ref":8,"type":"nack"}
            alice < tool.result #7 c1 where complete turn=t1 output="x" [alice as k1]
            alice = 200 {"ref":9,"result":{"call":{"claim":{"at":"+20000","client":"alice",
                  "id":"k1","leaseMs":30000},"client":"agent","createdAt":"+0","id":"c1",
                  "name":"where","output":"x","serial":"#2","session":"s1","settledAt":"+31000",
                  "status":"complete","turn":"t1","version":"#7"}},"type":"ack"}
            alice < tool.result #8 c2 where complete turn=t1 output="y" [alice]
            alice = 200 {"ref":10,"result":{"call":{"claim":{"at":"+0","client":"alice",
                  "leaseMs":30000},"client":"agent","createdAt":"+0","id":"c2","name":"where",
                  "output":"y","serial":"#3","session":"s1","settledAt":"+31000",
                  "status":"complete","turn":"t1","version":"#8"}},"type":"ack"}
        "##]],
    );
}

/// P8.9: nothing that dies keeps a call.
#[test]
fn p8_9_a_crash_opens_what_was_claimed() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent start t1 lease=600000
        agent call c1 turn=t1 to=[\"alice\"]
        alice claim c1
        crash
        ---
        bob attach rewind=0
        alice attach rewind=0
        alice settle c1 'done'
        ",
        expect![[r#"
            bob < attached #4 anew, turns: t1 active agent, called: c1 where pending turn=t1
                  to=["alice"]
            bob < caught-up #4
            alice < attached #4 anew, turns: t1 active agent, called: c1 where pending turn=t1
                  to=["alice"]
            alice < caught-up #4
            alice < tool.result #5 c1 where complete turn=t1 to=["alice"] output="done"
                  [alice-1]
            alice | ack 2 c1 where complete turn=t1 to=["alice"] output="done" [alice-1]
            bob < tool.result #5 c1 where complete turn=t1 to=["alice"] output="done" [alice-1]
        "#]],
    );
}

/// P2.6: a claim ends with the token of its connection.
#[test]
fn p2_6_a_claim_ends_with_its_token() {
    check(
        "
        agent attach
        alice attach rewind=0 expires=12000
        agent start t1 lease=600000
        agent call c1 turn=t1
        alice claim c1
        ---
        wait 10000
        alice pings
        wait 3000
        ",
        expect![[r#"
            -- 12000 ms
            agent < tool.call #4 c1 where pending turn=t1
            alice x 4401 the token expired
        "#]],
    );
}

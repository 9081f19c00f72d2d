//! Open turns refused, left out or kept (P14, P3.4, P11.2).

use crate::world::{check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P3.4: so is a list of open turns to `GET …/turns`.
#[test]
fn long_lists_of_turns() {
    check(
        "
        agent attach rewind=0
        agent floods 3900 start t1 metadata='…'
        agent floods 3900 start t2 metadata='…'
        agent floods 3900 start t3 metadata='…'
        agent floods 3900 start t4 metadata='…'
        agent floods 3900 start t5 metadata='…'
        agent floods 3900 start t6 metadata='…'
        agent floods 3900 start t7 metadata='…'
        agent floods 3900 start t8 metadata='…'
        agent floods 3900 start t9 metadata='…'
        agent floods 3900 start t10 metadata='…'
        agent floods 3900 start t11 metadata='…'
        agent floods 3900 start t12 metadata='…'
        agent floods 3900 start t13 metadata='…'
        agent floods 3900 start t14 metadata='…'
        agent floods 3900 start t15 metadata='…'
        agent floods 3900 start t16 metadata='…'
        agent floods 3900 start t17 metadata='…'
        ---
        alice attach rewind=0
        agent end t1 complete
        agent end t2 complete
        bob attach rewind=0
        eve brief turns
        ",
        expect![[r#"
            alice < attached #17 anew, turns left out
            alice < caught-up #17
            agent < turn.end #18 t1 complete agent metadata="xxxxxxxxxxxx…' (3900)"
            agent | ack 18 t1 complete agent metadata="xxxxxxxxxxxx…' (3900)"
            alice < turn.end #18 t1 complete agent metadata="xxxxxxxxxxxx…' (3900)"
            agent < turn.end #19 t2 complete agent metadata="xxxxxxxxxxxx…' (3900)"
            agent | ack 19 t2 complete agent metadata="xxxxxxxxxxxx…' (3900)"
            alice < turn.end #19 t2 complete agent metadata="xxxxxxxxxxxx…' (3900)"
            bob < attached #19 anew, 15 turns listed
            bob < caught-up #19
            eve = 200 15 turns
        "#]],
    );
}

/// P14: frames that go to everybody, from one connection; a heartbeat goes to nobody.
#[test]
fn frames_about_turns_in_a_second() {
    check_with(
        Limits {
            frames_per_second: 1,
            frames_burst: 3,
            ..Limits::default()
        },
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        ---
        agent suspend t1
        agent resume t1
        agent end t1 complete
        agent start t2
        agent heartbeat t1
        alice cancel turn=t1
        alice steer t1 'x'
        alice presence
        alice presence
        alice absent
        alice cancel turn=t1
        alice steer t1 'x'
        alice publish 'x' interrupt=true
        wait 1000
        agent end t1 complete
        ",
        expect![[r#"
            agent < turn.suspend #2 t1 suspended agent
            agent | ack 2 t1 suspended agent
            alice < turn.suspend #2 t1 suspended agent
            agent < turn.resume #3 t1 active agent
            agent | ack 3 t1 active agent
            alice < turn.resume #3 t1 active agent
            agent < nack 4 rate-limited: unable to end the turn; the connection sends too fast,
                  wait 1000 ms retryAfterMs=1000
            agent < nack 5 rate-limited: unable to start the turn; the connection sends too
                  fast, wait 1000 ms retryAfterMs=1000
            agent < ack 6 t1 active agent
            agent < turn.cancel #4 t1 active agent cancel=alice
            alice < turn.cancel #4 t1 active agent cancel=alice
            alice | ack 1 [t1 active agent cancel=alice]
            agent < create #5 alice name=steer turn=t1 'x' headers={"steer":"waiting"}
            agent | turn.steer #5 t1 active agent cancel=alice message=#5 'x'
            alice < create #5 alice name=steer turn=t1 'x' headers={"steer":"waiting"}
            alice | turn.steer #5 t1 active agent cancel=alice message=#5 'x'
            alice | ack 2 #5 in t1 active agent cancel=alice
            agent < presence.enter alice-1 user
            alice < presence.enter alice-1 user
            alice | ack 3 alice-1 user
            alice < nack 4 rate-limited: unable to set presence; the connection sends too fast,
                  wait 1000 ms retryAfterMs=1000
            alice < nack 5 rate-limited: unable to leave presence; the connection sends too
                  fast, wait 1000 ms retryAfterMs=1000
            alice < nack 6 rate-limited: unable to cancel; the connection sends too fast, wait
                  1000 ms retryAfterMs=1000
            alice < nack 7 rate-limited: unable to steer; the connection sends too fast, wait
                  1000 ms retryAfterMs=1000
            alice < nack 8 rate-limited: unable to publish; the connection sends too fast, wait
                  1000 ms retryAfterMs=1000
            -- 1000 ms
            agent < update #5 v#6 alice name=steer turn=t1 headers={"steer":"missed"}
            agent | turn.end #7 t1 cancelled agent cancel=alice
            agent | ack 7 t1 cancelled agent cancel=alice
            alice < update #5 v#6 alice name=steer turn=t1 headers={"steer":"missed"}
            alice | turn.end #7 t1 cancelled agent cancel=alice
        "#]],
    );
}

/// P14: instructions to one turn.
#[test]
fn steers_of_a_turn() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent start t2
        alice repeats 256 steer t1 'x' noref
        agent steered t1 #3
        ---
        alice steer t1 'one more'
        alice steer t2 'another turn'
        agent adopt t1 keep
        alice steer t1 'one more'
        ",
        expect![[r#"
            alice < nack 257 over-limit: unable to steer; turn t1 was steered 256 times
            agent < create #260 alice name=steer turn=t2 'another turn'
                  headers={"steer":"waiting"}
            agent | turn.steer #260 t2 active agent message=#260 'another turn'
            alice < create #260 alice name=steer turn=t2 'another turn'
                  headers={"steer":"waiting"}
            alice | turn.steer #260 t2 active agent message=#260 'another turn'
            alice | ack 258 #260 in t2 active agent
            agent < turn.adopt #261 t1 active agent attempt=2
            agent | update #3 v#262 alice name=steer turn=t1 'x' headers={"steer":"waiting"}
            agent | ack 4 t1 active agent attempt=2
            alice < turn.adopt #261 t1 active agent attempt=2
            alice | update #3 v#262 alice name=steer turn=t1 'x' headers={"steer":"waiting"}
            alice < nack 259 over-limit: unable to steer; turn t1 was steered 256 times
        "#]],
    );
}

/// P6.7: so many wait in all turns together, since all of them may end at once.
#[test]
fn steers_that_wait_in_all_turns() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent start t2
        agent start t3
        agent start t4
        agent start t5
        alice attach rewind=0
        bob attach rewind=0
        alice repeats 256 steer t1 'x' noref
        alice repeats 256 steer t2 'x' noref
        bob repeats 256 steer t3 'x' noref
        bob repeats 256 steer t4 'x' noref
        ---
        bob steer t5 'x'
        agent steered t1 #6
        bob steer t5 'x'
        ",
        expect![[r#"
            bob < nack 513 over-limit: unable to steer; 1024 steers wait in open turns
            agent < update #6 v#1030 alice name=steer turn=t1 headers={"steer":"taken"}
            agent | ack 6 t1 active agent
            alice < update #6 v#1030 alice name=steer turn=t1 headers={"steer":"taken"}
            bob < update #6 v#1030 alice name=steer turn=t1 headers={"steer":"taken"}
            agent < create #1031 bob name=steer turn=t5 'x' headers={"steer":"waiting"}
            agent | turn.steer #1031 t5 active agent message=#1031 'x'
            alice < create #1031 bob name=steer turn=t5 'x' headers={"steer":"waiting"}
            alice | turn.steer #1031 t5 active agent message=#1031 'x'
            bob < create #1031 bob name=steer turn=t5 'x' headers={"steer":"waiting"}
            bob | turn.steer #1031 t5 active agent message=#1031 'x'
            bob | ack 514 #1031 in t5 active agent
        "#]],
    );
}

/// P11.2: the session does not go while a turn is open, and does so long after.
#[test]
fn an_open_turn_keeps_the_session() {
    check(
        "
        admin patch {\"idleExpiryMs\":10000}
        agent attach rewind=0
        agent start t1 lease=600000
        agent suspend t1
        agent start t2
        agent end t2 complete
        ---
        wait 100000
        eve brief turns
        agent end t1 complete
        alarm
        wait 9999
        eve brief turns all
        wait 3334
        eve get snapshot
        ",
        expect![[r#"
            -- 100000 ms
            eve = 200 turns: t1 suspended agent
            agent < turn.end #5 t1 complete agent
            agent | ack 5 t1 complete agent
            alarm: Some(10000)
            -- 109999 ms
            eve = 200 turns: t2 complete agent; t1 complete agent
            -- 110000 ms
            agent x 4410 the session was deleted
            erased
            -- 113333 ms
            eve = 200 {"approvals":[],"calls":[],"grants":[],"hasOlder":false,"messages":[],
                  "presence":[],"serial":"b#0","session":"s1","settings":{},"turns":[]}
        "#]],
    );
}

/// P6.5, P6.1: settings hold for turns that are open already.
#[test]
fn settings_of_open_turns() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent start t2
        agent suspend t2
        alice cancel turn=t1
        wait 1000
        ---
        admin patch {\"cancelGraceMs\":2000,\"suspendMs\":5000}
        alarm
        wait 999
        eve brief turns
        wait 1
        wait 3000
        eve brief turns
        ",
        expect![[r#"
            -- 1000 ms
            admin = 200 {"settings":{"cancelGraceMs":2000,"suspendMs":5000}}
            alarm: Some(1000)
            -- 1999 ms
            eve = 200 turns: t1 active agent cancel=alice; t2 suspended agent
            -- 2000 ms
            agent < turn.end #5 t1 cancelled agent cancel=alice
            alice < turn.end #5 t1 cancelled agent cancel=alice
            -- 5000 ms
            agent < turn.end #6 t2 failed agent reason=abandoned error={"code":"abandoned",
                  "message":"the turn was suspended for too long"}
            alice < turn.end #6 t2 failed agent reason=abandoned error={"code":"abandoned",
                  "message":"the turn was suspended for too long"}
            eve = 200 turns: 
        "#]],
    );
}

/// P11.2: a deleted session has no turns, and its leaders no turn.
#[test]
fn turns_of_a_deleted_session() {
    check(
        "
        agent attach rewind=0
        agent start t1 lease=1000
        agent publish 'a' streaming turn=t1 id=x
        ---
        admin erase
        agent post heartbeat t1 attempt=1
        alarm
        wait 2000
        eve brief turns all
        agent attach
        agent start t1
        agent publish 'b' turn=t1 id=x
        ",
        expect![[r#"
            agent x 4410 the session was deleted
            erased
            admin = 200 {}
            agent = 404 {"error":{"code":"not-found","message":"unable to renew the lease;
                  there is no turn t1","status":404},"ref":3,"type":"nack"}
            alarm: None
            -- 2000 ms
            eve = 200 turns: 
            agent < attached b#0 anew
            agent < caught-up b#0
            agent < turn.start b#1 t1 active agent
            agent | ack 4 t1 active agent
            agent < create b#2 agent id=x turn=t1 'b'
            agent | ack 5 b#2 id="x"
        "#]],
    );
}

/// P14: adoptions and instructions taken go to everybody, too.
#[test]
fn adoptions_in_a_second() {
    check_with(
        Limits {
            frames_per_second: 1,
            frames_burst: 3,
            ..Limits::default()
        },
        "
        agent attach
        agent start t1
        alice post steer t1 'x'
        ---
        agent adopt t1
        agent steered t1 #2 attempt=2
        agent adopt t1
        agent steered t1 #2 attempt=2
        ",
        expect![[r#"
            agent < turn.adopt #3 t1 active agent attempt=2
            agent | ack 2 t1 active agent attempt=2
            agent < update #2 v#4 alice name=steer turn=t1 headers={"steer":"taken"}
            agent | ack 3 t1 active agent attempt=2
            agent < nack 4 rate-limited: unable to adopt the turn; the connection sends too
                  fast, wait 1000 ms retryAfterMs=1000
            agent < nack 5 rate-limited: unable to take the steer; the connection sends too
                  fast, wait 1000 ms retryAfterMs=1000
        "#]],
    );
}

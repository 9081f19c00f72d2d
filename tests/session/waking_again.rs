//! Waking (P10.3): dead letters, other agents, and the ends of what is owed.

use expect_test::expect;

use sessile::protocol::limits::Limits;

use crate::world::{check, check_with};

/// P10.3: which an administrator sends again, all of them or one.
#[test]
fn a_target_that_wants_no_more_makes_a_dead_letter() {
    check(
        "
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        hook always answers 410
        alice attach
        alice publish 'one'
        alice publish 'two'
        ---
        wait 1000000
        alice wake
        admin wake input=#2
        hook always answers 202
        admin wake
        admin wake
        admin wake input=#1
        admin wake turn=t9
        admin wake turn=none input=#9
        agent attach rewind=0
        agent start t1 input=#1
        agent start t2 input=#2
        admin wake input=#2
        ",
        expect![[r##"
            -- 1000000 ms
            alice = 403 {"error":{"code":"forbidden","message":"unable to wake the agent; the
                  token lacks the operation admin for session s1, it has read, publish,
                  presence, cancel, steer, approve, state, annotate, push","status":403}}
            admin = 200 {"woken":[{"input":"#2"}]}
            !2 > https://bot.example/ anew
            admin = 200 {"woken":[{"input":"#1"},{"input":"#2"}]}
            !1 > https://bot.example/ anew
            !2 > https://bot.example/ anew
            admin = 200 {"woken":[]}
            admin = 200 {"woken":[{"input":"#1"}]}
            !1 > https://bot.example/ anew
            admin = 404 {"error":{"code":"not-found","message":"unable to wake the agent; it is
                  owed nothing of that","status":404}}
            admin = 404 {"error":{"code":"not-found","message":"unable to wake the agent; there
                  is no message #9","status":404}}
            agent < attached #2 anew, has older
            agent < caught-up #2
            agent < turn.start #3 t1 active agent input=#1
            agent | ack 1 t1 active agent input=#1
            alice < turn.start #3 t1 active agent input=#1
            agent < turn.start #4 t2 active agent input=#2
            agent | ack 2 t2 active agent input=#2
            alice < turn.start #4 t2 active agent input=#2
            admin = 404 {"error":{"code":"not-found","message":"unable to wake the agent; it is
                  owed nothing of that","status":404}}
        "##]],
    );
}

/// P10.3: `giveUpMs` after it came, accepted or not.
#[test]
fn an_input_that_is_never_taken_is_given_up() {
    let limits = Limits {
        give_up_ms: 300_000,
        ..Limits::default()
    };
    check_with(
        limits,
        "
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        hook always answers 202
        alice attach
        alice publish 'one'
        ---
        wait 4000000
        admin wake
        ",
        expect![[r##"
            -- 60000 ms
            !1 > https://bot.example/ anew
            -- 120000 ms
            !1 > https://bot.example/ anew
            -- 180000 ms
            !1 > https://bot.example/ anew
            -- 240000 ms
            !1 > https://bot.example/ anew
            -- 300000 ms
            !1 > https://bot.example/ anew
            -- 4000000 ms
            admin = 200 {"woken":[{"input":"#1"}]}
            !1 > https://bot.example/ anew
        "##]],
    );
}

/// P10.3: queued turns; another agent is owed what the one before was, and no agent nothing.
#[test]
fn an_agent_that_is_set_is_owed_what_waits() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        alice attach
        agent attach rewind=0
        alice publish 'one'
        agent start t1 input=#1
        alice publish 'two'
        ---
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"}}
        agent end t1 complete
        hook !1 answers 500
        admin patch {\"agent\":null}
        wait 100000
        admin wake
        admin patch {\"agent\":{\"queue\":\"JOBS\",\"token\":true}}
        hook !1 answers 202
        agent adopt turn-#4
        ",
        expect![[r##"
            admin = 200 {"settings":{"agent":{"url":"https://bot.example/"},"onInput":"queue"}}
            agent < turn.end #5 t1 complete agent input=#1
            agent | ack 2 t1 complete agent input=#1
            alice < turn.end #5 t1 complete agent input=#1
            !1 > https://bot.example/ {"at":"+0","attempt":1,"input":"#3","session":"s1",
                  "turn":"turn-#4","type":"input"}
            admin = 200 {"settings":{"onInput":"queue"}}
            -- 100000 ms
            admin = 409 {"error":{"code":"conflict","message":"unable to wake the agent;
                  session s1 has no agent","status":409}}
            admin = 200 {"settings":{"agent":{"queue":"JOBS","token":true},"onInput":"queue"}}
            !1 > queue:JOBS with a token
            agent < turn.start #6 turn-#4 active agent input=#3
            agent | ack 3 turn-#4 active agent input=#3
            alice < turn.start #6 turn-#4 active agent input=#3
        "##]],
    );
}

/// P10.3: steer sends nothing, until it is an input like any other.
#[test]
fn a_requeued_instruction_is_woken_for() {
    check(
        "
        admin patch {\"onInput\":\"steer\",\"agent\":{\"service\":\"BOT\",\"path\":\"/in\"}}
        hook always answers 202
        alice attach
        alice publish 'one'
        agent attach rewind=0
        agent start t1 input=#1
        alice publish 'two'
        ---
        agent end t1 complete
        ",
        expect![[r##"
            agent < update #3 v#4 alice headers={"steer":"requeued"}
            agent | turn.end #5 t1 complete agent input=#1
            agent | turn.queue #6 turn-#6 queued input=#3
            agent | ack 2 t1 complete agent input=#1
            alice < update #3 v#4 alice headers={"steer":"requeued"}
            alice | turn.end #5 t1 complete agent input=#1
            alice | turn.queue #6 turn-#6 queued input=#3
            !2 > service:BOT/in {"at":"+0","attempt":1,"input":"#3","session":"s1",
                  "turn":"turn-#6","type":"input"}
        "##]],
    );
}

/// P11.2: inputs go with the session, also when it trims them; one that is owed keeps it.
#[test]
fn nothing_is_owed_after_the_end() {
    check(
        "
        admin patch {\"retentionMs\":50000,\"idleExpiryMs\":60000,\
             \"agent\":{\"workflow\":\"FLOW\"}}
        alice attach
        alice publish 'one'
        hook !1 answers 500
        ---
        wait 40000
        alice publish 'two'
        hook !2 answers 202
        wait 30000
        tables
        hook always answers 500
        admin erase
        tables
        alarm
        ",
        expect![[r##"
            -- 696 ms
            !1 > workflow:FLOW
            -- 15696 ms
            !1 > workflow:FLOW
            -- 30696 ms
            !1 > workflow:FLOW
            -- 40000 ms
            alice < create #2 alice 'two'
            alice | ack 2 #2
            !2 > workflow:FLOW {"at":"+40000","input":"#2","session":"s1","type":"input"}
            -- 45696 ms
            !1 > workflow:FLOW
            -- 50000 ms
            alice < trim before #2
            tables: 6
            -- 70000 ms
            alice x 4410 the session was deleted
            erased
            admin = 200 {}
            tables: 0
            alarm: None
        "##]],
    );
}

/// P11.2: a session whose inputs were taken, given up or deleted expires, and not before.
#[test]
fn a_session_expires_once_it_owes_nothing() {
    check(
        "
        admin patch {\"idleExpiryMs\":60000,\"agent\":{\"queue\":\"JOBS\"}}
        alice attach
        alice publish 'one'
        hook !1 answers 500
        hook !1 answers 500
        ---
        wait 70000
        hook !1 answers 410
        wait 10000
        ",
        expect![[r#"
            -- 1378 ms
            !1 > queue:JOBS
            -- 16378 ms
            !1 > queue:JOBS
            -- 31378 ms
            !1 > queue:JOBS
            -- 46378 ms
            !1 > queue:JOBS
            -- 61378 ms
            !1 > queue:JOBS
            -- 70000 ms
            alice x 4410 the session was deleted
            erased
        "#]],
    );
}

//! Settings, retention, expiry and the end of a session (P11.2).

use crate::world::check;
use expect_test::expect;

/// P11.2: settings are laid over what there is; `null` takes one back.
#[test]
fn settings_are_patched() {
    check(
        "
        admin patch {\"title\":\"A\",\"minRollupMs\":5}
        admin patch {\"title\":null,\"streamIdleMs\":1000}
        alice get snapshot
        alice patch {\"title\":\"B\"}
        ",
        expect![[r##"
            admin = 200 {"settings":{"minRollupMs":5,"title":"A"}}
            admin = 200 {"settings":{"minRollupMs":5,"streamIdleMs":1000}}
            alice = 200 {"approvals":[],"calls":[],"createdAt":"+0","grants":[],
                  "hasOlder":false,"messages":[],"presence":[],"serial":"#0","session":"s1",
                  "settings":{"minRollupMs":5,"streamIdleMs":1000},"turns":[],"updatedAt":"+0"}
            alice = 403 {"error":{"code":"forbidden","message":"unable to change the settings;
                  the token lacks the operation admin for session s1, it has read, publish,
                  presence, cancel, steer, approve, state, annotate, push","status":403}}
        "##]],
    );
}

/// P11.2, P13.2: what is no setting's value is refused by name.
#[test]
fn bad_settings_are_refused_by_name() {
    check(
        "
        admin patch {\"retentionMs\":5}
        admin patch {\"minRollupMs\":501}
        admin patch {\"title\":7}
        admin patch [\"title\"]
        admin patch {\"unwatchedWindowMs\":-1}
        tables
        ",
        expect![[r#"
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; retentionMs is not between 1000 and 315360000000 ms","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; minRollupMs is not between 0 and 500 ms","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; title: it is the number 7, not text","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; settings is not an object","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; unwatchedWindowMs: it is the number -1, not a whole number from 0",
                  "status":400}}
            tables: 0
        "#]],
    );
}

/// P11.2: settings outlive a sleep.
#[test]
fn settings_are_kept() {
    check(
        "
        admin patch {\"minRollupMs\":100}
        evict
        agent attach
        alice attach window=0
        agent publish '' streaming
        agent append #1 'a'
        agent append #1 'b'
        timer
        ",
        expect![[r#"
            admin = 200 {"settings":{"minRollupMs":100}}
            agent < attached #0 anew
            agent < caught-up #0
            alice < attached #0 anew
            alice < caught-up #0
            agent < create #1 agent '' streaming
            agent | ack 1 #1
            alice < create #1 agent '' streaming
            agent < ack 2 #1 v#2
            alice < append #1 v#2 @0 'a'
            timer: Some(100)
        "#]],
    );
}

/// P11.2: messages older than `retentionMs` go, with nobody there; readers are told.
#[test]
fn old_messages_go() {
    check(
        "
        admin patch {\"retentionMs\":10000}
        alice attach
        alice publish 'one' id=x
        wait 4000
        alice publish 'two'
        ---
        wait 6000
        alice get messages
        alice holds
        alice publish 'one again' id=x
        alice drop
        wait 59000
        alice get messages
        evict
        wait 1000
        bob attach
        bob publish 'after'
        ",
        expect![[r##"
            -- 10000 ms
            alice < trim before #2
            alice = 200 {"hasMore":false,"messages":[{"client":"alice","connection":"alice-1",
                  "createdAt":"+4000","data":"two","name":"message","role":"user","serial":"#2",
                  "updatedAt":"+4000","version":"#2"}]}
            alice holds #2 "two"
            alice < create #3 alice id=x 'one again'
            alice | ack 3 #3 id="x"
            -- 69000 ms
            alice = 200 {"hasMore":false,"messages":[{"client":"alice","connection":"alice-1",
                  "createdAt":"+10000","data":"one again","id":"x","name":"message",
                  "role":"user","serial":"#3","updatedAt":"+10000","version":"#3"},
                  {"client":"alice","connection":"alice-1","createdAt":"+4000","data":"two",
                  "name":"message","role":"user","serial":"#2","updatedAt":"+4000",
                  "version":"#2"}]}
            -- 70000 ms
            bob < attached #3 anew
            bob < caught-up #3
            bob < create #4 bob 'after'
            bob | ack 1 #4
        "##]],
    );
}

/// P11.2: what streams stays until it has ended; then it goes, too.
#[test]
fn a_stream_stays_until_its_end() {
    check(
        "
        admin patch {\"retentionMs\":10000}
        agent attach
        alice attach window=0
        agent publish 'old' streaming
        agent publish 'whole'
        ---
        wait 10000
        alice holds
        agent append #1 'er'
        agent append #1 '' complete
        wait 59999
        alice holds
        wait 1
        alice holds
        alice get messages
        alarm
        ",
        expect![[r#"
            -- 10000 ms
            agent < trim before #3 but #1
            alice < trim before #3 but #1
            alice holds #1 "old" streaming
            agent < ack 3 #1 v#3
            alice < append #1 v#3 @3 'er'
            agent < ack 4 #1 v#4
            alice < append #1 v#4 @5 '' complete
            alice holds #1 "older" complete
            -- 70000 ms
            agent < trim before #3
            alice < trim before #3
            alice = 200 {"hasMore":false,"messages":[]}
            alarm: None
        "#]],
    );
}

/// P11.2: who was away when a stream ended and went is told, too.
#[test]
fn who_was_away_learns_what_went() {
    check(
        "
        admin patch {\"retentionMs\":10000}
        agent attach
        alice attach window=0
        agent publish 'old' streaming
        agent publish 'whole'
        wait 10000
        alice drop
        agent append #1 '' complete
        wait 60000
        agent publish 'new'
        ---
        alice attach since
        alice holds
        ",
        expect![[r#"
            alice < attached #4 resumed
            alice < trim before #3
            alice | create #4 agent 'new'
            alice < caught-up #4
            alice holds #4 "new"
        "#]],
    );
}

/// P11.2: retention goes in steps, at most one a minute, over a sleep too; each is one frame
/// and one alarm.
#[test]
fn retention_takes_one_step_a_minute() {
    check(
        "
        admin patch {\"retentionMs\":1000}
        alice attach
        alice publish 'first'
        wait 500
        alice publish 'second'
        ---
        wait 600
        evict
        alarm
        wait 30000
        alice publish 'third'
        wait 5000
        alice publish 'fourth'
        alarm
        wait 24900
        wait 60000
        alice brief snapshot
        ",
        expect![[r#"
            -- 1000 ms
            alice < trim before #2
            alarm: None
            -- 31100 ms
            alice < create #3 alice 'third'
            alice | ack 3 #3
            -- 36100 ms
            alice < create #4 alice 'fourth'
            alice | ack 4 #4
            alarm: Some(24900)
            -- 61000 ms
            alice < trim before #5
            -- 121000 ms
            alice = 200 turns: , approvals: , calls: , presence: , messages: 
        "#]],
    );
}

/// P3.1: serials go on though everything was trimmed and the session slept.
#[test]
fn serials_go_on_after_everything_is_gone() {
    check(
        "
        admin patch {\"retentionMs\":10000}
        agent attach
        agent publish '' streaming
        agent append #1 'a'
        wait 300
        agent append #1 'b' complete
        wait 20000
        evict
        ---
        agent publish 'next'
        ",
        expect![[r#"
            -- 20300 ms
            agent < create #4 agent 'next'
            agent | ack 4 #4
        "#]],
    );
}

/// P11.2: the whole session goes after `idleExpiryMs` without a write.
#[test]
fn an_idle_session_goes() {
    check(
        "
        admin patch {\"idleExpiryMs\":10000}
        alice attach
        alice publish 'one'
        wait 9999
        alice publish 'two'
        wait 9999
        alice get messages
        ---
        wait 1
        alarm
        tables
        alice attach since
        ",
        expect![[r#"
            -- 19999 ms
            alice x 4410 the session was deleted
            erased
            alarm: None
            tables: 0
            alice < attached b#0 anew (unable to resume; #2 is not of this log)
            alice < caught-up b#0
        "#]],
    );
}

/// P11.2: it goes though it sleeps; reading does not keep it.
#[test]
fn an_idle_session_goes_in_its_sleep() {
    check(
        "
        admin patch {\"idleExpiryMs\":10000}
        alice attach
        alice publish 'one'
        wait 5000
        evict
        alice get messages
        ---
        wait 5000
        tables
        ",
        expect![[r#"
            -- 10000 ms
            alice x 4410 the session was deleted
            erased
            tables: 0
        "#]],
    );
}

/// P11.2: a change of settings is a write, over a sleep too.
#[test]
fn a_change_of_settings_keeps_a_session() {
    check(
        "
        alice attach
        alice publish 'one'
        wait 50000
        admin patch {\"idleExpiryMs\":10000}
        evict
        ---
        wait 9000
        alice get messages
        wait 1000
        ",
        expect![[r##"
            -- 59000 ms
            alice = 200 {"hasMore":false,"messages":[{"client":"alice","connection":"alice-1",
                  "createdAt":"+0","data":"one","name":"message","role":"user","serial":"#1",
                  "updatedAt":"+0","version":"#1"}]}
            -- 60000 ms
            alice x 4410 the session was deleted
            erased
        "##]],
    );
}

/// P11.2: deletion closes connections with 4410 and leaves nothing in storage.
#[test]
fn deletion_leaves_nothing() {
    check(
        "
        admin attach
        alice attach
        agent attach
        agent publish 'a' streaming
        agent append #1 'b'
        agent append #1 'c'
        ---
        admin erase
        tables
        timer
        alarm
        ",
        expect![[r#"
            admin x 4410 the session was deleted
            agent x 4410 the session was deleted
            alice x 4410 the session was deleted
            erased
            admin = 200 {}
            tables: 0
            timer: None
            alarm: None
        "#]],
    );
}

/// P3.6, P11.2: a session begun again has another epoch; old positions are not of this log.
#[test]
fn another_life_has_another_epoch() {
    check(
        "
        alice attach
        alice publish 'one' id=x
        admin erase
        alice attach since
        alice publish 'two' id=x
        alice holds
        bob attach since=#1
        ",
        expect![[r#"
            alice < attached #0 anew
            alice < caught-up #0
            alice < create #1 alice id=x 'one'
            alice | ack 1 #1 id="x"
            alice x 4410 the session was deleted
            erased
            admin = 200 {}
            alice < attached b#0 anew (unable to resume; #1 is not of this log)
            alice < caught-up b#0
            alice < create b#1 alice id=x 'two'
            alice | ack 2 b#1 id="x"
            alice holds b#1 "two"
            bob < attached b#1 resumed, has older
            bob < caught-up b#1
        "#]],
    );
}

/// P11.2: deletion needs `admin`.
#[test]
fn deletion_needs_admin() {
    check(
        "
        alice attach
        ---
        alice erase
        agent erase
        alice publish 'still here'
        ",
        expect![[r#"
            alice = 403 {"error":{"code":"forbidden","message":"unable to delete the session;
                  the token lacks the operation admin for session s1, it has read, publish,
                  presence, cancel, steer, approve, state, annotate, push","status":403}}
            agent = 403 {"error":{"code":"forbidden","message":"unable to delete the session;
                  the token lacks the operation admin for session s1, it has read, publish,
                  presence, turn, cancel, steer, state, annotate","status":403}}
            alice < create #1 alice 'still here'
            alice | ack 1 #1
        "#]],
    );
}

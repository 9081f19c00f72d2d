//! Tokens expire, are renewed and refused (P2.6).

use crate::world::check;
use expect_test::expect;

/// P2.6: an expired connection is closed at its first frame, and obeyed in nothing.
#[test]
fn an_expired_sender_is_closed() {
    check(
        "
        alice attach expires=1000
        bob attach
        wait 1000
        ---
        alice publish 'late'
        bob get messages
        ",
        expect![[r#"
            -- 1000 ms
            alice x 4401 the token expired
            bob = 200 {"hasMore":false,"messages":[]}
        "#]],
    );
}

/// P2.6: or at the first frame for it, of which it is sent nothing.
#[test]
fn an_expired_reader_is_closed() {
    check(
        "
        alice attach expires=1000
        bob attach
        wait 1000
        ---
        bob publish 'secret'
        ",
        expect![[r#"
            -- 1000 ms
            alice x 4401 the token expired
            bob < create #1 bob 'secret'
            bob | ack 1 #1
        "#]],
    );
}

/// P2.6: or with any other input, though nothing is sent to it.
#[test]
fn an_expired_reader_is_closed_by_whatever_wakes_the_session() {
    check(
        "
        alice attach expires=1000 names=other
        carol attach expires=40000
        agent attach window=0
        agent publish '' streaming
        ---
        wait 1500
        agent append #1 'a'
        bob get messages
        wait 10000
        bob get turns
        wait 30000
        bob get turns
        bob get presence
        ",
        expect![[r##"
            -- 1500 ms
            alice x 4401 the token expired
            agent < ack 2 #1 v#2
            carol < append #1 v#2 @0 'a'
            bob = 200 {"hasMore":false,"messages":[{"client":"agent","connection":"agent-1",
                  "createdAt":"+0","data":"a","name":"message","role":"user","serial":"#1",
                  "status":"streaming","updatedAt":"+1500","version":"#2"}]}
            -- 11500 ms
            carol < {"expiresAt":"+40000","type":"token-expiring"}
            bob = 200 {"hasMore":false,"turns":[]}
            -- 41500 ms
            carol x 4401 the token expired
            bob = 200 {"hasMore":false,"turns":[]}
            bob = 200 {"presence":[]}
        "##]],
    );
}

/// P2.6: a deadline of the session closes it as well, in its sleep.
#[test]
fn an_expired_reader_is_closed_by_an_alarm() {
    check(
        "
        agent attach expires=20000
        alice attach expires=20000
        agent start t1
        agent ask a1 turn=t1 deadline=60000
        evict
        ---
        wait 59000
        wait 2000
        ",
        expect![[r#"
            -- 30000 ms
            agent x 4401 the token expired
            alice x 4401 the token expired
        "#]],
    );
}

/// P2.6: with what a window holds for it, too.
#[test]
fn an_expired_reader_is_not_sent_what_is_held() {
    check(
        "
        agent attach
        alice attach window=500 expires=1000
        bob attach window=0
        agent publish '' streaming
        wait 900
        agent append #1 'a'
        agent append #1 'b'
        ---
        wait 500
        timer
        ",
        expect![[r#"
            -- 1400 ms
            alice x 4401 the token expired
            timer: None
        "#]],
    );
}

/// P2.6: whoever is awake 30 s before is reminded, once.
#[test]
fn a_reminder_comes_once() {
    check(
        "
        alice attach expires=100000
        bob attach
        wait 69999
        bob publish 'a'
        ---
        wait 1
        bob publish 'b'
        wait 1000
        bob publish 'c'
        ",
        expect![[r#"
            -- 70000 ms
            alice < {"expiresAt":"+100000","type":"token-expiring"}
            alice | create #2 bob 'b'
            bob < create #2 bob 'b'
            bob | ack 2 #2
            -- 71000 ms
            alice < create #3 bob 'c'
            bob < create #3 bob 'c'
            bob | ack 3 #3
        "#]],
    );
}

/// P2.6: nothing wakes a sleeping session for it.
#[test]
fn nothing_wakes_for_a_token() {
    check(
        "
        alice attach expires=100000
        timer
        alarm
        ",
        expect![[r#"
            alice < attached #0 anew
            alice < caught-up #0
            timer: None
            alarm: None
        "#]],
    );
}

/// P2.6: a fresh token replaces the old one wholly.
#[test]
fn a_token_is_renewed() {
    check(
        "
        alice attach expires=1000
        wait 500
        alice renew expires=10000 as=viewer
        wait 5000
        ---
        alice publish 'x'
        evict
        alice publish 'y'
        ",
        expect![[r#"
            -- 5500 ms
            alice < {"expiresAt":"+10500","type":"token-expiring"}
            alice | nack 2 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, presence
            alice < {"expiresAt":"+10500","type":"token-expiring"}
            alice | nack 3 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, presence
        "#]],
    );
}

/// P2.6: without `read` the connection is closed.
#[test]
fn a_token_without_read_closes() {
    check(
        "
        alice attach
        ---
        alice renew as=publish
        ",
        expect![[r#"
            alice < ack 1 {"at":"+0","expiresAt":"+31536000000"}
            alice x 4403 the token lacks read
        "#]],
    );
}

/// P2.6: a bad one is refused and the old stands.
#[test]
fn anothers_token_is_refused() {
    check(
        "
        alice attach
        ---
        alice renew client=bob
        alice publish 'still alice'
        ",
        expect![[r#"
            alice < nack 1 unauthorized: unable to renew the token; it is not alice's
            alice < create #1 alice 'still alice'
            alice | ack 2 #1
        "#]],
    );
}

/// P2.6: an expired connection is not renewed.
#[test]
fn it_is_too_late_to_renew() {
    check(
        "
        alice attach expires=1000
        wait 1000
        ---
        alice renew
        ",
        expect![[r#"
            -- 1000 ms
            alice x 4401 the token expired
        "#]],
    );
}

/// P2.6: a renewal outlives a sleep.
#[test]
fn a_renewal_outlives_a_sleep() {
    check(
        "
        alice attach expires=1000
        alice renew expires=10000
        evict
        wait 5000
        ---
        alice publish 'x'
        ",
        expect![[r#"
            -- 5000 ms
            alice < {"expiresAt":"+10000","type":"token-expiring"}
            alice | create #1 alice 'x'
            alice | ack 2 #1
        "#]],
    );
}

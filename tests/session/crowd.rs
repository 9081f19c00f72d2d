//! Many connections, of one client and of many: who gets one, and what all are told (P14).

use crate::world::{World, check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P14: one client does not take every connection.
#[test]
fn connections_of_one_client() {
    check_with(
        Limits {
            client_connections: 2,
            ..Limits::default()
        },
        "
        alice attach
        alice/2 attach
        ---
        alice/3 attach
        bob attach
        alice drop
        alice/3 attach
        evict
        alice attach
        alice attach body
        ",
        expect![[r#"
            alice/3 < nack null over-limit: unable to attach; alice has 2 connections to
                  session s1
            alice/3 x 4429 too many connections
            bob < attached #0 anew
            bob < caught-up #0
            alice/3 < attached #0 anew
            alice/3 < caught-up #0
            alice < nack null over-limit: unable to attach; alice has 2 connections to session
                  s1
            alice x 4429 too many connections
            alice < nack null over-limit: unable to attach; alice has 2 connections to session
                  s1
            alice x 4429 too many connections
        "#]],
    );
}

/// P14: whoever reads along does not keep out who writes.
#[test]
fn connections_are_reserved_for_those_who_write() {
    check_with(
        Limits {
            connections: 20,
            reserved_connections: 3,
            ..Limits::default()
        },
        "
        viewer-1 attach
        viewer-2 attach
        viewer-3 attach
        viewer-4 attach
        viewer-5 attach
        viewer-6 attach
        viewer-7 attach
        viewer-8 attach
        viewer-9 attach
        viewer-10 attach
        viewer-11 attach
        viewer-12 attach
        viewer-13 attach
        viewer-14 attach
        viewer-15 attach
        viewer-16 attach
        viewer-17 attach
        viewer-18 attach
        ---
        viewer-19 attach
        agent attach
        alice attach
        bob attach
        ",
        expect![[r#"
            viewer-19 < nack null over-limit: unable to attach; session s1 has 18 connections,
                  and keeps the rest for those who publish
            viewer-19 x 4429 too many connections
            agent < attached #0 anew
            agent < caught-up #0
            alice < attached #0 anew
            alice < caught-up #0
            bob < nack null over-limit: unable to attach; session s1 has 20 connections
            bob x 4429 too many connections
        "#]],
    );
}

/// P3.3: what cannot be kept with a connection is refused at once, and not found missing after
/// the session's sleep.
#[test]
fn what_cannot_be_kept_is_not_attached() {
    let mut world = World::new(Limits::default());
    let names = "\u{1}".repeat(3_000);
    world.run(&format!("alice attach names={names}"));
    expect![[r#"
        alice < nack null too-large: unable to attach; the names that this connection
              follows and its client's are too large to be kept
        alice x 4413 too large to be kept
    "#]]
    .assert_eq(&world.output);
}

/// P2.6: nor does a fresh token bring a name that cannot.
#[test]
fn a_token_whose_name_cannot_be_kept_is_refused() {
    check(
        "
        alice floods 8000 attach rewind=0 names=…
        ---
        alice renew name=日本
        evict
        bob attach
        ",
        expect![[r#"
            alice < nack 1 too-large: unable to renew the token; its name is too large to be
                  kept with what this connection follows and tells
            bob < attached #0 anew
            bob < caught-up #0
        "#]],
    );
}

/// P7.3: what all readers together are told of presence in a second is bounded, and everybody
/// comes to know everything.
#[test]
fn presence_that_is_told_has_a_bound() {
    check_with(
        Limits {
            presence_bytes_per_second: 500,
            ..Limits::default()
        },
        "
        alice attach
        bob attach
        carol attach
        alice presence data=1
        ---
        bob presence data=1
        carol presence data=1
        alice absent
        timer
        wait 4000
        ",
        expect![[r#"
            bob < ack 1 bob-1 user 1
            carol < ack 1 carol-1 user 1
            alice < ack 2 alice-1 user 1
            timer: Some(726)
            -- 726 ms
            alice < presence.leave alice-1 user 1
            alice | presence.enter bob-1 user 1
            bob < presence.leave alice-1 user 1
            bob | presence.enter bob-1 user 1
            carol < presence.leave alice-1 user 1
            carol | presence.enter bob-1 user 1
            -- 2154 ms
            alice < presence.enter carol-1 user 1
            bob < presence.enter carol-1 user 1
            carol < presence.enter carol-1 user 1
        "#]],
    );
}

/// P14: readers that take nothing are given up by the client and by all of them together, those
/// with the most to take first, and only once they had time to take it.
#[test]
fn what_all_readers_leave_has_a_bound() {
    check_with(
        Limits {
            client_unsent_bytes: 2_000,
            readers_unsent_bytes: 5_000,
            ..Limits::default()
        },
        "
        alice attach
        alice/2 attach
        alice/3 attach
        bob attach
        carol attach
        ---
        platform backlog told alice 1500 alice/2 900 alice/3 100
        platform backlog judged alice 1500 alice/2 900 alice/3 100
        platform backlog told bob 1900 carol 1950 alice/2 1900
        dave attach
        platform backlog judged bob 1900 carol 1950 alice/2 1900
        dave attach
        alice/3 publish 'still here'
        ",
        expect![[r#"
            alice x 4429 the client's readers are too slow
            dave < nack null over-limit: unable to attach; the readers of session s1 have 5750
                  bytes to take, come again later
            dave x 4429 too many connections
            carol x 4429 the readers are too slow
            dave < attached #0 anew
            dave < caught-up #0
            alice/2 < create #1 alice 'still here'
            alice/3 < create #1 alice 'still here'
            alice/3 | ack 1 #1
            bob < create #1 alice 'still here'
            dave < create #1 alice 'still here'
        "#]],
    );
}

/// P3.4: `attached` says how many connections the session has, those without a member and those
/// that carry bodies among them.
#[test]
fn connections_are_counted() {
    check(
        "
        alice attach
        bob attach events
        agent attach body
        carol attach
        carol/2 attach
        bob drop
        evict
        bob attach
        ---
        alice counts
        bob counts
        carol counts
        carol/2 counts
        ",
        expect![[r#"
            alice is one of 1
            bob is one of 5
            carol is one of 4
            carol/2 is one of 5
        "#]],
    );
}

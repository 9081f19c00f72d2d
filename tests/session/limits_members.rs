//! Members refused, left out or counted (P14, P3.4, P7.3).

use std::fmt::Write;

use crate::world::{check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// So many members, one connection each, then a script.
fn crowd(count: usize, then: &str) -> String {
    let mut script = String::new();
    for number in 1..=count {
        let _ = writeln!(script, "m{number} attach rewind=0\nm{number} presence");
    }
    script + "wait 1000\n---\n" + then
}

/// P14: what a member tells of itself, in bytes of UTF-8; what it told before stands.
#[test]
fn the_size_of_presence() {
    check(
        "
        alice attach
        alice presence data='here'
        wait 1000
        ---
        alice floods 4096 presence data='…'
        wait 1000
        alice floods 4097 presence data='…'
        eve brief presence
        ",
        expect![[r#"
            -- 1000 ms
            alice < presence.update alice-1 user 'xxxxxxxxxxxx…' (4096)
            alice | ack 2 alice-1 user 'xxxxxxxxxxxx…' (4096)
            -- 2000 ms
            alice < nack 3 too-large: unable to set presence; data has 4097 bytes of UTF-8, the
                  limit is 4096
            eve = 200 presence: alice-1 user 'xxxxxxxxxxxx…' (4096)
        "#]],
    );
}

/// P14: bytes, not characters; of any JSON.
#[test]
fn bytes_of_presence() {
    check_with(
        Limits {
            presence_bytes: 12,
            ..Limits::default()
        },
        "
        alice attach
        ---
        alice presence data='éééé'
        alice presence data='ééééé'
        alice presence data='éééééé'
        alice presence data='ééééééé'
        alice presence data={\"a\":\"123456\"}
        ",
        expect![[r#"
            alice < presence.enter alice-1 user 'éééé'
            alice | ack 1 alice-1 user 'éééé'
            alice < ack 2 alice-1 user 'ééééé'
            alice < ack 3 alice-1 user 'éééééé'
            alice < nack 4 too-large: unable to set presence; data has 14 bytes of UTF-8, the
                  limit is 12
            alice < nack 5 too-large: unable to set presence; data has 14 bytes of UTF-8, the
                  limit is 12
        "#]],
    );
}

/// P7.3: a list holds 200 members, then it says how many there are: `attached`, the snapshot and
/// `GET …/presence`; not one fewer.
#[test]
fn a_crowd() {
    check(
        &crowd(
            201,
            "
        carol attach
        eve brief presence
        eve brief snapshot
            ",
        ),
        expect![[r#"
            -- 1000 ms
            carol < attached #0 anew, 200 members listed, 201 in all
            carol < caught-up #0
            eve = 200 200 presence, presenceCount=201
            eve = 200 turns: , approvals: , calls: , 200 presence, messages: , presenceCount=201
        "#]],
    );
}

/// P7.3: one fewer is a list of all.
#[test]
fn a_lesser_crowd() {
    check(
        &crowd(
            201,
            "
        m7 drop
        ---
        wait 1000
        eve brief presence
        dave attach
            ",
        ),
        expect![[r#"
            -- 2000 ms
            eve = 200 200 presence
            dave < attached #0 anew, 200 members listed
            dave < caught-up #0
        "#]],
    );
}

/// P7.3: of several who leave at once, the first is told, then the others in one array.
#[test]
fn several_at_once() {
    check(
        &crowd(
            3,
            "
        m1 absent
        + m2 absent
        + m3 absent
        wait 200
            ",
        ),
        expect![[r#"
            -- 1000 ms
            m1 < presence.leave m1-1 user
            m1 | ack 2 m1-1 user
            m2 < presence.leave m1-1 user
            m3 < presence.leave m1-1 user
            m2 < ack 2 m2-1 user
            m3 < ack 2 m3-1 user
            -- 1200 ms
            m1 < presence.leave m2-1 user
            m1 | presence.leave m3-1 user
            m2 < presence.leave m2-1 user
            m2 | presence.leave m3-1 user
            m3 < presence.leave m2-1 user
            m3 | presence.leave m3-1 user
        "#]],
    );
}

/// P3.4: a list of members of more than 64 KiB is left to `GET …/presence`, with how many there
/// are.
#[test]
fn long_lists_of_members() {
    check(
        "
        a attach
        b attach
        c attach
        d attach
        e attach
        f attach
        g attach
        h attach
        i attach
        j attach
        k attach
        l attach
        m attach
        n attach
        o attach
        p attach
        q attach
        a floods 4000 presence data='…'
        b floods 4000 presence data='…'
        c floods 4000 presence data='…'
        d floods 4000 presence data='…'
        e floods 4000 presence data='…'
        f floods 4000 presence data='…'
        g floods 4000 presence data='…'
        h floods 4000 presence data='…'
        i floods 4000 presence data='…'
        j floods 4000 presence data='…'
        k floods 4000 presence data='…'
        l floods 4000 presence data='…'
        m floods 4000 presence data='…'
        n floods 4000 presence data='…'
        o floods 4000 presence data='…'
        p floods 4000 presence data='…'
        wait 1000
        ---
        carol attach
        q floods 4000 presence data='…'
        wait 1000
        dave attach
        eve brief presence
        ",
        expect![[r#"
            -- 1000 ms
            carol < attached #0 anew, 16 members listed
            carol < caught-up #0
            a < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            b < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            c < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            carol < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            d < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            e < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            f < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            g < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            h < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            i < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            j < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            k < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            l < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            m < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            n < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            o < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            p < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            q < presence.enter q-1 user 'xxxxxxxxxxxx…' (4000)
            q | ack 1 q-1 user 'xxxxxxxxxxxx…' (4000)
            -- 2000 ms
            dave < attached #0 anew, presence left out, 17 in all
            dave < caught-up #0
            eve = 200 17 presence
        "#]],
    );
}

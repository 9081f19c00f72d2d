//! Deliveries to hooks, until they are taken or given up (P10.4).

use expect_test::expect;
use sessile::protocol::limits::Limits;

use crate::world::{check, check_with};

/// P10.4, P11.2: the deletion and its delivery are one step; only the delivery is left, and
/// nothing once it is taken.
#[test]
fn a_hook_hears_of_the_deletion() {
    check(
        "
        deployment https://a.example/
        alice attach
        alice publish 'hello'
        ---
        admin erase
        tables
        hook !1 answers 204
        tables
        ",
        expect![[r##"
            alice x 4410 the session was deleted
            admin = 200 {}
            !1 > https://a.example/ {"at":"+0","serial":"#1","session":"s1",
                  "type":"session.delete"}
            tables: 1
            erased
            tables: 0
        "##]],
    );
}

/// P11.2: without hooks everything goes at once.
#[test]
fn without_hooks_nothing_is_owed() {
    check(
        "
        admin patch {\"title\":\"A\"}
        admin erase
        tables
        deployment https://a.example/
        admin erase
        tables
        ",
        expect![[r#"
            admin = 200 {"settings":{"title":"A"}}
            erased
            admin = 200 {}
            tables: 0
            erased
            admin = 200 {}
            tables: 0
        "#]],
    );
}

/// P10.4: the session's own hooks and those of the deployment, each address once.
#[test]
fn each_address_hears_once() {
    check(
        r#"
        deployment https://a.example/ https://b.example/
        admin patch {"hooks":[{"url":"https://b.example/"},{"url":"https://d.example/"}]}
        admin patch {"title":"the hooks stay"}
        ---
        admin erase
        "#,
        expect![[r##"
            admin = 200 {}
            !1 > https://b.example/
            !2 > https://d.example/
            !3 > https://a.example/ {"at":"+0","serial":"#0","session":"s1",
                  "type":"session.delete"}
        "##]],
    );
}

/// P10.4: the wait doubles, the id stays, and an attempt that died with its process is made again.
#[test]
fn a_failed_attempt_is_made_again() {
    check(
        "
        deployment https://a.example/
        alice attach
        alice publish 'hello'
        admin erase
        ---
        hook !1 fails
        alarm
        wait 1000
        hook !1 answers 503 after=60
        wait 59000
        wait 1000
        crash
        wait 14999
        wait 1
        hook !1 answers 200
        tables
        ",
        expect![[r#"
            alarm: Some(696)
            -- 696 ms
            !1 > https://a.example/
            -- 61000 ms
            !1 > https://a.example/
            -- 76000 ms
            !1 > https://a.example/
            erased
            tables: 0
        "#]],
    );
}

/// P10.4: after a crash either the session is there or the delivery.
#[test]
fn a_crash_at_the_deletion_forgets_nothing() {
    check(
        "
        deployment https://a.example/
        alice attach
        alice publish 'hello'
        ---
        dies before
        admin erase
        admin brief snapshot
        dies after
        admin erase
        admin brief snapshot
        wait 20000
        hook !1 answers 200
        tables
        ",
        expect![[r##"
            admin = 200 turns: , approvals: , calls: , presence: , messages: #1 alice 'hello'
            admin = 200 turns: , approvals: , calls: , presence: , messages: 
            !1 > https://a.example/ {"at":"+0","serial":"#1","session":"s1",
                  "type":"session.delete"}
            -- 15000 ms
            !1 > https://a.example/
            -- 20000 ms
            erased
            tables: 0
        "##]],
    );
}

/// P10.4, P11.2: a new life may begin while a delivery is pending; deliveries stay in order.
#[test]
fn a_new_life_begins_while_a_delivery_is_pending() {
    check(
        "
        deployment https://a.example/
        alice attach
        alice publish 'hello'
        admin erase
        bob attach
        ---
        bob publish 'again'
        hook !1 fails
        admin erase
        wait 1000
        hook !1 answers 200
        hook !2 answers 200
        tables
        ",
        expect![[r#"
            bob < create b#1 bob 'again'
            bob | ack 1 b#1
            bob x 4410 the session was deleted
            admin = 200 {}
            -- 696 ms
            !1 > https://a.example/
            -- 1000 ms
            !2 > https://a.example/ {"at":"+0","serial":"b#1","session":"s1",
                  "type":"session.delete"}
            erased
            tables: 0
        "#]],
    );
}

/// P11.2: a reader that attaches after the deletion stays; the storage is emptied once it left.
#[test]
fn a_reader_that_attaches_meanwhile_stays() {
    check(
        "
        deployment https://a.example/
        alice attach
        alice publish 'hello'
        admin erase
        bob attach
        ---
        hook !1 answers 200
        tables
        bob drop
        tables
        ",
        expect![[r#"
            tables: 1
            erased
            tables: 0
        "#]],
    );
}

/// P10.4, P11.2: hooks hear of an expiry too.
#[test]
fn an_expiry_is_told() {
    check(
        "
        deployment https://a.example/
        admin patch {\"idleExpiryMs\":1000}
        ---
        wait 2000
        hook !1 answers 200
        tables
        ",
        expect![[r##"
            -- 1000 ms
            !1 > https://a.example/ {"at":"+1000","serial":"#0","session":"s1",
                  "type":"session.delete"}
            -- 2000 ms
            erased
            tables: 0
        "##]],
    );
}

/// P10.4: 410 makes a dead letter, which is kept for a week; then the storage is empty.
#[test]
fn a_dead_letter_stays_a_week() {
    check(
        "
        deployment https://a.example/
        alice attach
        alice publish 'hello'
        admin erase
        ---
        hook !1 answers 410
        tables
        alarm
        wait 604799999
        tables
        wait 1
        tables
        ",
        expect![[r#"
            tables: 1
            alarm: Some(15000)
            tables: 1
            -- 604800000 ms
            erased
            tables: 0
        "#]],
    );
}

/// P14: a delivery beyond `deliveries` is a dead letter at once.
#[test]
fn pending_deliveries_are_bounded() {
    let limits = Limits {
        deliveries: 1,
        ..Limits::default()
    };
    check_with(
        limits,
        "
        deployment https://a.example/
        alice attach
        alice publish 'hello'
        admin erase
        alice attach
        alice publish 'again'
        admin erase
        ---
        hook !1 answers 200
        tables
        ",
        expect![[r#"
            tables: 1
        "#]],
    );
}

/// P10.4, P10.5: a hook that is not allowed is refused by name.
#[test]
fn bad_hooks_are_refused_by_name() {
    check(
        "
        deployment unsigned
        admin patch {\"hooks\":[{\"url\":\"https://a.example/\"}]}
        deployment
        admin patch {\"hooks\":[{\"url\":\"https://10.0.0.1/\"}]}
        admin patch {\"hooks\":[{\"url\":\"https://a.example/\",\"events\":[\"turn.end\"]}]}
        admin patch {\"hooks\":[{\"url\":\"https://a.example/\",\"events\":[\"end\"]}]}
        admin patch {\"hooks\":{}}
        tables
        ",
        expect![[r#"
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; hooks needs SESSILE_WEBHOOK_SECRETS, which the deployment does not
                  have","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; hooks[0].url: its host is not public","status":400}}
            admin = 200 {"settings":{"hooks":[{"events":["turn.end"],
                  "url":"https://a.example/"}]}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; hooks: no event has that name; there is session.start, turn.end,
                  turn.lost, approval.request, approval.settle, lead.change, session.delete",
                  "status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; hooks: it is an object, not a list","status":400}}
            tables: 5
        "#]],
    );
}

/// Rows of a delivery: one for itself, one for each outcome.
#[test]
fn rows_of_a_delivery() {
    check(
        "
        deployment https://a.example/
        admin patch {\"title\":\"A\"}
        rows
        ---
        admin erase
        rows
        hook !1 fails
        rows
        wait 1000
        rows
        hook !1 answers 200
        ",
        expect![[r##"
            admin = 200 {}
            !1 > https://a.example/ {"at":"+0","serial":"#0","session":"s1",
                  "type":"session.delete"}
            rows: 1
            rows: 1
            -- 696 ms
            !1 > https://a.example/
            rows: 0
            -- 1000 ms
            erased
        "##]],
    );
}

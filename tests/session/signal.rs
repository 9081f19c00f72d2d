//! Signals are passed on and not kept (P4.5).

use crate::world::check;
use expect_test::expect;

/// P4.5: a signal goes to whoever is there, its sender too, and is not stored.
#[test]
fn a_signal_goes_to_everybody() {
    check(
        "
        alice attach
        bob attach
        ---
        alice signal typing {\"on\":true}
        carol attach
        tables
        ",
        expect![[r#"
            alice < signal alice typing {"on":true}
            alice | ack 1 {}
            bob < signal alice typing {"on":true}
            carol < attached #0 anew
            carol < caught-up #0
            tables: 0
        "#]],
    );
}

/// P4.5: or to one connection, or all of one client.
#[test]
fn a_signal_may_be_meant_for_one() {
    check(
        "
        alice attach
        alice/phone attach
        bob attach
        ---
        bob signal look to=alice
        bob signal look to=alice/phone-1
        bob signal look to=nobody
        ",
        expect![[r#"
            alice < signal bob look
            alice/phone < signal bob look
            bob < ack 1 {}
            alice/phone < signal bob look
            bob < ack 2 {}
            bob < ack 3 {}
        "#]],
    );
}

/// P13.1: a signal with an id is passed on once.
#[test]
fn a_signal_with_an_id_is_passed_on_once() {
    check(
        "
        alice attach
        ---
        alice signal look id=x
        alice signal look id=x
        ",
        expect![[r#"
            alice < signal alice look
            alice | ack 1 {}
            alice < ack 2 {"duplicate":true}
        "#]],
    );
}

/// P4.5: names do not restrict signals, over HTTP either.
#[test]
fn names_do_not_restrict_signals() {
    check(
        "
        alice attach names=answer
        ---
        bob post signal look
        ",
        expect![[r#"
            alice < signal bob look
            bob = 200 {"ref":1,"result":{},"type":"ack"}
        "#]],
    );
}

/// P4.5: a signal has a name.
#[test]
fn a_signal_has_a_name() {
    check(
        "
        alice attach
        ---
        alice raw {\"type\":\"signal\",\"ref\":1}
        alice raw {\"type\":\"signal\",\"ref\":2,\"name\":\"\"}
        ",
        expect![[r#"
            alice < nack 1 invalid-frame: unable to signal; name is missing
            alice < nack 2 invalid-frame: unable to signal; name is not 1 to 128 characters
        "#]],
    );
}

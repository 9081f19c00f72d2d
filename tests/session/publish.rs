//! Messages are created (P4.1, P4.2).

use crate::world::check;
use expect_test::expect;

/// P3.7, P4.2: a message goes to everybody, its sender too, before the ack.
#[test]
fn a_message_goes_to_everybody() {
    check(
        "
        alice attach
        bob attach window=500
        alice publish 'Hello' id=x
        ",
        expect![[""]],
    );
}

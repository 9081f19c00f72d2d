//! The state kept of a member while the session sleeps (P7.3).

use crate::world::check;
use expect_test::expect;

/// P7.1, P7.3: what would be too large to be kept with its connection is refused, and does not
/// vanish with the session's sleep: names and claims are kept there as well.
#[test]
fn what_cannot_be_kept_with_the_connection_is_refused() {
    check(
        "
        bob attach rewind=0
        alice floods 4200 attach rewind=0 name=日本 names=…
        ---
        alice floods 4000 presence data='…'
        alice presence data='here'
        alice floods 4000 presence data='…'
        wait 200
        evict
        bob brief presence
        ",
        expect![[r#"
            alice < nack 1 too-large: unable to set presence; data is too large to be kept with
                  the names that this connection follows and its client's
            alice < presence.enter alice-1 user 日本 'here'
            alice | ack 2 alice-1 user 日本 'here'
            bob < presence.enter alice-1 user 日本 'here'
            alice < nack 3 too-large: unable to set presence; data is too large to be kept with
                  the names that this connection follows and its client's
            -- 200 ms
            bob = 200 presence: alice-1 user 日本 'here'
        "#]],
    );
}

//! How much a turn may hold: sizes, and the lengths of its names (P6.1, P14).

use crate::world::{check, check_with};
use expect_test::expect;
use sessile::protocol::limits::Limits;

/// P14: bytes are those of JSON, where a control character has six: what one frame makes of all
/// open turns is bounded by them.
#[test]
fn the_size_of_a_turn_is_that_of_its_json() {
    check_with(
        Limits {
            turn_bytes: 20,
            ..Limits::default()
        },
        "
        agent attach
        ---
        agent start t1 metadata=\"\\u0001\\u0002\\u0003\\u0004\"
        agent start t2 metadata=\"\\u0001\\u0002\\u0003\"
        agent end t2 failed error=\"\\u0001\\u0002\\u0003\\u0004\"
        ",
        expect![[r#"
            agent < nack 1 too-large: unable to start the turn; metadata has 24 bytes of UTF-8,
                  the limit is 20
            agent < turn.start #1 t2 active agent metadata="\u0001\u0002\u0003"
            agent | ack 2 t2 active agent metadata="\u0001\u0002\u0003"
            agent < nack 3 too-large: unable to end the turn; error has 24 bytes of UTF-8, the
                  limit is 20
        "#]],
    );
}

/// P14: a turn's metadata, error and reasons, in bytes.
#[test]
fn the_size_of_a_turn() {
    check_with(
        Limits {
            turn_bytes: 20,
            ..Limits::default()
        },
        "
        agent attach
        alice attach rewind=0
        ---
        agent start t1 metadata={\"a\":\"123456789012345\"}
        agent start t1 metadata={\"a\":\"12345\"}
        agent suspend t1 reason='twenty-one characters'
        agent suspend t1 reason='wait'
        agent resume t1
        alice cancel turn=t1 reason='twenty-one characters'
        agent end t1 failed error={\"a\":\"123456789012345\"}
        agent end t1 failed error={\"a\":\"b\"}
        ",
        expect![[r#"
            agent < nack 1 too-large: unable to start the turn; metadata has 23 bytes of UTF-8,
                  the limit is 20
            agent < turn.start #1 t1 active agent metadata={"a":"12345"}
            agent | ack 2 t1 active agent metadata={"a":"12345"}
            alice < turn.start #1 t1 active agent metadata={"a":"12345"}
            agent < nack 3 too-large: unable to suspend the turn; reason has 21 bytes of UTF-8,
                  the limit is 20
            agent < turn.suspend #2 t1 suspended agent reason=wait metadata={"a":"12345"}
            agent | ack 4 t1 suspended agent reason=wait metadata={"a":"12345"}
            alice < turn.suspend #2 t1 suspended agent reason=wait metadata={"a":"12345"}
            agent < turn.resume #3 t1 active agent metadata={"a":"12345"}
            agent | ack 5 t1 active agent metadata={"a":"12345"}
            alice < turn.resume #3 t1 active agent metadata={"a":"12345"}
            alice < nack 1 too-large: unable to cancel; reason has 21 bytes of UTF-8, the limit
                  is 20
            agent < nack 6 too-large: unable to end the turn; error has 23 bytes of UTF-8, the
                  limit is 20
            agent < turn.end #4 t1 failed agent error={"a":"b"} metadata={"a":"12345"}
            agent | ack 7 t1 failed agent error={"a":"b"} metadata={"a":"12345"}
            alice < turn.end #4 t1 failed agent error={"a":"b"} metadata={"a":"12345"}
        "#]],
    );
}

/// P14: ids, in characters.
#[test]
fn the_length_of_ids() {
    check_with(
        Limits {
            name_length: 8,
            ..Limits::default()
        },
        "
        agent attach
        ---
        agent start too-long-a-name
        agent raw {\"type\":\"turn.start\",\"ref\":2,\"id\":\"\"}
        agent raw {\"type\":\"turn.start\",\"ref\":3,\"id\":5}
        agent start ééééé
        agent end ééééé complete id=too-long-a-name
        agent heartbeat too-long-a-name
        agent cancel turn=too-long-a-name
        ",
        expect![[r#"
            agent < nack 1 invalid-frame: unable to start the turn; id is not 1 to 8 characters
            agent < nack 2 invalid-frame: unable to start the turn; id is not 1 to 8 characters
            agent < nack 3 invalid-frame: unable to start the turn; id: it is the number 5, not
                  text
            agent < turn.start #1 ééééé active agent
            agent | ack 2 ééééé active agent
            agent < nack 3 invalid-frame: unable to end the turn; id is not 1 to 8 characters
            agent < nack 4 invalid-frame: unable to renew the lease; turn is not 1 to 8
                  characters
            agent < nack 5 invalid-frame: unable to cancel; turn is not 1 to 8 characters
        "#]],
    );
}

/// P13.4: nobody takes the name that the session gives to a turn without one.
#[test]
fn names_that_the_session_gives() {
    check(
        "
        admin patch {\"onInput\":\"queue\"}
        agent attach
        agent-two attach rewind=0
        alice post publish 'q'
        agent start turn-1 input=#1
        ---
        agent start turn-#5
        alice post publish 'q'
        agent-two start
        agent start turn-#4 input=#3
        agent brief turns
        ",
        expect![[r##"
            agent < nack 2 invalid-frame: unable to start the turn; turn-#5 is a name that the
                  session gives
            agent < create #3 alice 'q'
            agent | turn.queue #4 turn-#4 queued input=#3
            agent-two < create #3 alice 'q'
            agent-two | turn.queue #4 turn-#4 queued input=#3
            alice = 200 {"ref":2,"result":{"messages":[{"serial":"#3","version":"#3"}]},
                  "type":"ack"}
            agent < turn.start #5 turn-#5 active agent-two
            agent-two < turn.start #5 turn-#5 active agent-two
            agent-two | ack 1 turn-#5 active agent-two
            agent < turn.start #6 turn-#4 active agent input=#3
            agent | ack 3 turn-#4 active agent input=#3
            agent-two < turn.start #6 turn-#4 active agent input=#3
            agent = 200 turns: turn-1 active agent input=#1; turn-#4 active agent input=#3;
                  turn-#5 active agent-two
        "##]],
    );
}

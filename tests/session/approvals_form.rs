//! Answers that have to fit a form (P8.1, P8.2).

use crate::world::check;
use expect_test::expect;

/// P8.2: data that breaks the schema is refused with each breach, and the approval stays
/// pending; an option by itself has no data to break it.
#[test]
fn p8_2_an_answer_fits_the_form() {
    check(
        r##"
        agent attach rewind=0
        alice attach rewind=0
        agent ask q1 schema={"properties":{"n":{"maximum":4}},"required":["n"],"type":"object"}
        ---
        alice decide q1 approve data={"n":5}
        alice decide q1 approve data={}
        alice decide q1 approve data=two
        alice decide q1 approve data={"n":2}
        "##,
        expect![[r#"
            alice < nack 1 invalid-answer: unable to decide the approval; data breaks the
                  schema at "/n"
            alice < nack 2 invalid-answer: unable to decide the approval; data breaks the
                  schema at ""
            alice < nack 3 invalid-answer: unable to decide the approval; data breaks the
                  schema at ""
            agent < approval.decide #2 q1 approved decidedBy=alice answer={"n":2} [+0 request
                  agent, +0 decide alice]
            alice < approval.decide #2 q1 approved decidedBy=alice answer={"n":2} [+0 request
                  agent, +0 decide alice]
            alice | ack 4 q1 approved decidedBy=alice answer={"n":2} [+0 request agent, +0
                  decide alice]
        "#]],
    );
}

/// P8.2: what was edited with a yes has to fit as well.
#[test]
fn p8_2_an_edited_input_fits_the_form() {
    check(
        r##"
        agent attach rewind=0
        alice attach rewind=0
        agent ask a1 schema={"type":"object","additionalProperties":false}
        ---
        alice decide a1 approve data={"to":"eve"}
        alice decide a1 approve data={}
        "##,
        expect![[r#"
            alice < nack 1 invalid-answer: unable to decide the approval; data breaks the
                  schema at ""
            agent < approval.decide #2 a1 approved decidedBy=alice answer={} [+0 request agent,
                  +0 decide alice]
            alice < approval.decide #2 a1 approved decidedBy=alice answer={} [+0 request agent,
                  +0 decide alice]
            alice | ack 2 a1 approved decidedBy=alice answer={} [+0 request agent, +0 decide
                  alice]
        "#]],
    );
}

/// P8.1: a schema that nothing can be judged by, in bounded time, is refused when it is set.
#[test]
fn p8_1_a_form_that_cannot_be_judged() {
    check(
        r##"
        agent attach rewind=0
        ---
        agent ask a1 schema={"$ref":"https://elsewhere.example/form"}
        agent ask a2 schema={"pattern":"^(a+)+$"}
        agent ask a3 schema={"type":"nothing"}
        agent ask a4 schema=7
        "##,
        expect![[r#"
            agent < nack 1 invalid-frame: unable to ask for approval; schema cannot be used at
                  "/$ref": only references within the schema are followed: # and #/…, without %
            agent < nack 2 invalid-frame: unable to ask for approval; schema cannot be used at
                  "/pattern": its pattern repeats a group that could match in several ways;
                  separate its parts by a character of their own
            agent < nack 3 invalid-frame: unable to ask for approval; schema cannot be used at
                  "/type": it is no type of JSON Schema
            agent < nack 4 invalid-frame: unable to ask for approval; schema cannot be used at
                  "": it is no schema: an object, true or false
        "#]],
    );
}

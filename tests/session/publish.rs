//! Messages are created (P4.1, P4.2).

use crate::world::check;
use expect_test::expect;

/// P3.7: a message goes to everybody, its sender too, before the ack.
#[test]
fn a_message_goes_to_everybody() {
    check(
        "
        alice attach
        bob attach window=500
        ---
        alice publish 'Hello' id=x
        ",
        expect![[r#"
            alice < create #1 alice id=x 'Hello'
            alice | ack 1 #1 id="x"
            bob < create #1 alice id=x 'Hello'
        "#]],
    );
}

/// P13.1: a frame without `ref` gets nothing when it is taken, and a nack when it is not.
#[test]
fn without_ref_only_a_refusal_is_answered() {
    check(
        "
        alice attach
        ---
        alice publish 'Hello' noref
        alice append #9 'x' noref
        ",
        expect![[r#"
            alice < create #1 alice 'Hello'
            alice < nack null not-found: unable to append; there is no message #9
        "#]],
    );
}

/// P4.2: several messages are created in order, and seen in one array.
#[test]
fn several_messages_are_one_array() {
    check(
        "
        alice attach
        bob attach
        ---
        alice publish 'one' and 'two' name=progress and {\"three\":[3,null]} \
        headers={\"lang\":\"de\"}
        ",
        expect![[r#"
            alice < create #1 alice 'one'
            alice | create #2 alice name=progress 'two'
            alice | create #3 alice {"three":[3,null]} headers={"lang":"de"}
            alice | ack 1 #1, #2, #3
            bob < create #1 alice 'one'
            bob | create #2 alice name=progress 'two'
            bob | create #3 alice {"three":[3,null]} headers={"lang":"de"}
        "#]],
    );
}

/// P4.2: all or none.
#[test]
fn one_bad_message_refuses_all() {
    check(
        "
        alice attach
        bob attach
        ---
        alice publish 'one' and 'two' role=assistant and 'three'
        alice publish 'one' and 'two' parent=#7
        alice publish 'one' and {\"not\":\"text\"} streaming
        alice get messages
        ",
        expect![[r#"
            alice < nack 1 forbidden: unable to publish with role assistant; the token lacks
                  turn or edit on session s1
            alice < nack 2 not-found: unable to publish after parent; there is no message #7
            alice < nack 3 invalid-frame: unable to publish; only text can stream, data is not
                  text
            alice = 200 {"hasMore":false,"messages":[]}
        "#]],
    );
}

/// P4.2, P13.1: the same id by the same client gives the first result, and nobody sees it twice.
#[test]
fn an_id_is_taken_once() {
    check(
        "
        alice attach
        bob attach
        alice publish 'Hello' id=x
        ---
        alice publish 'Hello' id=x
        alice/phone attach rewind=0
        alice/phone publish 'Hello again' id=x
        bob publish 'Mine' id=x
        ",
        expect![[r#"
            alice < ack 2 #1 id="x" duplicate
            alice/phone < attached #1 anew, has older
            alice/phone < caught-up #1
            alice/phone < ack 1 #1 id="x" duplicate
            alice < create #2 bob id=x 'Mine'
            alice/phone < create #2 bob id=x 'Mine'
            bob < create #2 bob id=x 'Mine'
            bob | ack 1 #2 id="x"
        "#]],
    );
}

/// P4.2: an id twice in one publish stands for one message.
#[test]
fn an_id_twice_in_one_publish_is_one_message() {
    check(
        "
        alice attach
        ---
        alice publish 'a' id=x and 'b' id=x and 'c'
        ",
        expect![[r#"
            alice < create #1 alice id=x 'a'
            alice | create #2 alice 'c'
            alice | ack 1 #1 id="x", #1 id="x" duplicate, #2
        "#]],
    );
}

/// P13.1: a duplicate gives back the first result as it now stands.
#[test]
fn a_duplicate_says_how_the_message_stands_now() {
    check(
        "
        alice attach
        alice publish 'Hello' id=x
        alice update #1 'Hi'
        ---
        alice publish 'Hello' id=x
        ",
        expect![[r#"
            alice < ack 3 #1 v#2 id="x" duplicate
        "#]],
    );
}

/// P4.2: a tombstone keeps the id taken.
#[test]
fn the_id_of_a_deleted_message_stays_taken() {
    check(
        "
        alice attach
        alice publish 'Hello' id=x
        alice delete #1
        ---
        alice publish 'Hello' id=x
        ",
        expect![[r#"
            alice < ack 3 #1 v#2 id="x" duplicate
        "#]],
    );
}

/// P4.2: some new, some known: only the new ones are created.
#[test]
fn known_and_new_ids_may_be_mixed() {
    check(
        "
        alice attach
        alice publish 'a' id=a
        ---
        alice publish 'a' id=a and 'b' id=b
        ",
        expect![[r#"
            alice < create #2 alice id=b 'b'
            alice | ack 2 #1 id="a" duplicate, #2 id="b"
        "#]],
    );
}

/// P4.1: roles but `user` need `turn` or `edit`.
#[test]
fn only_who_may_lead_speaks_in_other_roles() {
    check(
        "
        alice attach
        agent attach
        supervisor attach
        ---
        alice publish 'x' role=system
        agent publish 'x' role=assistant
        agent publish 'x' role=tool
        supervisor publish 'x' role=system
        ",
        expect![[r#"
            alice < nack 1 forbidden: unable to publish with role system; the token lacks turn
                  or edit on session s1
            agent < create #1 agent role=assistant 'x'
            agent | ack 1 #1
            alice < create #1 agent role=assistant 'x'
            supervisor < create #1 agent role=assistant 'x'
            agent < create #2 agent role=tool 'x'
            agent | ack 2 #2
            alice < create #2 agent role=tool 'x'
            supervisor < create #2 agent role=tool 'x'
            agent < create #3 supervisor role=system 'x'
            alice < create #3 supervisor role=system 'x'
            supervisor < create #3 supervisor role=system 'x'
            supervisor | ack 1 #3
        "#]],
    );
}

/// P4.1: a turn that does not exist is not found.
#[test]
fn a_message_of_an_unknown_turn_is_refused() {
    check(
        "
        agent attach
        ---
        agent publish 'x' turn=t1
        ",
        expect![[r#"
            agent < nack 1 not-found: unable to publish; there is no turn t1
        "#]],
    );
}

/// P4.1: `parent` is the serial of a message that exists.
#[test]
fn a_parent_must_exist() {
    check(
        "
        alice attach
        ---
        alice publish 'one'
        alice publish 'two' parent=#1
        alice publish 'three' parent=#9
        alice publish 'three' parent=zzzz00000001
        ",
        expect![[r#"
            alice < create #1 alice 'one'
            alice | ack 1 #1
            alice < create #2 alice parent=#1 'two'
            alice | ack 2 #2
            alice < nack 3 not-found: unable to publish after parent; there is no message #9
            alice < nack 4 not-found: unable to publish after parent; there is no message b#1
        "#]],
    );
}

/// P1.4: unknown fields are ignored; data is any JSON, null too.
#[test]
fn data_is_any_json() {
    check(
        "
        alice attach
        ---
        alice raw {\"type\":\"publish\",\"ref\":\"r\", \"colour\":\"red\", \
        \"messages\":[{\"data\":null, \"mood\":1}, {\"data\":0}, {\"data\":[]}, \
        {\"data\":\"\"}]}
        ",
        expect![[r#"
            alice < create #1 alice
            alice | create #2 alice 0
            alice | create #3 alice []
            alice | create #4 alice ''
            alice | ack "r" #1, #2, #3, #4
        "#]],
    );
}

/// P4.1: a message without data is none.
#[test]
fn data_must_be_there() {
    check(
        "
        alice attach
        ---
        alice raw {\"type\":\"publish\",\"ref\":1,\"messages\":[{\"id\":\"x\"}]}
        alice raw {\"type\":\"publish\",\"ref\":2,\"messages\":[]}
        alice raw {\"type\":\"publish\",\"ref\":3}
        ",
        expect![[r#"
            alice < nack 1 invalid-frame: unable to publish; messages[0]: data is missing
            alice < nack 2 invalid-frame: unable to publish; messages has 0 items, not 1 to 100
            alice < nack 3 invalid-frame: unable to publish; messages is missing
        "#]],
    );
}

/// P1.3: lone surrogates are not text.
#[test]
fn half_of_a_pair_is_refused() {
    check(
        "
        alice attach
        ---
        alice raw {\"type\":\"publish\",\"ref\":1,\"messages\":[{\"data\":\"\\ud83d\"}]}
        alice raw \
        {\"type\":\"publish\",\"ref\":2,\"messages\":[{\"data\":{\"deep\":[\"\\udc00\"]}}]}
        alice publish '👍🏽'
        ",
        expect![[r#"
            alice < nack 1 invalid-frame: unable to publish; messages[0].data: unexpected end
                  of hex escape
            alice < nack 2 invalid-frame: unable to publish; messages[0].data: lone leading
                  surrogate in hex escape
            alice < create #1 alice '👍🏽'
            alice | ack 1 #1
        "#]],
    );
}

/// P2.3: publishing needs `publish`.
#[test]
fn a_viewer_publishes_nothing() {
    check(
        "
        viewer attach
        ---
        viewer publish 'x'
        viewer append #1 'x'
        viewer signal look
        ",
        expect![[r#"
            viewer < nack 1 forbidden: unable to publish; the token lacks the operation publish
                  for session s1, it has read, presence
            viewer < nack 2 not-found: unable to append; there is no message #1
            viewer < nack 3 forbidden: unable to signal; the token lacks the operation publish
                  for session s1, it has read, presence
        "#]],
    );
}

/// P3.3: readers of some names are sent no others, their own neither.
#[test]
fn readers_of_names_get_these_names() {
    check(
        "
        alice attach names=answer,progress
        bob attach
        ---
        alice publish 'a' name=answer and 'b' and 'c' name=progress
        bob publish 'd'
        bob publish 'e' name=answer
        ",
        expect![[r#"
            alice < create #1 alice name=answer 'a'
            alice | create #3 alice name=progress 'c'
            alice | ack 1 #1, #2, #3
            bob < create #1 alice name=answer 'a'
            bob | create #2 alice 'b'
            bob | create #3 alice name=progress 'c'
            bob < create #4 bob 'd'
            bob | ack 1 #4
            alice < create #5 bob name=answer 'e'
            bob < create #5 bob name=answer 'e'
            bob | ack 2 #5
        "#]],
    );
}

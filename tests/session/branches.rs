//! Branches: what follows what, and what stands beside it (P6.9).

use crate::world::check;
use expect_test::expect;

/// P6.9: regenerating: another answer to the same input is a sibling of the first; both are kept,
/// with what belongs to them.
#[test]
fn another_answer() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        agent publish 'thinking' turn=t1 name=reasoning and 'one' turn=t1
        agent end t1 complete
        agent start t2 input=#1 again
        agent publish 'two' turn=t2
        ---
        agent end t2 complete
        alice brief snapshot
        alice brief messages
        alice brief turns all
        ",
        expect![],
    );
}

/// P6.9: editing: another message after the same parent is a sibling of the first, which stays as
/// it is.
#[test]
fn another_question() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'hello'
        agent start t1 input=#1
        agent publish 'hi' turn=t1
        agent end t1 complete
        ---
        alice publish 'what is x?' parent=#3
        agent start t2 input=#5 parent=#5
        alice publish 'what is y?' parent=#3
        agent start t3 input=#7 parent=#7
        agent publish 'x is' turn=t2 and 'y is' turn=t3
        agent end t2 cancelled
        agent end t3 complete
        alice brief snapshot
        ",
        expect![],
    );
}

/// P6.9: turns may follow a message without answering it, and siblings then have that `parent`;
/// messages of a turn may name one too.
#[test]
fn parents_without_inputs() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent publish 'plan' turn=t1
        agent end t1 complete
        ---
        agent start t2 parent=#2
        agent start t3 parent=#2
        agent publish 'a' turn=t2 parent=#2
        agent publish 'b' turn=t3 parent=#6
        alice get turn t3
        ",
        expect![],
    );
}

/// P4.1, P6.9: what is followed exists, is of this session, and is a message; a deleted one still
/// stands where it stood.
#[test]
fn what_is_followed_exists() {
    check(
        "
        agent attach rewind=0
        agent start t1
        agent publish 'a'
        agent delete #2
        ---
        agent publish 'b' parent=#1
        agent publish 'b' parent=#9
        agent publish 'b' parent=nonsense
        agent publish 'b' parent=#2
        agent publish 'c' parent=#4 and 'd' parent=#5
        agent publish 'c' parent=#4 and 'd' parent=#4
        agent publish 'b' parent=bbbb00000001
        ",
        expect![],
    );
}

/// P6.9, P6.8: what followed an answer that was superseded keeps its parent.
#[test]
fn a_superseded_parent() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent publish 'a' turn=t1
        alice publish 'why?' parent=#2
        agent adopt t1
        ---
        agent start t2 input=#3 parent=#2
        alice brief snapshot
        ",
        expect![],
    );
}

/// P6.9: a parent stays what it was through every change of the message.
#[test]
fn a_parent_stays() {
    check(
        "
        alice attach window=0
        alice publish 'a'
        alice publish 'b' streaming parent=#1
        ---
        alice update #2 'bb'
        alice append #2 'c'
        alice raw {\"type\":\"update\",\"ref\":9,\"serial\":\"#2\",\"parent\":\"#2\",\"data\":\"d\"}
        alice brief #2
        alice get #2
        ",
        expect![],
    );
}

/// P3.3, P6.9: a rewind brings the final turns that its messages belong to, before them, each once;
/// open ones are in `attached`.
#[test]
fn turns_of_a_rewind() {
    check(
        "
        agent attach
        alice post publish 'q'
        agent start t1 input=#1
        agent publish 'a' turn=t1
        agent publish 'b' turn=t1
        agent end t1 complete
        agent start t2 input=#1 again
        agent publish 'c' turn=t2
        agent end t2 failed
        agent start t3
        agent publish 'd' turn=t3
        agent start t4
        agent end t4 complete
        ---
        alice attach
        alice turns
        bob attach rewind=2
        bob turns
        carol attach rewind=0
        dave attach names=other
        ",
        expect![],
    );
}

/// P3.3: with those that still stream come their turns, which are open.
#[test]
fn turns_of_streams() {
    check(
        "
        agent attach
        agent start t1
        agent publish 'a' streaming turn=t1
        agent publish 'b'
        agent publish 'c'
        ---
        alice attach rewind=1
        ",
        expect![],
    );
}

/// P3.9, P6.9: a page of history has the turns that its messages belong to, and no others.
#[test]
fn turns_of_a_page() {
    check(
        "
        agent attach
        agent start t1
        agent publish 'a' turn=t1
        agent end t1 complete
        agent start t2
        agent publish 'b' turn=t2
        agent publish 'c'
        agent publish 'd' turn=t2
        agent end t2 complete
        agent start t3
        ---
        eve brief messages limit=1
        eve brief messages limit=2
        eve brief messages limit=1 before=#6
        eve brief messages limit=2 before=#5
        eve brief messages limit=1 after=#0
        eve get messages limit=1 before=#7
        ",
        expect![],
    );
}

/// P11.1, P6.9: the snapshot has the open turns too, and those of its messages only.
#[test]
fn turns_of_a_snapshot() {
    check(
        "
        agent attach
        agent start t1
        agent publish 'a' turn=t1
        agent end t1 complete
        agent start t2
        agent start t3
        agent publish 'b' turn=t3
        agent end t3 complete
        ---
        eve brief snapshot rewind=1
        eve brief snapshot rewind=0
        eve brief snapshot
        ",
        expect![],
    );
}

/// P3.5: whoever resumes has each turn that changed once, as its latest frame, before the
/// messages.
#[test]
fn turns_of_a_resume() {
    check(
        "
        agent attach
        alice attach
        agent start t1
        agent publish 'a' streaming turn=t1
        agent start t2
        agent start t3
        ---
        alice drop
        agent end t2 complete
        agent append #2 'b'
        agent suspend t1
        agent resume t1
        agent start t4
        agent publish 'c' turn=t4
        agent end t4 complete
        agent start t5
        alice attach since
        alice turns
        alice holds
        ",
        expect![],
    );
}

/// P11.2: retention takes messages that were answered; turns go on by what they are, and what is
/// gone is followed no more.
#[test]
fn parents_and_retention() {
    check(
        "
        admin patch {\"retentionMs\":10000}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        agent publish 'a' turn=t1
        wait 1000
        ---
        wait 9000
        alice publish 'follow' parent=#1
        agent start t2 input=#1
        agent publish 'b' turn=t1
        alice brief snapshot
        agent end t1 complete
        wait 10000
        alice brief snapshot
        alice brief turns all
        ",
        expect![],
    );
}

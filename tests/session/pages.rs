//! Pages end by their bytes, those of turns among them (P3.9).

use crate::world::check_with;
use expect_test::expect;
use sessile::protocol::limits::Limits;

fn large() -> Limits {
    Limits {
        turn_bytes: 500_000,
        frame_bytes: 500_000,
        ..Limits::default()
    }
}

/// P3.9: a page of turns ends at 1 MiB, and the next goes on from there.
#[test]
fn a_page_of_turns_ends_by_its_bytes() {
    check_with(
        large(),
        "
        agent attach
        agent floods 400000 start a metadata='…'
        agent floods 400000 start b metadata='…'
        agent floods 400000 start c metadata='…'
        agent end b complete
        ---
        alice get turns all
        alice get turns all before=#2
        alice brief turns
        ",
        expect![[r##"
            alice = 200 {"hasMore":true,"next":"#2","turns":[{"agent":"agent","attempt":1,
                  "createdAt":"+0","id":"c","leaseMs":30000,"leaseUntil":"+30000",
                  "metadata":"xxxxxxxxxxxx…' (400000)","startedAt":"+0","status":"active"},
                  {"agent":"agent","attempt":1,"createdAt":"+0","endedAt":"+0","id":"b",
                  "metadata":"xxxxxxxxxxxx…' (400000)","startedAt":"+0","status":"complete"}]}
            alice = 200 {"hasMore":false,"turns":[{"agent":"agent","attempt":1,"createdAt":"+0",
                  "id":"a","leaseMs":30000,"leaseUntil":"+30000","metadata":"xxxxxxxxxxxx…'
                  (400000)","startedAt":"+0","status":"active"}]}
            alice = 200 turns: a active agent metadata="xxxxxxxxxxxx…' (400000)"; c active
                  agent metadata="xxxxxxxxxxxx…' (400000)"
        "##]],
    );
}

/// P3.9, P6.9: a turn counts on a page of messages, once.
#[test]
fn a_page_of_messages_ends_by_the_bytes_of_its_turns() {
    check_with(
        large(),
        "
        agent attach
        agent floods 400000 start a metadata='…'
        agent floods 400000 start b metadata='…'
        agent floods 400000 start c metadata='…'
        agent publish '1' turn=a and '2' turn=a and '3' turn=b and '4' turn=a and '5' turn=c
        agent end b complete
        ---
        alice brief messages after=#0
        alice brief messages after=#7
        alice brief snapshot
        ",
        expect![[r#"
            alice = 200 turns: a active agent metadata="xxxxxxxxxxxx…' (400000)"; b complete
                  agent metadata="xxxxxxxxxxxx…' (400000)", messages: #4 agent turn=a '1'; #5
                  agent turn=a '2'; #6 agent turn=b '3'; #7 agent turn=a '4', hasMore=true,
                  next=#7
            alice = 200 turns: c active agent metadata="xxxxxxxxxxxx…' (400000)", messages: #8
                  agent turn=c '5'
            alice = 200 turns: a active agent metadata="xxxxxxxxxxxx…' (400000)"; c active
                  agent metadata="xxxxxxxxxxxx…' (400000)", approvals: , calls: , presence: ,
                  messages: #7 agent turn=a '4'; #8 agent turn=c '5'
        "#]],
    );
}

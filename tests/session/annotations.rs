//! Annotations, and what they add up to (P9.3).

use std::fmt::Write;

use expect_test::expect;
use sessile::protocol::limits::{ANNOTATION_NAMES, Limits};

use crate::world::{World, check};

/// P9.3: the three ways to count, live, in history and as withdrawn.
#[test]
fn p9_3_sums() {
    check(
        "
        alice attach rewind=0
        bob attach rewind=0
        agent post publish 'hello'
        ---
        alice annotate #1 like:distinct name=up
        bob annotate #1 like:distinct name=up
        alice annotate #1 like:distinct name=heart
        alice annotate #1 like:distinct name=up
        alice annotate #1 vote:unique name=yes
        bob annotate #1 vote:unique name=yes
        alice annotate #1 vote:unique name=no
        alice annotate #1 cite:multiple {\"page\":1} name=book
        alice annotate #1 cite:multiple name=book count=3
        alice annotate #1 cite:multiple
        bob unannotate #1 like:distinct name=up
        bob unannotate #1 like:distinct name=up
        alice unannotate #1 like:distinct
        bob unannotate #1 vote:unique
        alice get #1
        alice brief messages
        alice get annotations #1
        ",
        expect![[r##"
            alice < summary #1 v#2 like:distinct[up=1(alice:1)]
            alice | ack 1 #1 v#2
            bob < summary #1 v#2 like:distinct[up=1(alice:1)]
            alice < summary #1 v#3 like:distinct[up=2(alice:1 bob:1)]
            bob < summary #1 v#3 like:distinct[up=2(alice:1 bob:1)]
            bob | ack 1 #1 v#3
            alice < summary #1 v#4 like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)]
            alice | ack 2 #1 v#4
            bob < summary #1 v#4 like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)]
            alice < ack 3 #1 v#4 duplicate
            alice < summary #1 v#5 like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)]
                  vote:unique[yes=1(alice:1)]
            alice | ack 4 #1 v#5
            bob < summary #1 v#5 like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)]
                  vote:unique[yes=1(alice:1)]
            alice < summary #1 v#6 like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)]
                  vote:unique[yes=2(alice:1 bob:1)]
            bob < summary #1 v#6 like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)]
                  vote:unique[yes=2(alice:1 bob:1)]
            bob | ack 2 #1 v#6
            alice < summary #1 v#7 like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)]
                  vote:unique[no=1(alice:1) yes=1(bob:1)]
            alice | ack 5 #1 v#7
            bob < summary #1 v#7 like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)]
                  vote:unique[no=1(alice:1) yes=1(bob:1)]
            alice < summary #1 v#8 cite:multiple[book=1(alice:1)]
                  like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)] vote:unique[no=1(alice:1)
                  yes=1(bob:1)]
            alice | ack 6 #1 v#8
            bob < summary #1 v#8 cite:multiple[book=1(alice:1)] like:distinct[heart=1(alice:1)
                  up=2(alice:1 bob:1)] vote:unique[no=1(alice:1) yes=1(bob:1)]
            alice < summary #1 v#9 cite:multiple[book=4(alice:4)]
                  like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)] vote:unique[no=1(alice:1)
                  yes=1(bob:1)]
            alice | ack 7 #1 v#9
            bob < summary #1 v#9 cite:multiple[book=4(alice:4)] like:distinct[heart=1(alice:1)
                  up=2(alice:1 bob:1)] vote:unique[no=1(alice:1) yes=1(bob:1)]
            alice < summary #1 v#10 cite:multiple[=1(alice:1) book=4(alice:4)]
                  like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)] vote:unique[no=1(alice:1)
                  yes=1(bob:1)]
            alice | ack 8 #1 v#10
            bob < summary #1 v#10 cite:multiple[=1(alice:1) book=4(alice:4)]
                  like:distinct[heart=1(alice:1) up=2(alice:1 bob:1)] vote:unique[no=1(alice:1)
                  yes=1(bob:1)]
            alice < summary #1 v#11 cite:multiple[=1(alice:1) book=4(alice:4)]
                  like:distinct[heart=1(alice:1) up=1(alice:1)] vote:unique[no=1(alice:1)
                  yes=1(bob:1)]
            bob < summary #1 v#11 cite:multiple[=1(alice:1) book=4(alice:4)]
                  like:distinct[heart=1(alice:1) up=1(alice:1)] vote:unique[no=1(alice:1)
                  yes=1(bob:1)]
            bob | ack 3 #1 v#11
            bob < ack 4 #1 v#11 duplicate
            alice < summary #1 v#12 cite:multiple[=1(alice:1) book=4(alice:4)]
                  vote:unique[no=1(alice:1) yes=1(bob:1)]
            alice | ack 9 #1 v#12
            bob < summary #1 v#12 cite:multiple[=1(alice:1) book=4(alice:4)]
                  vote:unique[no=1(alice:1) yes=1(bob:1)]
            alice < summary #1 v#13 cite:multiple[=1(alice:1) book=4(alice:4)]
                  vote:unique[no=1(alice:1)]
            bob < summary #1 v#13 cite:multiple[=1(alice:1) book=4(alice:4)]
                  vote:unique[no=1(alice:1)]
            bob | ack 5 #1 v#13
            alice = 200 {"message":{"annotations":{"cite:multiple":{"":{"clients":{"alice":1},
                  "total":1},"book":{"clients":{"alice":4},"total":4}},
                  "vote:unique":{"no":{"clients":{"alice":1},"total":1}}},"client":"agent",
                  "createdAt":"+0","data":"hello","name":"message","role":"user","serial":"#1",
                  "updatedAt":"+0","version":"#1"}}
            alice = 200 messages: #1 agent 'hello' cite:multiple[=1(alice:1) book=4(alice:4)]
                  vote:unique[no=1(alice:1)]
            alice = 200 {"annotations":[{"at":"+0","client":"alice","count":1,
                  "kind":"cite:multiple","name":"","serial":"#10"},{"at":"+0","client":"alice",
                  "count":1,"data":{"page":1},"kind":"cite:multiple","name":"book",
                  "serial":"#8"},{"at":"+0","client":"alice","count":3,"kind":"cite:multiple",
                  "name":"book","serial":"#9"},{"at":"+0","client":"alice","count":1,
                  "kind":"vote:unique","name":"no","serial":"#7"}],"hasMore":false}
        "##]],
    );
}

/// P9.3: kinds, names and counts that are none; who may; what is not there.
#[test]
fn p9_3_what_is_refused() {
    check(
        "
        alice attach rewind=0
        viewer attach rewind=0
        alice publish 'a'
        alice publish 'b'
        alice delete #2
        ---
        alice annotate #1 like
        alice annotate #1 :unique
        alice annotate #1 like:most
        alice annotate #1 like:distinct count=2
        alice annotate #1 like:multiple count=0
        alice annotate #1 like:multiple count=9007199254740991
        alice annotate #1 like:multiple
        alice annotate #1 like:multiple count=2
        alice annotate #2 like:unique
        alice unannotate #2 like:unique
        alice annotate #9 like:unique
        alice floods 5000 annotate #1 like:unique '…'
        viewer annotate #1 like:unique
        alice get #1
        ",
        expect![[r##"
            alice < nack 4 invalid-frame: unable to annotate; kind: it is not TOPIC:METHOD,
                  whose method is distinct, unique or multiple
            alice < nack 5 invalid-frame: unable to annotate; kind: it is not TOPIC:METHOD,
                  whose method is distinct, unique or multiple
            alice < nack 6 invalid-frame: unable to annotate; kind: it is not TOPIC:METHOD,
                  whose method is distinct, unique or multiple
            alice < nack 7 invalid-frame: unable to annotate; count: only a kind of multiple
                  takes one
            alice < nack 8 invalid-frame: unable to annotate; count: it is 0, the first is 1
            alice < summary #1 v#4 like:multiple[=9007199254740991(alice:9007199254740991)]
            alice | ack 9 #1 v#4
            viewer < summary #1 v#4 like:multiple[=9007199254740991(alice:9007199254740991)]
            alice < summary #1 v#5 like:multiple[=9007199254740992(alice:9007199254740992)]
            alice | ack 10 #1 v#5
            viewer < summary #1 v#5 like:multiple[=9007199254740992(alice:9007199254740992)]
            alice < nack 11 over-limit: unable to annotate; the message would have more than
                  2^53 of that name
            alice < nack 12 deleted: unable to annotate; message #2 was deleted
            alice < nack 13 deleted: unable to take the annotation back; message #2 was deleted
            alice < nack 14 not-found: unable to annotate; there is no message #9
            alice < nack 15 too-large: unable to annotate; data has 5000 bytes of UTF-8, the
                  limit is 4096
            viewer < nack 1 forbidden: unable to annotate; the token lacks the operation
                  annotate for session s1, it has read, presence
            alice = 200
                  {"message":{"annotations":{"like:multiple":{"":{"clients":{"alice":"+900539925
                  4740992"},"total":"+9005399254740992"}}},"client":"alice",
                  "connection":"alice-1","createdAt":"+0","data":"a","name":"message",
                  "role":"user","serial":"#1","updatedAt":"+0","version":"#1"}}
        "##]],
    );
}

/// P3.5: one frame for each message: its sums if nothing else changed, else the whole of it.
#[test]
fn p9_3_what_was_missed() {
    check(
        "
        alice attach rewind=0
        bob attach rewind=0 names=message
        agent post publish 'old'
        agent attach rewind=0
        agent publish 'stre' streaming
        agent publish 'other' name=other
        bob drop
        alice annotate #1 like:distinct
        alice annotate #2 like:distinct
        alice annotate #3 like:distinct
        ---
        bob attach since names=message
        bob drop
        alice annotate #1 like:distinct name=x id=i1
        alice annotate #1 like:distinct name=x id=i1
        agent append #2 'am' complete
        alice annotate #2 like:distinct name=x
        agent update #1 'older' if=#1
        alice publish 'new'
        alice annotate #11 like:distinct
        evict
        bob attach since names=message
        carol attach
        alice annotate #1 like:distinct name=x id=i1
        alice annotate #2 like:distinct name=x id=i1
        ",
        expect![[r#"
            bob < attached #6 resumed, has older
            bob < summary #1 v#4 like:distinct[=1(alice:1)]
            bob | summary #2 v#5 like:distinct[=1(alice:1)]
            bob < caught-up #6
            agent < summary #1 v#7 like:distinct[=1(alice:1) x=1(alice:1)]
            alice < summary #1 v#7 like:distinct[=1(alice:1) x=1(alice:1)]
            alice | ack 4 #1 v#7
            alice < ack 5 #1 v#7 duplicate
            agent < ack 4 #2 v#8
            alice < append #2 v#8 @4 'am' complete
            agent < summary #2 v#9 like:distinct[=1(alice:1) x=1(alice:1)]
            alice < summary #2 v#9 like:distinct[=1(alice:1) x=1(alice:1)]
            alice | ack 6 #2 v#9
            agent < update #1 v#10 agent 'older' like:distinct[=1(alice:1) x=1(alice:1)]
            agent | ack 5 #1 v#10
            alice < update #1 v#10 agent 'older' like:distinct[=1(alice:1) x=1(alice:1)]
            agent < create #11 alice 'new'
            alice < create #11 alice 'new'
            alice | ack 7 #11
            agent < summary #11 v#12 like:distinct[=1(alice:1)]
            alice < summary #11 v#12 like:distinct[=1(alice:1)]
            alice | ack 8 #11 v#12
            bob < attached #12 resumed, has older
            bob < update #1 v#10 agent 'older' like:distinct[=1(alice:1) x=1(alice:1)]
            bob | update #2 v#8 agent 'stream' like:distinct[=1(alice:1) x=1(alice:1)] complete
            bob | create #11 alice 'new' like:distinct[=1(alice:1)]
            bob < caught-up #12
            carol < attached #12 anew
            carol < create #1 v#10 agent 'older' like:distinct[=1(alice:1) x=1(alice:1)]
            carol | create #2 v#8 agent 'stream' like:distinct[=1(alice:1) x=1(alice:1)]
                  complete
            carol | create #3 agent name=other 'other' like:distinct[=1(alice:1)]
            carol | create #11 alice 'new' like:distinct[=1(alice:1)]
            carol < caught-up #12
            alice < ack 9 #1 v#7 duplicate
            alice < nack 10 conflict: unable to annotate; id i1 was used for something else
        "#]],
    );
}

/// P9.3: annotations go with their message, by deletion and by retention.
#[test]
fn p9_3_annotations_go_with_their_message() {
    let mut world = World::new(Limits::default());
    world.run(
        "
        admin patch {\"retentionMs\":60000}
        alice post publish 'a'
        alice post publish 'b'
        alice post annotate #1 like:multiple
        alice post annotate #1 like:multiple
        alice post annotate #2 like:multiple
        alice post delete #1
        ",
    );
    let rows = |world: &World, table: &str| world.host.disk.0.count(table);
    assert_eq!(
        (rows(&world, "annotation"), rows(&world, "summary")),
        (1, 1)
    );
    world.run("wait 200000");
    assert_eq!(
        (rows(&world, "annotation"), rows(&world, "summary")),
        (0, 0)
    );
    assert_eq!(rows(&world, "message"), 0);
}

/// P9.3, P14: very many annotations of a message cost the same each, and their sum is exact.
#[test]
fn p9_3_very_many() {
    let mut world = World::new(Limits::default());
    world.run("alice post publish 'a'\nzoe attach rewind=0");
    let mut reads = Vec::new();
    for round in 0..3 {
        let written = world.host.disk.0.rows_written();
        let read = world.host.disk.0.steps();
        for client in 0..300 {
            let client = round * 300 + client;
            world.run(&format!(
                "c{client} post annotate #1 like:distinct name=up\nwait 1"
            ));
        }
        let rows = world.host.disk.0.rows_written() - written;
        assert!(rows <= 3 * 300 + 20, "{rows} rows for 300 annotations");
        reads.push(world.host.disk.0.steps() - read);
    }
    assert!(reads[2] < reads[1] + reads[1] / 20, "{reads:?}");
    world.run("c7 post unannotate #1 like:distinct\nc899 post unannotate #1 like:distinct");
    world.run("evict\nc899 post annotate #1 like:distinct name=up");
    world.output.clear();
    world.run("c1 attach rewind=1\nc1 get annotations #1 limit=2");
    expect![[r##"
        c1 < attached #904 anew
        c1 < create #1 alice 'a' like:distinct[up=899(100…)]
        c1 < caught-up #904
        c1 = 200 {"annotations":[{"at":"+0","client":"c0","count":1,"kind":"like:distinct",
              "name":"up","serial":"#2"},{"at":"+1","client":"c1","count":1,
              "kind":"like:distinct","name":"up","serial":"#3"}],"hasMore":true,
              "next":"[\"like:distinct\",\"up\",\"c1\",3]"}
    "##]]
    .assert_eq(&world.output);
    let mut script = String::new();
    for name in 1..=ANNOTATION_NAMES {
        let _ = writeln!(script, "zoe annotate #1 like:distinct name=n{name}");
    }
    world.run(&script);
    assert!(world.output.contains("bytes of sums"), "{}", world.output);
}

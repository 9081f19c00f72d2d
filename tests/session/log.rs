//! The log as a record (P11.4).

use expect_test::expect;

use crate::world::check;

/// P11.4: who did what and when, in the order of the log; the appends of a message with it.
#[test]
fn p11_4_every_entry_has_its_author_and_its_time() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        supervisor attach rewind=0
        alice publish 'where am I?' id=q
        agent start t1 input=#1
        agent publish '' role=assistant turn=t1 streaming
        agent append #3 'You are' seq=1
        wait 100
        agent append #3 ' in Oslo' seq=2
        wait 100
        alice state set city 'Oslo'
        agent append #3 '.' seq=3 complete
        agent call c1 turn=t1 input={}
        wait 100
        alice claim c1
        alice settle c1 {\"lat\":60}
        agent ask a1 turn=t1 grant=g
        alice decide a1 approve scope=session
        alice revoke g
        alice annotate #1 like:distinct name=up
        alice steer t1 'hurry'
        alice update #1 'where are we?'
        alice delete #1
        agent suspend t1
        alice cancel turn=t1
        supervisor lead.take note='let me'
        supervisor lead.return
        agent end t1 cancelled
        ---
        admin get log
        ",
        expect![[r##"
            admin = 200 {"entries":[{"at":"+0","bytes":0,"client":"alice","deletedAt":"+300",
                  "id":"q","name":"message","role":"user","serial":"#1","type":"message.create",
                  "updatedAt":"+300","version":"#17"},{"at":"+0","client":"agent","serial":"#2",
                  "turn":"t1","type":"turn.start"},{"at":"+0","bytes":16,"client":"agent",
                  "name":"message","role":"assistant","seq":3,"serial":"#3","status":"complete",
                  "turn":"t1","type":"message.create","updatedAt":"+200","version":"#7"},
                  {"at":"+200","bytes":45,"client":"alice","serial":"#6","type":"state.change"},
                  {"at":"+200","client":"agent","message":"#3","serial":"#7",
                  "type":"message.close"},{"at":"+200","call":"c1","client":"agent",
                  "serial":"#8","turn":"t1","type":"tool.call"},{"at":"+300","call":"c1",
                  "client":"alice","serial":"#9","type":"tool.claim"},{"at":"+300","call":"c1",
                  "client":"alice","serial":"#10","type":"tool.result"},{"approval":"a1",
                  "at":"+300","client":"agent","serial":"#11","turn":"t1",
                  "type":"approval.request"},{"approval":"a1","at":"+300","client":"alice",
                  "serial":"#12","type":"approval.decide"},{"at":"+300","client":"alice",
                  "serial":"#13","type":"grant.revoke"},{"at":"+300","client":"alice",
                  "message":"#1","serial":"#14","type":"message.summary"},{"at":"+300",
                  "bytes":5,"client":"alice","name":"steer","role":"user","serial":"#15",
                  "turn":"t1","type":"message.create","updatedAt":"+300","version":"#20"},
                  {"at":"+300","client":"alice","message":"#1","serial":"#16",
                  "type":"message.update"},{"at":"+300","client":"alice","message":"#1",
                  "serial":"#17","type":"message.delete"},{"at":"+300","client":"agent",
                  "serial":"#18","turn":"t1","type":"turn.suspend"},{"at":"+300",
                  "client":"alice","serial":"#19","turn":"t1","type":"turn.cancel"},
                  {"at":"+300","message":"#15","serial":"#20","type":"message.update"},
                  {"at":"+300","client":"alice","serial":"#21","turn":"t1","type":"turn.end"},
                  {"at":"+300","client":"supervisor","serial":"#22","type":"lead.take"},
                  {"at":"+300","client":"supervisor","serial":"#23","type":"lead.return"}],
                  "hasMore":false}
        "##]],
    );
}

/// P11.4: pages end where they are told to, and begin after a serial.
#[test]
fn p11_4_the_log_is_read_in_pages() {
    check(
        "
        alice attach rewind=0
        agent attach rewind=0
        admin get log
        alice publish '1'
        agent ask a1
        agent start t1
        agent ask a2
        alice decide a1 approve
        ---
        admin get log limit=2
        admin get log limit=2 after=#2
        admin get log limit=1 after=#4
        admin get log after=#5
        admin get log after=nowhere
        alice get log
        ",
        expect![[r##"
            admin = 200 {"entries":[{"at":"+0","bytes":1,"client":"alice","name":"message",
                  "role":"user","serial":"#1","type":"message.create"},{"approval":"a1",
                  "at":"+0","client":"agent","serial":"#2","type":"approval.request"}],
                  "hasMore":true,"next":"#2"}
            admin = 200 {"entries":[{"at":"+0","client":"agent","serial":"#3","turn":"t1",
                  "type":"turn.start"},{"approval":"a2","at":"+0","client":"agent",
                  "serial":"#4","type":"approval.request"}],"hasMore":true,"next":"#4"}
            admin = 200 {"entries":[{"approval":"a1","at":"+0","client":"alice","serial":"#5",
                  "type":"approval.decide"}],"hasMore":false}
            admin = 200 {"entries":[],"hasMore":false}
            admin = 404 {"error":{"code":"not-found","message":"unable to read; after
                  \"nowhere\" is no serial of this session","status":404}}
            alice = 403 {"error":{"code":"forbidden","message":"unable to read; the token lacks
                  the operation admin for session s1, it has read, publish, presence, cancel,
                  steer, approve, state, annotate, push","status":403}}
        "##]],
    );
}

/// P11.2, P11.4: the record has what retention left, and the tombstones of what was deleted; a
/// page says that something before it is gone.
#[test]
fn p11_4_what_is_gone_is_no_entry() {
    check(
        "
        admin patch {\"retentionMs\":60000}
        alice attach rewind=0
        agent attach rewind=0
        alice publish '1'
        agent start t1
        agent publish '2' turn=t1
        agent end t1 complete
        wait 50000
        alice publish '3'
        alice delete #5
        ---
        wait 80000
        admin get log
        admin get log after=#4
        admin get log after=#5
        ",
        expect![[r##"
            -- 60000 ms
            agent < trim before #4
            alice < trim before #4
            -- 120000 ms
            agent < trim before #6
            alice < trim before #6
            -- 130000 ms
            admin = 200 {"entries":[{"at":"+50000","client":"alice","message":"#5",
                  "serial":"#6","type":"message.delete"}],"hasMore":false,"trimmed":"#6"}
            admin = 200 {"entries":[{"at":"+50000","client":"alice","message":"#5",
                  "serial":"#6","type":"message.delete"}],"hasMore":false,"trimmed":"#6"}
            admin = 200 {"entries":[{"at":"+50000","client":"alice","message":"#5",
                  "serial":"#6","type":"message.delete"}],"hasMore":false}
        "##]],
    );
}

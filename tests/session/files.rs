//! Files: their rows, and the debts that they leave behind (P11.7).

use expect_test::expect;

use sessile::protocol::limits::Limits;

use crate::world::{check, check_after, check_with};

/// P11.7: a row before the first byte, and the file once it is whole; by its `id` it comes once.
#[test]
fn p11_7_a_file_arrives_once() {
    check(
        "
        agent upload f1 bytes=20 id=u1
        alice get file f1
        agent arrived f1 bytes=12
        alice get file f1
        evict
        agent upload f2 id=u1
        alice get file f1
        alice get file f3
        alice arrived f1 bytes=1
        ",
        expect![[r#"
            agent = 200 {"asker":"agent","file":{"bytes":20,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  file \"f1\"","status":404}}
            agent = 200 {"asker":"agent","file":{"bytes":12,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            alice = 200 {"asker":"alice","file":{"bytes":12,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            agent = 200 {"asker":"agent","duplicate":true,"file":{"bytes":12,"client":"agent",
                  "createdAt":"+0","id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            alice = 200 {"asker":"alice","file":{"bytes":12,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  file \"f3\"","status":404}}
            alice = 404 {"error":{"code":"not-found","message":"unable to upload; there is no
                  file \"f1\"","status":404}}
        "#]],
    );
}

/// P11.7: an upload that breaks off owes its object, at once where that is known, by the clock
/// where its Worker died, and when it is sent again.
#[test]
fn p11_7_an_upload_that_breaks_off_leaves_nothing() {
    check(
        "
        hook always answers 204
        agent upload f1
        agent arrived f1
        agent upload f2
        evict
        wait 930000
        agent arrived f2 bytes=10
        agent upload f3 id=u1
        agent upload f4 id=u1
        agent arrived f3 bytes=10
        agent arrived f4 bytes=10
        wait 1000000
        alice get file f4
        ",
        expect![[r#"
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            agent = 200 {}
            !1 > delete ["s1/b2cy-1800000000000/f1"]
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f2","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f2"}
            -- 930000 ms
            !2 > delete ["s1/b2cy-1800000000000/f2"]
            agent = 404 {"error":{"code":"not-found","message":"unable to upload; there is no
                  file \"f2\"","status":404}}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent",
                  "createdAt":"+930000","id":"f3","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f3"}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent",
                  "createdAt":"+930000","id":"f4","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f4"}
            agent = 404 {"error":{"code":"not-found","message":"unable to upload; there is no
                  file \"f3\"","status":404}}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent",
                  "createdAt":"+930000","id":"f4","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f4"}
            -- 1860000 ms
            !3 > delete s1/b2cy-1800000000000/f3
            -- 1930000 ms
            alice = 200 {"asker":"alice","file":{"bytes":10,"client":"agent",
                  "createdAt":"+930000","id":"f4","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f4"}
        "#]],
    );
}

/// P11.7: a deleted session owes all its objects, and a second look at those that still arrived.
#[test]
fn p11_7_files_go_with_their_session() {
    check(
        "
        agent upload f1
        agent arrived f1 bytes=10
        agent upload f2
        admin erase
        agent arrived f2 bytes=10
        hook !1 fails
        evict
        wait 100000
        hook !1 answers 204
        wait 900000
        hook !2 answers 204
        agent upload f3
        ",
        expect![[r#"
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f2","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f2"}
            admin = 200 {}
            !1 > delete s1/b2cy-1800000000000/
            agent = 404 {"error":{"code":"not-found","message":"unable to upload; there is no
                  file \"f2\"","status":404}}
            -- 696 ms
            !1 > s1/b2cy-1800000000000/
            -- 15696 ms
            !1 > s1/b2cy-1800000000000/
            -- 30696 ms
            !1 > s1/b2cy-1800000000000/
            -- 45696 ms
            !1 > s1/b2cy-1800000000000/
            -- 60696 ms
            !1 > s1/b2cy-1800000000000/
            -- 75696 ms
            !1 > s1/b2cy-1800000000000/
            -- 90696 ms
            !1 > s1/b2cy-1800000000000/
            -- 930000 ms
            !2 > delete s1/b2cy-1800000000000/
            -- 945000 ms
            !2 > s1/b2cy-1800000000000/
            -- 960000 ms
            !2 > s1/b2cy-1800000000000/
            -- 975000 ms
            !2 > s1/b2cy-1800000000000/
            -- 990000 ms
            !2 > s1/b2cy-1800000000000/
            -- 1000000 ms
            erased
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent",
                  "createdAt":"+1000000","id":"f3","name":"a.txt","type":"text/plain"},
                  "key":"s1/x60v-1800001000000/f3"}
        "#]],
    );
}

/// P11.7: files older than `retentionMs` go, those that arrive do not.
#[test]
fn p11_7_retention_deletes_files() {
    check_after(
        "
        agent upload f1
        agent arrived f1 bytes=10",
        r#"
        hook always answers 204
        wait 5000
        agent upload f2
        admin patch {"retentionMs":10000}
        evict
        wait 6000
        alice get file f1
        wait 60000
        agent arrived f2 bytes=10
        wait 1000
        alice get file f2
        "#,
        expect![[r#"
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            -- 5000 ms
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent",
                  "createdAt":"+5000","id":"f2","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f2"}
            admin = 200 {"settings":{"retentionMs":10000}}
            -- 10000 ms
            !1 > delete ["s1/b2cy-1800000000000/f1"]
            -- 11000 ms
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  file \"f1\"","status":404}}
            -- 71000 ms
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent",
                  "createdAt":"+5000","id":"f2","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f2"}
            !2 > delete ["s1/b2cy-1800000000000/f2"]
            -- 72000 ms
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  file \"f2\"","status":404}}
        "#]],
    );
}

/// P11.7, P14: files are bounded by their number and their bytes, and those on their way too.
#[test]
fn p11_7_files_are_bounded() {
    let limits = Limits {
        files: 2,
        files_bytes: 30,
        ..Limits::default()
    };
    check_with(
        limits,
        "
        agent upload f1 bytes=20
        agent upload f2 bytes=11
        agent arrived f1 bytes=10
        agent upload f2 bytes=11
        agent upload f3 bytes=1
        ",
        expect![[r#"
            agent = 200 {"asker":"agent","file":{"bytes":20,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            agent = 429 {"error":{"code":"over-limit","message":"unable to upload; its files
                  would have more than 30 bytes","status":429}}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            agent = 200 {"asker":"agent","file":{"bytes":11,"client":"agent","createdAt":"+0",
                  "id":"f2","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f2"}
            agent = 429 {"error":{"code":"over-limit","message":"unable to upload; the session
                  has 2 files","status":429}}
        "#]],
    );
}

/// P11.7: a file is deleted by its uploader or an administrator; one on its way owes its object for
/// when it can come no more.
#[test]
fn p11_7_a_file_is_deleted_by_those_who_may() {
    check(
        "
        hook always answers 204
        agent upload f1
        agent arrived f1 bytes=10
        agent upload f2
        agent upload f3
        agent arrived f3 bytes=10
        alice remove f1
        agent remove f1
        agent remove f1
        alice get file f1
        agent remove f2
        agent arrived f2 bytes=10
        admin remove f3
        evict
        wait 930000
        ",
        expect![[r#"
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f1","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f1"}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f2","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f2"}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f3","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f3"}
            agent = 200 {"asker":"agent","file":{"bytes":10,"client":"agent","createdAt":"+0",
                  "id":"f3","name":"a.txt","type":"text/plain"},
                  "key":"s1/b2cy-1800000000000/f3"}
            alice = 403 {"error":{"code":"forbidden","message":"unable to delete the file; the
                  token lacks the operation admin for session s1, it has read, publish,
                  presence, cancel, steer, approve, state, annotate, push","status":403}}
            agent = 200 {}
            !1 > delete ["s1/b2cy-1800000000000/f1"]
            agent = 404 {"error":{"code":"not-found","message":"unable to delete the file;
                  there is no file \"f1\"","status":404}}
            alice = 404 {"error":{"code":"not-found","message":"unable to read; there is no
                  file \"f1\"","status":404}}
            agent = 200 {}
            agent = 404 {"error":{"code":"not-found","message":"unable to upload; there is no
                  file \"f2\"","status":404}}
            admin = 200 {}
            !2 > delete ["s1/b2cy-1800000000000/f3"]
            -- 930000 ms
            !3 > delete s1/b2cy-1800000000000/f2
        "#]],
    );
}

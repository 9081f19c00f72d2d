//! Hooks hear of a session's events (P10.4).

use expect_test::expect;

use crate::world::check;

/// P10.4: the session's beginning first, whatever it begins with; each event in the step of its
/// cause, with ids and nothing else.
#[test]
fn p10_4_hooks_hear_of_events() {
    check(
        "
        deployment all=https://a.example/
        agent attach
        supervisor attach rewind=0
        ---
        agent ask a1
        hook !1 answers 204
        hook !2 answers 204
        supervisor decide a1 approve
        hook !3 answers 204
        agent start t1
        agent ask a2 turn=t1
        hook !4 answers 204
        supervisor lead.take
        hook !5 answers 204
        supervisor lead.return
        hook !6 answers 204
        agent end t1 complete
        hook !7 answers 204
        hook !8 answers 204
        admin erase
        ",
        expect![[r##"
            agent < approval.request #1 a1 pending [+0 request agent]
            agent | ack 1 a1 pending [+0 request agent]
            supervisor < approval.request #1 a1 pending [+0 request agent]
            !1 > https://a.example/ {"at":"+0","serial":"#1","session":"s1",
                  "type":"session.start"}
            !2 > https://a.example/ {"approval":"a1","at":"+0","serial":"#1","session":"s1",
                  "type":"approval.request"}
            agent < approval.decide #2 a1 approved decidedBy=supervisor [+0 request agent, +0
                  decide supervisor]
            supervisor < approval.decide #2 a1 approved decidedBy=supervisor [+0 request agent,
                  +0 decide supervisor]
            supervisor | ack 1 a1 approved decidedBy=supervisor [+0 request agent, +0 decide
                  supervisor]
            !3 > https://a.example/ {"approval":"a1","at":"+0","serial":"#2","session":"s1",
                  "type":"approval.settle"}
            agent < turn.start #3 t1 active agent
            agent | ack 2 t1 active agent
            supervisor < turn.start #3 t1 active agent
            agent < approval.request #4 a2 pending turn=t1 [+0 request agent]
            agent | turn.suspend #4 t1 suspended agent reason=approval
            agent | ack 3 a2 pending turn=t1 [+0 request agent]
            supervisor < approval.request #4 a2 pending turn=t1 [+0 request agent]
            supervisor | turn.suspend #4 t1 suspended agent reason=approval
            !4 > https://a.example/ {"approval":"a2","at":"+0","serial":"#4","session":"s1",
                  "turn":"t1","type":"approval.request"}
            agent < {"lead":{"client":"supervisor","since":"+0"},"serial":"#5",
                  "type":"lead.take"}
            supervisor < {"lead":{"client":"supervisor","since":"+0"},"serial":"#5",
                  "type":"lead.take"}
            supervisor | ack 2 {"lead":{"client":"supervisor","since":"+0"}}
            !5 > https://a.example/ {"at":"+0","lead":"supervisor","serial":"#5","session":"s1",
                  "type":"lead.change"}
            agent < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#6","type":"lead.return","wake":"last"}
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#6","type":"lead.return","wake":"last"}
            supervisor | ack 3 {"lead":null}
            !6 > https://a.example/ {"at":"+0","serial":"#6","session":"s1",
                  "type":"lead.change"}
            agent < approval.withdraw #7 a2 withdrawn turn=t1 [+0 request agent, +0 withdraw]
            agent | turn.end #8 t1 complete agent
            agent | ack 4 t1 complete agent
            supervisor < approval.withdraw #7 a2 withdrawn turn=t1 [+0 request agent, +0
                  withdraw]
            supervisor | turn.end #8 t1 complete agent
            !7 > https://a.example/ {"approval":"a2","at":"+0","serial":"#7","session":"s1",
                  "turn":"t1","type":"approval.settle"}
            !8 > https://a.example/ {"at":"+0","serial":"#8","session":"s1","turn":"t1",
                  "type":"turn.end"}
            agent x 4410 the session was deleted
            supervisor x 4410 the session was deleted
            admin = 200 {}
            !9 > https://a.example/ {"at":"+0","serial":"#8","session":"s1",
                  "type":"session.delete"}
        "##]],
    );
}

/// P10.4: an agent that is lost, and the end if nobody takes over.
#[test]
fn p10_4_hooks_hear_that_an_agent_is_lost() {
    check(
        "
        deployment all=https://a.example/
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"},\"maxAttempts\":2}
        hook !1 answers 204
        agent attach
        agent start t1 lease=1000
        agent drop
        ---
        wait 10000
        hook !2 answers 204
        agent attach rewind=0
        agent start t1 lease=1000
        agent drop
        wait 10000
        hook !4 answers 204
        ",
        expect![[r##"
            -- 1000 ms
            !2 > https://a.example/ {"at":"+1000","serial":"#2","session":"s1","turn":"t1",
                  "type":"turn.lost"}
            !3 > https://bot.example/ {"at":"+1000","attempt":2,"session":"s1","turn":"t1",
                  "type":"input"}
            -- 10000 ms
            agent < attached #2 anew, turns: t1 queued attempt=2
            agent < caught-up #2
            agent < turn.start #3 t1 active agent attempt=2
            agent | ack 2 t1 active agent attempt=2
            -- 11000 ms
            !4 > https://a.example/ {"at":"+11000","serial":"#3","session":"s1","turn":"t1",
                  "type":"turn.lost"}
            -- 20000 ms
            !5 > https://a.example/ {"at":"+11000","serial":"#4","session":"s1","turn":"t1",
                  "type":"turn.end"}
        "##]],
    );
}

/// P10.4: a request that a grant settles asks nobody.
#[test]
fn p10_4_hooks_hear_of_a_grant_as_of_a_settlement() {
    check(
        "
        deployment all=https://a.example/
        agent attach
        alice attach rewind=0
        agent ask a1 grant=k
        alice decide a1 approve scope=session
        hook !1 answers 204
        hook !2 answers 204
        hook !3 answers 204
        ---
        agent ask a2 grant=k
        ",
        expect![[r##"
            agent < approval.request #3 a2 approved decidedBy=alice grant=k [+0 request agent,
                  +0 decide alice by a1]
            agent | ack 2 a2 approved decidedBy=alice grant=k [+0 request agent, +0 decide
                  alice by a1]
            alice < approval.request #3 a2 approved decidedBy=alice grant=k [+0 request agent,
                  +0 decide alice by a1]
            !4 > https://a.example/ {"approval":"a2","at":"+0","serial":"#3","session":"s1",
                  "type":"approval.settle"}
        "##]],
    );
}

/// P10.4: nothing is stored for events that no hook hears.
#[test]
fn p10_4_events_that_nobody_hears_cost_nothing() {
    check(
        "
        agent attach
        alice attach rewind=0
        agent ask a1
        alice decide a1 approve
        rows
        agent ask a2
        alice decide a2 approve
        rows
        deployment https://deletions.example/
        ---
        rows
        agent ask a3
        alice decide a3 approve
        rows
        ",
        expect![[r#"
            rows: 0
            agent < approval.request #5 a3 pending [+0 request agent]
            agent | ack 3 a3 pending [+0 request agent]
            alice < approval.request #5 a3 pending [+0 request agent]
            agent < approval.decide #6 a3 approved decidedBy=alice [+0 request agent, +0 decide
                  alice]
            alice < approval.decide #6 a3 approved decidedBy=alice [+0 request agent, +0 decide
                  alice]
            alice | ack 3 a3 approved decidedBy=alice [+0 request agent, +0 decide alice]
            rows: 3
        "#]],
    );
}

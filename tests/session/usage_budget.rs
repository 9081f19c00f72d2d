//! A budget: once a sum is beyond it, everything stops until it is raised (P6.12).

use expect_test::expect;

use crate::world::check;

/// P6.12: the report that spends the budget cancels every open turn in one step, and no turn
/// begins until the budget is raised; what was said stays.
#[test]
fn a_spent_budget_stops_everything() {
    check(
        "
        admin patch {\"budget\":{\"tokens\":10},\"onInput\":\"queue\"}
        agent attach rewind=0 window=0
        alice attach rewind=0 window=0
        alice publish 'q'
        agent start t1 input=#1
        agent start t2
        agent start t3
        agent suspend t3
        alice publish 'later'
        agent publish 'so far' turn=t1 role=assistant streaming
        agent publish 'so good' turn=t2 role=assistant streaming
        agent usage t1 usage={\"tokens\":10}
        agent append #8 ' and on'
        ---
        agent usage t2 usage={\"tokens\":1}
        agent usage t2 usage={\"tokens\":1}
        agent start t4
        agent start t4 input=#6
        alice publish 'anybody?'
        wait 5000
        alice holds
        bob attach rewind=0
        alice brief snapshot rewind=0
        evict
        agent start t4
        admin patch {\"budget\":{\"tokens\":100}}
        agent start t4
        admin patch {\"budget\":null}
        ",
        expect![[r#"
            agent < turn.usage #12 t2 active agent used={"tokens":1}
            agent | usage {"tokens":11} over {"limit":10,"name":"tokens","used":11}
            agent | turn.cancel #13 t1 active agent input=#1 cancel=agent 'budget'
                  used={"tokens":10}
            agent | turn.cancel #14 t2 active agent cancel=agent 'budget' used={"tokens":1}
            agent | turn.cancel #15 t3 suspended agent cancel=agent 'budget'
            agent | turn.end #16 t3 cancelled agent cancel=agent 'budget'
            agent | turn.cancel #17 turn-#7 queued input=#6 cancel=agent 'budget'
            agent | turn.end #18 turn-#7 cancelled input=#6 cancel=agent 'budget'
            agent | ack 9 t2 active agent cancel=agent 'budget' used={"tokens":1}
            alice < turn.usage #12 t2 active agent used={"tokens":1}
            alice | usage {"tokens":11} over {"limit":10,"name":"tokens","used":11}
            alice | turn.cancel #13 t1 active agent input=#1 cancel=agent 'budget'
                  used={"tokens":10}
            alice | turn.cancel #14 t2 active agent cancel=agent 'budget' used={"tokens":1}
            alice | turn.cancel #15 t3 suspended agent cancel=agent 'budget'
            alice | turn.end #16 t3 cancelled agent cancel=agent 'budget'
            alice | turn.cancel #17 turn-#7 queued input=#6 cancel=agent 'budget'
            alice | turn.end #18 turn-#7 cancelled input=#6 cancel=agent 'budget'
            agent < turn.usage #19 t2 active agent cancel=agent 'budget' used={"tokens":2}
            agent | usage {"tokens":12} over {"limit":10,"name":"tokens","used":12}
            agent | ack 10 t2 active agent cancel=agent 'budget' used={"tokens":2}
            alice < turn.usage #19 t2 active agent cancel=agent 'budget' used={"tokens":2}
            alice | usage {"tokens":12} over {"limit":10,"name":"tokens","used":12}
            agent < nack 11 over-budget: unable to start the turn; the budget is spent: tokens
                  is 12, the limit is 10 name="tokens" limit=10 used=12
            agent < nack 12 over-budget: unable to start the turn; the budget is spent: tokens
                  is 12, the limit is 10 name="tokens" limit=10 used=12
            agent < create #20 alice 'anybody?'
            alice < create #20 alice 'anybody?'
            alice | ack 3 #20
            -- 5000 ms
            agent < append #8 v#21 @13 '' cancelled
            agent | turn.end #22 t1 cancelled agent input=#1 cancel=agent 'budget'
                  used={"tokens":10}
            agent | append #9 v#23 @7 '' cancelled
            agent | turn.end #24 t2 cancelled agent cancel=agent 'budget' used={"tokens":2}
            alice < append #8 v#21 @13 '' cancelled
            alice | turn.end #22 t1 cancelled agent input=#1 cancel=agent 'budget'
                  used={"tokens":10}
            alice | append #9 v#23 @7 '' cancelled
            alice | turn.end #24 t2 cancelled agent cancel=agent 'budget' used={"tokens":2}
            alice holds #1 "q"
            alice holds #6 "later"
            alice holds #8 "so far and on" cancelled
            alice holds #9 "so good" cancelled
            alice holds #20 "anybody?"
            bob < attached #24 anew, has older, used: {"tokens":12}, over: {"limit":10,
                  "name":"tokens","used":12}
            bob < caught-up #24
            alice = 200 turns: , approvals: , calls: , presence: , messages: ,
                  usage={tokens:12}, overBudget={limit:10,name:tokens,used:12}
            agent < nack 13 over-budget: unable to start the turn; the budget is spent: tokens
                  is 12, the limit is 10 name="tokens" limit=10 used=12
            agent < usage
            alice < usage
            bob < usage
            admin = 200 {"settings":{"budget":{"tokens":100},"onInput":"queue"}}
            agent < turn.start #25 t4 active agent
            agent | ack 14 t4 active agent
            alice < turn.start #25 t4 active agent
            bob < turn.start #25 t4 active agent
            admin = 200 {"settings":{"onInput":"queue"}}
        "#]],
    );
}

/// P6.12: everybody sees why in one array.
#[test]
fn everybody_is_told_why() {
    check(
        "
        admin patch {\"budget\":{\"tokens\":10,\"cost\":5}}
        agent attach rewind=0 window=0
        alice attach rewind=0 window=0
        agent start t1
        agent start t2 within=t1
        agent start t3
        agent suspend t3
        agent publish 'so far' turn=t2 role=assistant streaming
        agent append #6 ' so good'
        ---
        agent usage t2 usage={\"tokens\":3,\"cost\":6} id=u1
        agent usage t2 usage={\"tokens\":3,\"cost\":6} id=u1
        ",
        expect![[r#"
            agent < turn.usage #6 t2 active agent within=t1 used={"cost":6,"tokens":3}
            agent | usage {"cost":6,"tokens":3} over {"limit":5,"name":"cost","used":6}
            agent | turn.cancel #7 t1 active agent cancel=agent 'budget'
            agent | turn.cancel #8 t2 active agent within=t1 cancel=agent 'budget'
                  used={"cost":6,"tokens":3}
            agent | turn.cancel #9 t3 suspended agent cancel=agent 'budget'
            agent | turn.end #10 t3 cancelled agent cancel=agent 'budget'
            agent | ack 7 t2 active agent within=t1 cancel=agent 'budget' used={"cost":6,
                  "tokens":3}
            alice < turn.usage #6 t2 active agent within=t1 used={"cost":6,"tokens":3}
            alice | usage {"cost":6,"tokens":3} over {"limit":5,"name":"cost","used":6}
            alice | turn.cancel #7 t1 active agent cancel=agent 'budget'
            alice | turn.cancel #8 t2 active agent within=t1 cancel=agent 'budget'
                  used={"cost":6,"tokens":3}
            alice | turn.cancel #9 t3 suspended agent cancel=agent 'budget'
            alice | turn.end #10 t3 cancelled agent cancel=agent 'budget'
            agent < ack 8 t2 active agent within=t1 cancel=agent 'budget' used={"cost":6,
                  "tokens":3} duplicate
        "#]],
    );
}

/// P6.12: an end that spends the budget ends as it says, the others are cancelled; one that comes
/// while it is spent still counts.
#[test]
fn an_end_counts_too() {
    check(
        "
        admin patch {\"budget\":{\"tokens\":10,\"cost\":1}}
        agent attach rewind=0
        agent start t1
        agent start t2
        ---
        agent end t1 complete usage={\"tokens\":11}
        agent end t2 complete usage={\"tokens\":12,\"cost\":2}
        agent brief snapshot rewind=0
        ",
        expect![[r#"
            agent < turn.end #3 t1 complete agent used={"tokens":11}
            agent | usage {"tokens":11} over {"limit":10,"name":"tokens","used":11}
            agent | turn.cancel #4 t2 active agent cancel=agent 'budget'
            agent | ack 3 t1 complete agent used={"tokens":11}
            agent < turn.end #5 t2 cancelled agent cancel=agent 'budget' used={"cost":2,
                  "tokens":12}
            agent | usage {"cost":2,"tokens":23} over {"limit":1,"name":"cost","used":2}
            agent | ack 4 t2 cancelled agent cancel=agent 'budget' used={"cost":2,"tokens":12}
            agent = 200 turns: , approvals: , calls: , presence: , messages: , usage={cost:2,
                  tokens:23}, overBudget={limit:1,name:cost,used:2}
        "#]],
    );
}

/// P6.12, P10.3: inputs that steer are given up, so that no turn is made of them.
#[test]
fn inputs_in_turns_are_given_up() {
    check(
        "
        admin patch {\"budget\":{\"tokens\":10},\"onInput\":\"steer\"}
        agent attach rewind=0
        alice attach rewind=0
        alice publish 'q'
        agent start t1 input=#1
        alice publish 'and this'
        agent start t9
        alice publish 'and that'
        ---
        agent usage t1 usage={\"tokens\":11}
        agent end t1 cancelled
        agent start t2 input=#3
        admin patch {\"budget\":null}
        agent start t2 input=#3
        ",
        expect![[r#"
            agent < turn.usage #6 t1 active agent input=#1 used={"tokens":11}
            agent | usage {"tokens":11} over {"limit":10,"name":"tokens","used":11}
            agent | turn.cancel #7 t1 active agent input=#1 cancel=agent 'budget'
                  used={"tokens":11}
            agent | turn.cancel #8 t9 active agent cancel=agent 'budget'
            agent | ack 3 t1 active agent input=#1 cancel=agent 'budget' used={"tokens":11}
            alice < turn.usage #6 t1 active agent input=#1 used={"tokens":11}
            alice | usage {"tokens":11} over {"limit":10,"name":"tokens","used":11}
            alice | turn.cancel #7 t1 active agent input=#1 cancel=agent 'budget'
                  used={"tokens":11}
            alice | turn.cancel #8 t9 active agent cancel=agent 'budget'
            agent < update #3 v#9 alice headers={"steer":"missed","steer-turn":"t1"}
            agent | update #5 v#10 alice headers={"steer":"missed","steer-turn":"t1"}
            agent | turn.end #11 t1 cancelled agent input=#1 cancel=agent 'budget'
                  used={"tokens":11}
            agent | ack 4 t1 cancelled agent input=#1 cancel=agent 'budget' used={"tokens":11}
            alice < update #3 v#9 alice headers={"steer":"missed","steer-turn":"t1"}
            alice | update #5 v#10 alice headers={"steer":"missed","steer-turn":"t1"}
            alice | turn.end #11 t1 cancelled agent input=#1 cancel=agent 'budget'
                  used={"tokens":11}
            agent < nack 5 over-budget: unable to start the turn; the budget is spent: tokens
                  is 11, the limit is 10 name="tokens" limit=10 used=11
            agent < usage
            alice < usage
            admin = 200 {"settings":{"onInput":"steer"}}
            agent < turn.end #12 t2 cancelled agent input=#3 cancel=agent 'budget'
            agent | ack 6 t2 cancelled agent input=#3 cancel=agent 'budget'
            alice < turn.end #12 t2 cancelled agent input=#3 cancel=agent 'budget'
        "#]],
    );
}

/// P6.12: a budget that is set below the sums cancels at once; what a person leaves waiting is
/// queued meanwhile, and told again once it may be taken.
#[test]
fn a_budget_may_be_spent_already() {
    check(
        "
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent usage t1 usage={\"tokens\":11}
        ---
        admin patch {\"budget\":{\"tokens\":10}}
        admin patch {\"budget\":{\"tokens\":11,\"other\":1}}
        agent start t2
        admin patch {\"budget\":{\"tokens\":10}}
        supervisor attach rewind=0
        supervisor lead.take
        alice publish 'q'
        supervisor lead.return
        agent start t3 input=#7
        agent adopt turn-#9
        admin patch {\"budget\":{\"tokens\":12}}
        agent start t3 input=#7
        admin patch {\"budget\":{\"tokens\":-12}}
        admin patch {\"budget\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\
        \"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1}}
        ",
        expect![[r##"
            agent < usage over {"limit":10,"name":"tokens","used":11}
            agent | turn.cancel #3 t1 active agent cancel=admin 'budget' used={"tokens":11}
            alice < usage over {"limit":10,"name":"tokens","used":11}
            alice | turn.cancel #3 t1 active agent cancel=admin 'budget' used={"tokens":11}
            admin = 200 {"settings":{"budget":{"tokens":10}}}
            agent < usage
            alice < usage
            admin = 200 {"settings":{"budget":{"other":1,"tokens":11}}}
            agent < turn.start #4 t2 active agent
            agent | ack 3 t2 active agent
            alice < turn.start #4 t2 active agent
            agent < usage over {"limit":10,"name":"tokens","used":11}
            agent | turn.cancel #5 t2 active agent cancel=admin 'budget'
            alice < usage over {"limit":10,"name":"tokens","used":11}
            alice | turn.cancel #5 t2 active agent cancel=admin 'budget'
            admin = 200 {"settings":{"budget":{"tokens":10}}}
            supervisor < attached #5 anew, turns: t1 active agent cancel=admin 'budget'
                  used={"tokens":11}; t2 active agent cancel=admin 'budget', used:
                  {"tokens":11}, over: {"limit":10,"name":"tokens","used":11}
            supervisor < caught-up #5
            agent < {"lead":{"client":"supervisor","since":"+0"},"serial":"#6",
                  "type":"lead.take"}
            alice < {"lead":{"client":"supervisor","since":"+0"},"serial":"#6",
                  "type":"lead.take"}
            supervisor < {"lead":{"client":"supervisor","since":"+0"},"serial":"#6",
                  "type":"lead.take"}
            supervisor | ack 1 {"lead":{"client":"supervisor","since":"+0"}}
            agent < create #7 alice 'q'
            alice < create #7 alice 'q'
            alice | ack 1 #7
            supervisor < create #7 alice 'q'
            agent < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#8","type":"lead.return","wake":"last"}
            agent | turn.queue #9 turn-#9 queued input=#7
            alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#8","type":"lead.return","wake":"last"}
            alice | turn.queue #9 turn-#9 queued input=#7
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#8","type":"lead.return","wake":"last"}
            supervisor | turn.queue #9 turn-#9 queued input=#7
            supervisor | ack 2 {"lead":null}
            agent < nack 4 over-budget: unable to start the turn; the budget is spent: tokens
                  is 11, the limit is 10 name="tokens" limit=10 used=11
            agent < nack 5 over-budget: unable to adopt the turn; the budget is spent: tokens
                  is 11, the limit is 10 name="tokens" limit=10 used=11
            agent < usage
            agent | turn.queue #10 turn-#9 queued input=#7
            alice < usage
            alice | turn.queue #10 turn-#9 queued input=#7
            supervisor < usage
            supervisor | turn.queue #10 turn-#9 queued input=#7
            admin = 200 {"settings":{"budget":{"tokens":12}}}
            agent < turn.start #11 turn-#9 active agent input=#7
            agent | ack 6 turn-#9 active agent input=#7
            alice < turn.start #11 turn-#9 active agent input=#7
            supervisor < turn.start #11 turn-#9 active agent input=#7
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; budget: tokens: it is not a number from 0 to 2^53","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; budget has more than 16 names","status":400}}
        "##]],
    );
}

/// P6.12, P10.3: no agent is woken while the budget is spent, and for what waits once it is raised.
#[test]
fn nobody_is_woken_for_nothing() {
    check(
        "
        admin patch {\"agent\":{\"url\":\"https://bot.example/\"},\"budget\":{\"tokens\":10}}
        agent attach rewind=0
        alice attach rewind=0
        agent start t1
        agent usage t1 usage={\"tokens\":11}
        agent end t1 cancelled
        ---
        alice publish 'hi'
        evict
        wait 10000
        admin patch {\"budget\":null}
        hook !1 answers 202
        agent start t2 input=#5
        ",
        expect![[r##"
            agent < create #5 alice 'hi'
            alice < create #5 alice 'hi'
            alice | ack 1 #5
            -- 10000 ms
            agent < usage
            alice < usage
            admin = 200 {"settings":{"agent":{"url":"https://bot.example/"}}}
            !1 > https://bot.example/ {"at":"+0","input":"#5","session":"s1","type":"input"}
            agent < turn.start #6 t2 active agent input=#5
            agent | ack 4 t2 active agent input=#5
            alice < turn.start #6 t2 active agent input=#5
        "##]],
    );
}

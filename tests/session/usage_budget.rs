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
            agent < turn.usage #3 t2 active agent used={"tokens":1}, in all {"tokens":11}
            agent | {"overBudget":{"limit":10,"name":"tokens","used":11},"type":"budget"}
            agent | turn.cancel #11 t1 active agent input=#1 cancel=agent 'budget'
                  used={"tokens":10}
            agent | turn.cancel #12 t2 active agent cancel=agent 'budget' used={"tokens":1}
            agent | turn.cancel #13 t3 suspended agent cancel=agent 'budget'
            agent | turn.end #14 t3 cancelled agent cancel=agent 'budget'
            agent | turn.cancel #15 turn-#7 queued input=#6 cancel=agent 'budget'
            agent | turn.end #16 turn-#7 cancelled input=#6 cancel=agent 'budget'
            agent | ack 9 t2 active agent cancel=agent 'budget' used={"tokens":1}
            alice < turn.usage #3 t2 active agent used={"tokens":1}, in all {"tokens":11}
            alice | {"overBudget":{"limit":10,"name":"tokens","used":11},"type":"budget"}
            alice | turn.cancel #11 t1 active agent input=#1 cancel=agent 'budget'
                  used={"tokens":10}
            alice | turn.cancel #12 t2 active agent cancel=agent 'budget' used={"tokens":1}
            alice | turn.cancel #13 t3 suspended agent cancel=agent 'budget'
            alice | turn.end #14 t3 cancelled agent cancel=agent 'budget'
            alice | turn.cancel #15 turn-#7 queued input=#6 cancel=agent 'budget'
            alice | turn.end #16 turn-#7 cancelled input=#6 cancel=agent 'budget'
            agent < turn.usage #12 t2 active agent cancel=agent 'budget' used={"tokens":2}, in
                  all {"tokens":12}
            agent | ack 10 t2 active agent cancel=agent 'budget' used={"tokens":2}
            alice < turn.usage #12 t2 active agent cancel=agent 'budget' used={"tokens":2}, in
                  all {"tokens":12}
            agent < nack 11 over-budget: unable to start the turn; the budget is spent: tokens
                  is 12, the limit is 10 name="tokens" limit=10 used=12
            agent < nack 12 over-budget: unable to start the turn; the budget is spent: tokens
                  is 12, the limit is 10 name="tokens" limit=10 used=12
            agent < create #17 alice 'anybody?'
            alice < create #17 alice 'anybody?'
            alice | ack 3 #17
            -- 5000 ms
            agent < append #8 v#18 @13 '' cancelled
            agent | turn.end #19 t1 cancelled agent input=#1 cancel=agent 'budget'
                  used={"tokens":10}
            agent | append #9 v#20 @7 '' cancelled
            agent | turn.end #21 t2 cancelled agent cancel=agent 'budget' used={"tokens":2}
            alice < append #8 v#18 @13 '' cancelled
            alice | turn.end #19 t1 cancelled agent input=#1 cancel=agent 'budget'
                  used={"tokens":10}
            alice | append #9 v#20 @7 '' cancelled
            alice | turn.end #21 t2 cancelled agent cancel=agent 'budget' used={"tokens":2}
            alice holds #1 "q"
            alice holds #6 "later"
            alice holds #8 "so far and on" cancelled
            alice holds #9 "so good" cancelled
            alice holds #17 "anybody?"
            bob < attached #21 anew, has older, used: {"tokens":12}, over: {"limit":10,
                  "name":"tokens","used":12}
            bob < caught-up #21
            alice = 200 turns: , approvals: , calls: , presence: , messages: ,
                  usage={tokens:12}, overBudget={limit:10,name:tokens,used:12}
            agent < nack 13 over-budget: unable to start the turn; the budget is spent: tokens
                  is 12, the limit is 10 name="tokens" limit=10 used=12
            agent < {"type":"budget"}
            alice < {"type":"budget"}
            bob < {"type":"budget"}
            admin = 200 {"settings":{"budget":{"tokens":100},"onInput":"queue"}}
            agent < turn.start #22 t4 active agent
            agent | ack 14 t4 active agent
            alice < turn.start #22 t4 active agent
            bob < turn.start #22 t4 active agent
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
            agent < turn.usage #2 t2 active agent within=t1 used={"cost":6,"tokens":3}, in all
                  {"cost":6,"tokens":3}
            agent | {"overBudget":{"limit":5,"name":"cost","used":6},"type":"budget"}
            agent | turn.cancel #6 t1 active agent cancel=agent 'budget'
            agent | turn.cancel #7 t2 active agent within=t1 cancel=agent 'budget'
                  used={"cost":6,"tokens":3}
            agent | turn.cancel #8 t3 suspended agent cancel=agent 'budget'
            agent | turn.end #9 t3 cancelled agent cancel=agent 'budget'
            agent | ack 7 t2 active agent within=t1 cancel=agent 'budget' used={"cost":6,
                  "tokens":3}
            alice < turn.usage #2 t2 active agent within=t1 used={"cost":6,"tokens":3}, in all
                  {"cost":6,"tokens":3}
            alice | {"overBudget":{"limit":5,"name":"cost","used":6},"type":"budget"}
            alice | turn.cancel #6 t1 active agent cancel=agent 'budget'
            alice | turn.cancel #7 t2 active agent within=t1 cancel=agent 'budget'
                  used={"cost":6,"tokens":3}
            alice | turn.cancel #8 t3 suspended agent cancel=agent 'budget'
            alice | turn.end #9 t3 cancelled agent cancel=agent 'budget'
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
            agent < turn.usage #1 t1 active agent used={"tokens":11}, in all {"tokens":11}
            agent | turn.end #3 t1 complete agent used={"tokens":11}
            agent | {"overBudget":{"limit":10,"name":"tokens","used":11},"type":"budget"}
            agent | turn.cancel #4 t2 active agent cancel=agent 'budget'
            agent | ack 3 t1 complete agent used={"tokens":11}
            agent < turn.usage #4 t2 active agent cancel=agent 'budget' used={"cost":2,
                  "tokens":12}, in all {"cost":2,"tokens":23}
            agent | {"overBudget":{"limit":1,"name":"cost","used":2},"type":"budget"}
            agent | turn.end #5 t2 cancelled agent cancel=agent 'budget' used={"cost":2,
                  "tokens":12}
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
            agent < turn.usage #2 t1 active agent input=#1 used={"tokens":11}, in all
                  {"tokens":11}
            agent | {"overBudget":{"limit":10,"name":"tokens","used":11},"type":"budget"}
            agent | turn.cancel #6 t1 active agent input=#1 cancel=agent 'budget'
                  used={"tokens":11}
            agent | turn.cancel #7 t9 active agent cancel=agent 'budget'
            agent | ack 3 t1 active agent input=#1 cancel=agent 'budget' used={"tokens":11}
            alice < turn.usage #2 t1 active agent input=#1 used={"tokens":11}, in all
                  {"tokens":11}
            alice | {"overBudget":{"limit":10,"name":"tokens","used":11},"type":"budget"}
            alice | turn.cancel #6 t1 active agent input=#1 cancel=agent 'budget'
                  used={"tokens":11}
            alice | turn.cancel #7 t9 active agent cancel=agent 'budget'
            agent < update #3 v#8 alice headers={"steer":"missed","steer-turn":"t1"}
            agent | update #5 v#9 alice headers={"steer":"missed","steer-turn":"t1"}
            agent | turn.end #10 t1 cancelled agent input=#1 cancel=agent 'budget'
                  used={"tokens":11}
            agent | ack 4 t1 cancelled agent input=#1 cancel=agent 'budget' used={"tokens":11}
            alice < update #3 v#8 alice headers={"steer":"missed","steer-turn":"t1"}
            alice | update #5 v#9 alice headers={"steer":"missed","steer-turn":"t1"}
            alice | turn.end #10 t1 cancelled agent input=#1 cancel=agent 'budget'
                  used={"tokens":11}
            agent < nack 5 over-budget: unable to start the turn; the budget is spent: tokens
                  is 11, the limit is 10 name="tokens" limit=10 used=11
            agent < {"type":"budget"}
            alice < {"type":"budget"}
            admin = 200 {"settings":{"onInput":"steer"}}
            agent < turn.end #11 t2 cancelled agent input=#3 cancel=agent 'budget'
            agent | ack 6 t2 cancelled agent input=#3 cancel=agent 'budget'
            alice < turn.end #11 t2 cancelled agent input=#3 cancel=agent 'budget'
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
        agent start t3 input=#6
        agent adopt turn-#8
        admin patch {\"budget\":{\"tokens\":12}}
        agent start t3 input=#6
        admin patch {\"budget\":{\"tokens\":-12}}
        admin patch {\"budget\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\
        \"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1}}
        ",
        expect![[r##"
            agent < {"overBudget":{"limit":10,"name":"tokens","used":11},"type":"budget"}
            agent | turn.cancel #2 t1 active agent cancel=admin 'budget' used={"tokens":11}
            alice < {"overBudget":{"limit":10,"name":"tokens","used":11},"type":"budget"}
            alice | turn.cancel #2 t1 active agent cancel=admin 'budget' used={"tokens":11}
            admin = 200 {"settings":{"budget":{"tokens":10}}}
            agent < {"type":"budget"}
            alice < {"type":"budget"}
            admin = 200 {"settings":{"budget":{"other":1,"tokens":11}}}
            agent < turn.start #3 t2 active agent
            agent | ack 3 t2 active agent
            alice < turn.start #3 t2 active agent
            agent < {"overBudget":{"limit":10,"name":"tokens","used":11},"type":"budget"}
            agent | turn.cancel #4 t2 active agent cancel=admin 'budget'
            alice < {"overBudget":{"limit":10,"name":"tokens","used":11},"type":"budget"}
            alice | turn.cancel #4 t2 active agent cancel=admin 'budget'
            admin = 200 {"settings":{"budget":{"tokens":10}}}
            supervisor < attached #4 anew, turns: t1 active agent cancel=admin 'budget'
                  used={"tokens":11}; t2 active agent cancel=admin 'budget', used:
                  {"tokens":11}, over: {"limit":10,"name":"tokens","used":11}
            supervisor < caught-up #4
            agent < {"lead":{"client":"supervisor","since":"+0"},"serial":"#5",
                  "type":"lead.take"}
            alice < {"lead":{"client":"supervisor","since":"+0"},"serial":"#5",
                  "type":"lead.take"}
            supervisor < {"lead":{"client":"supervisor","since":"+0"},"serial":"#5",
                  "type":"lead.take"}
            supervisor | ack 1 {"lead":{"client":"supervisor","since":"+0"}}
            agent < create #6 alice 'q'
            alice < create #6 alice 'q'
            alice | ack 1 #6
            supervisor < create #6 alice 'q'
            agent < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#7","type":"lead.return","wake":"last"}
            agent | turn.queue #8 turn-#8 queued input=#6
            alice < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#7","type":"lead.return","wake":"last"}
            alice | turn.queue #8 turn-#8 queued input=#6
            supervisor < {"by":"supervisor","lead":{"client":"supervisor","since":"+0"},
                  "serial":"#7","type":"lead.return","wake":"last"}
            supervisor | turn.queue #8 turn-#8 queued input=#6
            supervisor | ack 2 {"lead":null}
            agent < nack 4 over-budget: unable to start the turn; the budget is spent: tokens
                  is 11, the limit is 10 name="tokens" limit=10 used=11
            agent < nack 5 over-budget: unable to adopt the turn; the budget is spent: tokens
                  is 11, the limit is 10 name="tokens" limit=10 used=11
            agent < {"type":"budget"}
            agent | turn.queue #9 turn-#8 queued input=#6
            alice < {"type":"budget"}
            alice | turn.queue #9 turn-#8 queued input=#6
            supervisor < {"type":"budget"}
            supervisor | turn.queue #9 turn-#8 queued input=#6
            admin = 200 {"settings":{"budget":{"tokens":12}}}
            agent < turn.start #10 turn-#8 active agent input=#6
            agent | ack 6 turn-#8 active agent input=#6
            alice < turn.start #10 turn-#8 active agent input=#6
            supervisor < turn.start #10 turn-#8 active agent input=#6
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; budget: tokens: it is not a number from 0 to 2^53","status":400}}
            admin = 400 {"error":{"code":"invalid-frame","message":"unable to change the
                  settings; budget has more than 16 names","status":400}}
        "##]],
    );
}

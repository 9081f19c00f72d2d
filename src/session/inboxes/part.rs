//! Followers as a part of the session: each inbox is told when it is owed something (P15).

use crate::machine::wait_ms;
use crate::ordered::Set;
use crate::protocol::frame::encode;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{DELIVERY_SLACK_MS, REPLAY_ENTRIES, TELL_AGAIN_MS_MOST, TELL_MS};
use crate::protocol::news::{About, News, Telling};
use crate::protocol::serial::PLACE_MAX;
use crate::session::context::{Context, Memory};
use crate::session::engine::{self, Delivered, Delivery, Outcome, Owner, Wait, after};
use crate::session::inboxes::let_go::{let_rest_go, parting, parting_news, pending_inboxes};
use crate::session::inboxes::state::{Followers, Told};
use crate::session::part::Part;
use crate::store::{DeliveryKind, FollowerWrite, StoreError, Write};

/// Milliseconds until an inbox is tried again that is first to hear that it was told no more.
const BEHIND_MS: u64 = 2_000;
/// Milliseconds after which a session without room tries again to note what it told.
const FULL_MS: u64 = 60_000;

/// Followers, as a part of the session.
pub(crate) struct Inboxes;

/// Inboxes wait for a telling that a crash prevented, or that failed.
pub(crate) const INBOXES: Owner = Owner {
    name: "inboxes",
    wait: Wait::Alarm,
};

impl Part for Inboxes {
    const OWNER: Option<Owner> = Some(INBOXES);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        cx.memory.followers = Followers::default();
        if !cx.engine.outbound.has_inboxes {
            return Ok(());
        }
        for (inbox, told, is_unsure) in cx.engine.store.followers()? {
            let follower = cx.memory.followers.by_inbox.or_default(inbox);
            (follower.told, follower.is_kept) = (told, true);
            follower.is_unsure = is_unsure;
        }
        follow_pending(cx);
        if cx.memory.followers.by_inbox.is_empty() {
            return Ok(());
        }
        let latest = cx.engine.store.latest_event()?;
        let followers = &mut cx.memory.followers;
        let behind = followers.by_inbox.iter();
        let behind = behind.filter(|(_, it)| it.told < latest || it.is_unsure);
        let behind: Vec<String> = behind.map(|(inbox, _)| inbox.clone()).collect();
        for inbox in behind {
            followers.owe(&inbox, Timestamp::MIN);
        }
        Ok(())
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let later = cx.memory.followers.later().unwrap_or(Timestamp::MAX);
        let other = cx.engine.clock.next_beside(INBOXES);
        match other <= after(cx.engine.now, TELL_AGAIN_MS_MOST) {
            true => later,
            false => later.min(cx.memory.followers.covered_at(cx.engine.now)),
        }
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        start(cx)
    }

    fn hear(cx: &mut Context<'_>, news: &engine::News) -> Result<(), StoreError> {
        if !cx.engine.outbound.has_inboxes {
            return Ok(());
        }
        if news.has_event {
            follow_pending(cx);
            cx.memory.followers.owe_all(cx.engine.now);
        } else if let Some(created) = &news.created {
            let (now, followers) = (cx.engine.now, &mut cx.memory.followers);
            followers.owe_activity(now, &created.client);
        } else {
            return Ok(());
        }
        if !cx.memory.followers.by_inbox.is_empty() {
            cx.engine.state.clock.stir(INBOXES);
        }
        Ok(())
    }

    fn finish(cx: &mut Context<'_>) -> Result<(), StoreError> {
        if cx.memory.followers.is_due(cx.engine.now) {
            start(cx)?;
        }
        Ok(())
    }

    fn window(memory: &Memory) -> Option<Timestamp> {
        memory.followers.window()
    }
}

/// An inbox that something pending concerns follows from now on. It gets its row when it is told:
/// until then the pending thing says as much.
fn follow_pending(cx: &mut Context<'_>) {
    for inbox in pending_inboxes(cx) {
        cx.memory.followers.by_inbox.or_default(inbox);
    }
}

/// Begins the tellings that are due.
fn start(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let_rest_go(cx)?;
    while let Some(inbox) = cx.memory.followers.due(cx.engine.now) {
        if cx.memory.deliveries.owes(DeliveryKind::Inbox, &inbox) {
            // It is to hear of an earlier life first.
            let until = after(cx.engine.now, BEHIND_MS);
            cx.memory.followers.put_off(&inbox, until);
            continue;
        }
        match keep(cx, &inbox) {
            // It is told once there is room again.
            Err(error) if error.is_full() => {
                let until = after(cx.engine.now, FULL_MS);
                cx.memory.followers.put_off(&inbox, until);
                continue;
            }
            kept => kept?,
        }
        let (news, told) = news(cx, &inbox)?;
        let call_ms = cx.engine.limits.delivery_ms;
        let until = after(cx.engine.now, call_ms.saturating_add(DELIVERY_SLACK_MS));
        let number = cx
            .memory
            .followers
            .start(&inbox, cx.engine.now, told, until);
        cx.engine.out.deliveries.push(Delivery {
            number,
            id: String::new(),
            kind: DeliveryKind::Inbox,
            target: inbox,
            body: encode(&news),
            wants_token: false,
        });
    }
    let at = Inboxes::due_at(cx);
    cx.engine.state.clock.set(INBOXES, at);
    Ok(())
}

/// Stores that an inbox follows, before it hears anything: once nothing pending concerns it any
/// more, it must be told that.
fn keep(cx: &mut Context<'_>, inbox: &str) -> Result<(), StoreError> {
    let Some(follower) = cx.memory.followers.by_inbox.get(inbox) else {
        return Ok(());
    };
    if follower.is_kept {
        return Ok(());
    }
    let write = FollowerWrite::Told {
        inbox: inbox.to_owned(),
        told: follower.told,
        read: 0,
        is_kept: false,
    };
    cx.engine.write_beside(&[write.into()])?;
    if let Some(follower) = cx.memory.followers.by_inbox.get_mut(inbox) {
        follower.is_kept = true;
    }
    Ok(())
}

/// Everything that an inbox is owed now.
fn news(cx: &Context<'_>, inbox: &str) -> Result<(News, Told), StoreError> {
    let follower = cx.memory.followers.by_inbox.get(inbox);
    let told = follower.map_or(0, |follower| follower.told);
    let end = cx.engine.end;
    let entries = u64::try_from(REPLAY_ENTRIES).unwrap_or(u64::MAX);
    let is_recent = 0 < told && cx.engine.floor <= told && end.saturating_sub(told) <= entries;
    let mut telling = Telling {
        inbox,
        told,
        is_recent,
        read: 0,
        about: about(cx),
        open: Vec::new(),
        away: None,
        items: Vec::new(),
        up_to: end,
    };
    (cx.others.tell)(cx, &mut telling)?;
    let (items, place) = telling.fitting();
    let told = Told {
        place,
        read: telling.read,
        has_read_all: telling.about.unread == Some(0),
        is_whole: place == end,
    };
    let news = News {
        about: Some(telling.about),
        items,
        open: telling.open,
        away: telling.away,
        ..parting_news(cx, place)
    };
    Ok((news, told))
}

/// The session, without what features add.
fn about(cx: &Context<'_>) -> About {
    let created_at = cx.engine.created_at.unwrap_or(cx.engine.now);
    About {
        id: cx.engine.id.clone(),
        title: cx.engine.settings.title.clone(),
        created_at,
        last_activity_at: created_at.max(cx.engine.written_at),
        open_turns: 0,
        pending_approvals: 0,
        lead: None,
        unread: None,
    }
}

/// The rows by which every inbox hears of the end of the session, and these others.
pub(crate) fn part_all(cx: &mut Context<'_>, others: Set<String>) -> Vec<Write> {
    let mut inboxes = others;
    inboxes.extend(cx.memory.followers.by_inbox.keys().cloned());
    let each = inboxes.iter();
    each.flat_map(|inbox| parting(cx, inbox, PLACE_MAX))
        .collect()
}

/// Takes the outcome of a telling.
pub(crate) fn settle(cx: &mut Context<'_>, delivered: &Delivered) -> Result<(), StoreError> {
    take(cx, delivered)?;
    // It is not lost any more, and an alarm for that would be a row.
    let at = Inboxes::due_at(cx);
    cx.engine.state.clock.set(INBOXES, at);
    Ok(())
}

fn take(cx: &mut Context<'_>, delivered: &Delivered) -> Result<(), StoreError> {
    let Some((inbox, told)) = cx.memory.followers.end(delivered.number) else {
        return Ok(());
    };
    let now = cx.engine.now;
    let Some(follower) = cx.memory.followers.by_inbox.get_mut(&inbox) else {
        return Ok(());
    };
    let is_taken = matches!(
        delivered.outcome,
        Outcome::Answered {
            status: 200..300,
            ..
        }
    );
    if !is_taken {
        follower.attempts += 1;
        match follower.attempts {
            // It may have been made anew at that moment.
            1 => cx.memory.followers.owe(&inbox, after(now, TELL_MS)),
            more => {
                let until = after(now, wait_ms(delivered.number, more - 1, None));
                cx.memory.followers.put_off(&inbox, until);
            }
        }
        return Ok(());
    }
    follower.attempts = 0;
    // A row for each read mark would double its cost: the session tells it once more when it wakes.
    let is_known = follower.told == told.place && !follower.is_unsure;
    let write = FollowerWrite::Told {
        inbox: inbox.clone(),
        told: told.place,
        read: told.read,
        is_kept: true,
    };
    (follower.told, follower.is_unsure) = (told.place, false);
    if !told.is_whole {
        cx.memory.followers.owe(&inbox, now);
    }
    if is_known {
        return Ok(());
    }
    match cx.engine.write_beside(&[write.into()]) {
        // Until there is room, memory alone knows what was told.
        Err(error) if error.is_full() => {
            let until = after(now, FULL_MS);
            cx.memory.followers.put_off(&inbox, until);
            Ok(())
        }
        done => done,
    }
}

//! Clients that write follow the session, until there are too many of them.

use crate::protocol::capability::Role;
use crate::protocol::limits::TELL_MS;
use crate::protocol::message::Message;
use crate::protocol::message::Role as MessageRole;
use crate::session::context::Context;
use crate::session::engine::{Sender, Step, after};
use crate::session::inboxes::let_go::let_go;
use crate::session::inboxes::part::INBOXES;
use crate::store::FollowerWrite;

/// A client that says something in its own name follows the session from then on, but for agents.
pub(crate) fn follow_author(
    cx: &mut Context<'_>,
    step: &mut Step,
    sender: &Sender,
    message: &Message,
) {
    let is_input = message.turn.is_none() && message.role == MessageRole::User;
    if !cx.engine.outbound.has_inboxes || !is_input || sender.role == Role::Agent {
        return;
    }
    let inbox = format!("client:{}", sender.client);
    let now = cx.engine.now;
    if let Some(follower) = cx.memory.followers.by_inbox.get_mut(&inbox)
        && follower.is_kept
    {
        follower.active_at = now;
        return;
    }
    make_room(cx, step);
    step.note(FollowerWrite::Told {
        inbox: inbox.clone(),
        told: 0,
        read: 0,
        is_kept: false,
    });
    let follower = cx.memory.followers.by_inbox.or_default(inbox);
    (follower.is_kept, follower.active_at) = (true, now);
}

/// Settings change that inboxes are told of, which has no place.
pub(crate) fn owe_settings(cx: &mut Context<'_>, step: &mut Step) {
    let followers = cx.memory.followers.by_inbox.values_mut();
    let mut is_any = false;
    for follower in followers.filter(|follower| 0 < follower.told) {
        follower.told -= 1;
        is_any |= follower.is_kept;
    }
    if is_any {
        step.note(FollowerWrite::Owe);
    }
}

/// The read mark of a client has moved, which its own inbox shows (P9.5).
pub(crate) fn owe_reader(cx: &mut Context<'_>, client: &str) {
    let at = after(cx.engine.now, TELL_MS);
    cx.memory.followers.owe(&format!("client:{client}"), at);
    cx.engine.state.clock.stir(INBOXES);
}

/// The work of an agent has changed, which its inbox lists (P15.3).
pub(crate) fn owe_work(cx: &mut Context<'_>, inbox: String) {
    let at = after(cx.engine.now, TELL_MS);
    cx.memory.followers.by_inbox.or_default(inbox.clone());
    cx.memory.followers.owe(&inbox, at);
    cx.engine.state.clock.stir(INBOXES);
}

/// Lets the inbox go that was active least recently, if there are too many that nothing waits for.
fn make_room(cx: &mut Context<'_>, step: &mut Step) {
    for write in let_go(cx, 1) {
        step.note(write);
    }
}

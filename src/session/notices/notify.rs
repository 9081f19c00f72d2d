//! An agent tells a client that is away (P10.2).

use super::away::is_away;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, encode};
use crate::protocol::notice::{Notify, Said};
use crate::session::context::Context;
use crate::session::deliveries::part::stir;
use crate::session::engine::{Answer, Error, Known, Sender};
use crate::store::{DeliveryKind, Parcel, Write};

const VERB: &str = "unable to notify";

/// Answers a notice whose id was taken before.
pub(crate) fn repeat(_: &mut Context<'_>, _: &Notify, _: &Known) -> Result<Answer, Error> {
    Ok(Answer::Now(Outcome::Nothing { duplicate: true }))
}

/// Owes the inbox of a client the words of an agent, if the client is away. They have no place in
/// the log.
pub(crate) fn notify(
    cx: &mut Context<'_>,
    sender: &Sender,
    notify: Notify,
) -> Result<Answer, Error> {
    check(cx, &notify.client)?;
    cx.engine.check_room("notify")?;
    let mut step = cx.engine.step_by(sender);
    step.stands_for(cx.engine.end);
    if is_away(cx, &notify.client) {
        let (session, at) = (cx.engine.id.clone(), cx.engine.now);
        let serial = cx.engine.epoch.at(cx.engine.end);
        let Notify {
            title, body, data, ..
        } = notify;
        let parcel = |number: u64| {
            let said = Said {
                id: format!("{session}-{serial}-{number}"),
                session,
                at,
                title,
                body,
                data,
            };
            let body = encode(&said);
            Parcel { id: said.id, body }
        };
        let inbox = format!("client:{}", notify.client);
        let queue = &mut cx.memory.deliveries;
        for write in queue.add(at, DeliveryKind::Notice, &inbox, None, parcel) {
            step.note(Write::Delivery(write));
        }
        stir(cx);
    }
    cx.engine.commit(step)?;
    Ok(Answer::Now(Outcome::Nothing { duplicate: false }))
}

/// Whether there is push, and whether the client has taken part.
fn check(cx: &Context<'_>, client: &str) -> Result<(), ErrorInfo> {
    if !cx.engine.outbound.push.is_any() || !cx.engine.outbound.has_inboxes {
        let message = format!("{VERB}; the deployment has no push, set SESSILE_VAPID_KEY");
        return Err(ErrorInfo::new(ErrorCode::NotConfigured, message));
    }
    let followers = &cx.memory.followers.by_inbox;
    if followers.contains_key(&format!("client:{client}")) {
        return Ok(());
    }
    let message = format!("{VERB}; {client} has not taken part in the session");
    Err(ErrorInfo::new(ErrorCode::NotFound, message))
}

//! The hand-over as a part of the session: a person who is not heard has returned.

use crate::ordered::Set;
use crate::protocol::frame::{Lists, ServerFrame};
use crate::protocol::handover::{Returned, Wake};
use crate::protocol::ids::Timestamp;
use crate::protocol::news::Telling;
use crate::protocol::serial::Place;
use crate::protocol::snapshot::Snapshot;
use crate::session::context::{Context, Memory};
use crate::session::engine::{Live, News, Owner};
use crate::session::handover::heard::{HANDOVER, PINGS, keep_heard, lost_at, slack};
use crate::session::handover::lead::give_back;
use crate::session::handover::state::Held;
use crate::session::part::Part;
use crate::store::StoreError;

/// The reason of a return by the clock.
const LOST: &str = "lost";

/// The hand-over, as a part of the session.
pub(crate) struct HandedOver;

impl Part for HandedOver {
    const OWNER: Option<Owner> = Some(HANDOVER);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let slack = slack(cx);
        let latest = cx.engine.store.handover()?;
        let open = latest.filter(|(handover, _)| handover.returned.is_none());
        cx.memory.handover = open.map(|(handover, heard_at)| Held {
            handover,
            heard_at,
            perhaps_at: heard_at.saturating_add(slack),
            kept_at: heard_at,
        });
        Ok(())
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        lost_at(cx)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        keep_heard(cx)?;
        if cx.engine.now < lost_at(cx) {
            return Ok(());
        }
        cx.engine.settle()?;
        let step = cx.engine.step();
        let returned = Returned {
            by: None,
            reason: Some(LOST.to_owned()),
            wake: Wake::default(),
            note: None,
        };
        give_back(cx, step, returned)
    }

    fn is_busy(memory: &Memory) -> bool {
        memory.handover.is_some()
    }

    fn recipients(cx: &Context<'_>, into: &mut Set<String>) {
        let held = cx.memory.handover.as_ref();
        into.extend(held.map(|held| format!("client:{}", held.handover.lead.client)));
    }

    fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
        let held = cx.memory.handover.as_ref();
        telling.about.lead = held.map(|held| held.handover.lead.clone());
        Ok(())
    }

    fn attached(cx: &Context<'_>, _: &mut Live, lists: &mut Lists) {
        let held = cx.memory.handover.as_ref();
        lists.lead = held.map(|held| held.handover.lead.clone());
    }

    fn snapshot(cx: &Context<'_>, snapshot: &mut Snapshot<'_>) {
        let held = cx.memory.handover.as_ref();
        snapshot.lead = held.map(|held| held.handover.lead.clone());
    }

    fn changed_since(
        cx: &Context<'_>,
        since: Place,
        _: usize,
    ) -> Result<Vec<ServerFrame>, StoreError> {
        let latest = cx.engine.store.handover()?.into_iter();
        let changed = latest.filter(|(handover, _)| since < handover.version);
        let frames = changed.map(|(handover, _)| handover.frame(cx.engine.epoch));
        Ok(frames.map(ServerFrame::Handover).collect())
    }
}

/// The person's pings, as a part of the session.
pub(crate) struct HandoverPings;

impl Part for HandoverPings {
    const OWNER: Option<Owner> = Some(PINGS);

    fn due_at(cx: &Context<'_>) -> Timestamp {
        lost_at(cx)
    }

    fn hear(cx: &mut Context<'_>, news: &News) -> Result<(), StoreError> {
        let Some(held) = &mut cx.memory.handover else {
            return Ok(());
        };
        for live in &news.gone {
            if held.is_by(&live.connection.client) {
                held.heard_at = held.heard_at.max(live.pinged_at);
            }
        }
        Ok(())
    }
}

//! Milestones of the session's life, as the deployment's owner is told of them (P11.8): in one
//! place each, made of what is stored and sent anyhow.

use super::connection::Live;
use super::trace::Trace;
use super::work::Work;
use crate::protocol::frame::ServerFrame;
use crate::protocol::milestone::{Milestone, place_of};
use crate::store::{DeliveryWrite, Owed, Write};

impl Work<'_> {
    /// Tells the owner of a milestone, if the deployment does so at all.
    pub(crate) fn reach(&mut self, milestone: Milestone) {
        if !self.outbound.is_watched {
            return;
        }
        let Some(missed) = self.state.milestones.take(self.now) else {
            return;
        };
        self.out.milestones.push(Milestone {
            at: self.now,
            session: self.state.id.clone(),
            missed,
            ..milestone
        });
    }

    /// A step tells readers of it.
    pub(super) fn reach_by_frame(&mut self, frame: &ServerFrame, by: Option<&str>) {
        if let Some(milestone) = frame.milestone() {
            self.reach(Milestone {
                client: by.map(str::to_owned),
                ..milestone
            });
        }
    }

    /// Rows tell that a delivery failed, or was given up.
    pub(super) fn reach_by_rows(&mut self, writes: &[Write]) {
        for write in writes {
            let Write::Delivery(write) = write else {
                continue;
            };
            let (event, owed, reason) = match write {
                DeliveryWrite::Again {
                    owed,
                    reason: Some(reason),
                } => ("delivery.fail", owed, reason),
                DeliveryWrite::Bury { owed, reason, .. }
                | DeliveryWrite::Add {
                    owed,
                    reason: Some(reason),
                    ..
                } => ("delivery.dead", owed, reason),
                _ => continue,
            };
            self.reach(of_delivery(event, owed, reason));
        }
    }

    /// A connection begins, or goes on where it was.
    pub(super) fn reach_by_attach(&mut self, live: &Live, trace: &Trace) {
        let is_resumed = trace.resumed == Some(true);
        self.reach(Milestone {
            event: if is_resumed { "resume" } else { "attach" },
            reason: trace.reason.clone(),
            count: u64::try_from(trace.frames).ok(),
            bytes: Some(trace.bytes),
            ..of_connection(live)
        });
    }

    /// A connection is gone; `by` says why, if the session closed it.
    pub(super) fn reach_by_detach(&mut self, live: &Live, by: Option<(u16, &'static str)>) {
        let attached_at = live.trace.attached_at;
        self.reach(Milestone {
            event: "detach",
            reason: by.map(|(_, reason)| reason.to_owned()),
            code: by.map(|(code, _)| code),
            ms: attached_at.map(|at| self.now.saturating_sub(at)),
            ..of_connection(live)
        });
    }
}

fn of_connection(live: &Live) -> Milestone {
    let connection = &live.connection;
    Milestone {
        client: Some(connection.client.clone()),
        role: Some(connection.role.as_str()),
        id: Some(connection.id.to_string()),
        kind: Some(connection.carrier.as_str()),
        ..Milestone::default()
    }
}

fn of_delivery(event: &'static str, owed: &Owed, reason: &str) -> Milestone {
    Milestone {
        event,
        id: Some(owed.number.to_string()),
        kind: Some(owed.kind.as_str()),
        target: Some(place_of(&owed.target).to_owned()),
        reason: Some(reason.to_owned()),
        count: Some(owed.attempts),
        ..Milestone::default()
    }
}

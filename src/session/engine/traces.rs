//! Traces as the engine notes them (P11.4).

use super::connection::Live;
use super::trace::{Gone, Trace};
use super::work::{Engine, Work};
use crate::machine::Carrier;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::TRACES_GONE;

impl Work<'_> {
    /// Notes how a connection began.
    pub(crate) fn trace(&mut self, live: &mut Live, trace: Trace) {
        let traces = &mut self.state.traces;
        traces.attached += 1;
        traces.resumed += u64::from(trace.resumed == Some(true));
        traces.frames += u64::try_from(trace.frames).unwrap_or(0);
        traces.bytes += trace.bytes;
        self.reach_by_attach(live, &trace);
        live.trace = trace;
    }

    /// Notes a refusal.
    pub(crate) fn trace_refused(&mut self, connection: Option<&ConnectionId>, error: &ErrorInfo) {
        let code = ErrorCode::as_str(error.code);
        *self.state.traces.refused.or_default(code) += 1;
        let live = connection.and_then(|id| self.state.connections.get_mut(id));
        if let Some(live) = live {
            *live.trace.refused.or_default(code) += 1;
        }
    }

    /// Notes how a connection ended: by whom, if by the session.
    pub(super) fn trace_gone(&mut self, live: &Live, by: Option<(u16, &'static str)>) {
        let serial = self.state.epoch.at(self.state.end);
        let traces = &mut self.state.traces;
        if let Some((code, _)) = by {
            *traces.closed.or_default(code) += 1;
        }
        let kind = live.connection.carrier;
        if !matches!(kind, Carrier::Socket | Carrier::Events) {
            return;
        }
        self.reach_by_detach(live, by);
        let traces = &mut self.state.traces;
        if TRACES_GONE <= traces.gone.len() {
            traces.gone.pop_front();
        }
        traces.gone.push_back(Gone {
            connection: live.connection.id.clone(),
            client: live.connection.client.clone(),
            kind,
            gone_at: self.now,
            serial,
            code: by.map(|(code, _)| code),
            reason: by.map(|(_, reason)| reason),
            trace: live.trace.clone(),
        });
    }
}

impl Engine {
    /// The trace of a connection, and the bytes that it has not taken as far as probes tell.
    pub(crate) fn traced(&self, connection: &ConnectionId) -> Option<(&Trace, u64)> {
        let live = self.connections.get(connection)?;
        Some((&live.trace, live.probe.unseen()))
    }
}

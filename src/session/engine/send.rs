//! Output to readers, and the check that each may still be sent to (P13.7).

use super::outbox::Groups;
use super::work::Work;
use crate::protocol::error::close;
use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::ConnectionId;

impl Work<'_> {
    /// Sends a frame to every reader, or to those that follow a name.
    pub(crate) fn broadcast(&mut self, frame: &ServerFrame, name: Option<&str>) {
        let index = self.out.add(frame);
        for (id, live) in &self.state.connections {
            let connection = &live.connection;
            if connection.is_reader() && name.is_none_or(|name| connection.follows(name)) {
                self.out.deliver(id, index);
            }
        }
    }

    /// Connections grouped by their frames. Those that may not be sent anything any more are
    /// closed.
    pub(crate) fn group(&mut self) -> Groups {
        let mut groups = Groups::new();
        for (id, mut list) in std::mem::take(&mut self.out.lists) {
            match self.check_reader(&id, &mut list) {
                Ok(()) => groups.or_default(list).push(id),
                Err((code, reason)) => self.shut(&id, code, reason),
            }
        }
        groups
    }

    /// Checks that a connection may still be sent to; else gives its close code.
    fn check_reader(
        &mut self,
        id: &ConnectionId,
        list: &mut Vec<usize>,
    ) -> Result<(), (u16, &'static str)> {
        // A refused connection is not in the list, but is told why.
        let Some(live) = self.state.connections.get_mut(id) else {
            return Ok(());
        };
        if live.connection.is_expired(self.now) {
            return Err((close::UNAUTHORIZED, "the token expired")); // P2.6
        }
        if live.connection.is_probed {
            let sent = list
                .iter()
                .filter_map(|index| self.out.frames.get(*index))
                .map(String::len);
            let sent: usize = sent.sum();
            let allowance = self.state.limits.unsent_bytes.saturating_add(live.replayed);
            live.probe.sent += u64::try_from(sent).unwrap_or(0);
            if live.probe.is_late(self.now, allowance) {
                return Err((close::TOO_FAST, "the reader is too slow")); // P13.7
            }
            if let Some(n) = live.probe.next(self.now, &self.state.limits) {
                list.push(self.out.add(&ServerFrame::Probe { n }));
            }
        }
        Ok(())
    }
}

//! The devices of a client (P10.1).

use serde::Serialize;

use super::{Grant, Inbox};
use crate::protocol::capability::{Operation, Operations};
use crate::protocol::device::{Address, DeviceRequest, Service, Shown};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::encode;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::DEVICES;
use crate::protocol::target;
use crate::store::{
    DeadLetter, DeliveryKind, Device, DeviceWrite, InboxStore, InboxWrite, StoreError,
};

/// The operations of a token that a device keeps.
const KEPT: Operations = Operations::of(&[Operation::Push, Operation::Approve]);

#[derive(Serialize)]
struct List<'a> {
    devices: Vec<Shown<'a>>,
    /// Notices that wait.
    pending: u64,
    /// Those of them whose last attempt failed, the newest first.
    failing: Vec<Failed>,
    /// Those that were given up, the newest first.
    dead: Vec<Failed>,
}

/// A notice that its service did not take.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    id: String,
    device: String,
    attempts: u64,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_at: Option<Timestamp>,
    reason: String,
}

impl Inbox {
    /// Answers a request about devices.
    pub(super) fn answer_device(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        grant: &Grant,
        request: DeviceRequest,
    ) -> Result<(u16, String), StoreError> {
        let is_change = matches!(
            request,
            DeviceRequest::Put { .. } | DeviceRequest::Delete(_)
        );
        if is_change && let Err(wait_ms) = self.changes.take(now, 1) {
            let message = "unable to change the devices; they change too often";
            let error = ErrorInfo::rate_limited(message.to_owned(), wait_ms);
            return Ok((error.status, error.body()));
        }
        Ok(match request {
            DeviceRequest::Put {
                id,
                address,
                origin,
            } => {
                let device = Device {
                    at: now,
                    address,
                    capabilities: grant.sight.capabilities.only(KEPT),
                    origin,
                };
                if let Err(error) = self.check_device(&id, &device) {
                    return Ok((error.status, error.body()));
                }
                self.register(store, &id, device)?;
                self.shown(&id)
            }
            DeviceRequest::Get(id) => self.shown(&id),
            DeviceRequest::List => (200, self.listed(store)?),
            DeviceRequest::Delete(id) => {
                self.remove_device(store, &id)?;
                self.soil(store, now)?;
                (200, "{}".to_owned())
            }
        })
    }

    /// Whether a device may be registered here.
    fn check_device(&self, id: &str, device: &Device) -> Result<(), ErrorInfo> {
        const VERB: &str = "unable to register the device";
        let refused = |code, wrong: &str| Err(ErrorInfo::new(code, format!("{VERB}; {wrong}")));
        if !device.capabilities.allow_anywhere(Operation::Push) {
            let wrong = "the token lacks the operation push for every session";
            return refused(ErrorCode::Forbidden, wrong);
        }
        let Address { service, place, .. } = &device.address;
        self.outbound.push.check(*service)?;
        if *service == Service::Web
            && let Err(reason) = target::check(place, self.outbound.allows_local)
        {
            return refused(ErrorCode::InvalidFrame, &format!("web.endpoint: {reason}"));
        }
        let others = self.devices.iter();
        let others = others.filter(|(known, it)| *known != id && it.address.place != *place);
        if DEVICES <= others.count() {
            let wrong = format!("the client has {DEVICES} devices");
            return refused(ErrorCode::OverLimit, &wrong);
        }
        Ok(())
    }

    /// Stores a device. One with the same address is the same device under another name.
    fn register(&mut self, store: &InboxStore, id: &str, device: Device) -> Result<(), StoreError> {
        let is_same = |known: &Device| {
            *known
                == Device {
                    at: known.at,
                    ..device.clone()
                }
        };
        if self.devices.get(id).is_some_and(is_same) {
            return Ok(());
        }
        let others = self.devices.iter();
        let others =
            others.filter(|(known, it)| *known != id && it.address.place == device.address.place);
        let others: Vec<String> = others.map(|(known, _)| known.clone()).collect();
        let mut write = InboxWrite::default();
        for other in others {
            self.drop_device(&other, &mut write);
        }
        let put = DeviceWrite::Put(id.to_owned(), Box::new(device.clone()));
        write.devices.push(put);
        self.devices.insert(id.to_owned(), device);
        store.write(&write, !self.items.is_empty())
    }

    /// Removes a device and all that it is owed.
    pub(super) fn remove_device(&mut self, store: &InboxStore, id: &str) -> Result<(), StoreError> {
        let mut write = InboxWrite::default();
        self.drop_device(id, &mut write);
        store.write(&write, !self.items.is_empty())
    }

    pub(super) fn drop_device(&mut self, id: &str, write: &mut InboxWrite) {
        if self.devices.remove(id).is_none() {
            return;
        }
        write.devices.push(DeviceWrite::Drop(id.to_owned()));
        write
            .owed
            .extend(self.queue.forget_target(DeliveryKind::Device, id));
    }

    fn shown(&self, id: &str) -> (u16, String) {
        let Some(device) = self.devices.get(id) else {
            let message = format!("unable to read the device; the client has none named {id}");
            let error = ErrorInfo::new(ErrorCode::NotFound, message);
            return (error.status, error.body());
        };
        let shown = encode(&shown(id, device));
        (200, format!("{{\"device\":{shown}}}"))
    }

    fn listed(&self, store: &InboxStore) -> Result<String, StoreError> {
        let devices = self.devices.iter();
        let failed = |DeadLetter { owed, id, reason }| Failed {
            id,
            due_at: owed.dead_at.is_none().then_some(owed.due_at),
            device: owed.target,
            attempts: owed.attempts,
            created_at: owed.created_at,
            dead_at: owed.dead_at,
            reason,
        };
        Ok(encode(&List {
            devices: devices.map(|(id, device)| shown(id, device)).collect(),
            pending: self.queue.pending(),
            failing: store.failing()?.into_iter().map(failed).collect(),
            dead: store.dead_letters()?.into_iter().map(failed).collect(),
        }))
    }
}

fn shown<'a>(id: &'a str, device: &Device) -> Shown<'a> {
    Shown {
        id,
        service: device.address.service,
        registered_at: device.at,
    }
}

//! Devices: where the notices of a client are shown (P10.1).

use super::asking::refused;
use super::error::{ErrorCode, ErrorInfo};
use super::fields::{Fields, FromFields};
use super::ids::{SESSION_ID_LENGTH, Timestamp};
use super::limits::{DEVICE_KEY_LENGTH, DEVICE_TOKEN_LENGTH, DEVICE_TOPIC_LENGTH, Limits};
use super::object::words;
use super::query::{self, Parts};
use super::target::TARGET_LENGTH;

const VERB: &str = "register the device";

/// The kind of push service that reaches a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Web Push (RFC 8030).
    Web,
    /// Firebase Cloud Messaging.
    Fcm,
    /// Apple's push notifications.
    Apns,
}

words!(Service {
    Web = "web",
    Fcm = "fcm",
    Apns = "apns",
});

/// The push services of a deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Whether it has a key for Web Push.
    pub web: bool,
    /// Whether it has an account of FCM.
    pub fcm: bool,
    /// Whether it has a key of APNs.
    pub apns: bool,
}

impl Services {
    /// Whether there is any.
    pub const fn is_any(self) -> bool {
        self.web || self.fcm || self.apns
    }

    /// Whether this one is there.
    ///
    /// # Errors
    /// `not-configured`, naming the settings that it needs.
    pub fn check(self, service: Service) -> Result<(), ErrorInfo> {
        let (is_there, needs) = match service {
            Service::Web => (self.web, "SESSILE_VAPID_KEY and SESSILE_VAPID_SUBJECT"),
            Service::Fcm => (self.fcm, "SESSILE_FCM_ACCOUNT"),
            Service::Apns => (
                self.apns,
                "SESSILE_APNS_KEY, SESSILE_APNS_KEY_ID and SESSILE_APNS_TEAM",
            ),
        };
        if is_there {
            return Ok(());
        }
        let word = service.as_str();
        let message = format!("unable to {VERB}; the deployment has no {word} push: set {needs}");
        Err(ErrorInfo::new(ErrorCode::NotConfigured, message))
    }
}

/// A device as its client registers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The service that reaches it.
    pub service: Service,
    /// Its address there: a Web Push endpoint or a token. Two devices with one are the same.
    pub place: String,
    /// All of it as JSON, in the form that the transports take.
    pub json: String,
}

/// A request about devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceRequest {
    /// Registers one, or replaces it.
    Put {
        /// The client's own name for it.
        id: String,
        /// The device.
        address: Address,
        /// The origin at which the client reaches the deployment.
        origin: String,
    },
    /// Reads one.
    Get(String),
    /// Reads all.
    List,
    /// Removes one.
    Delete(String),
}

impl FromFields for Address {
    fn read(fields: &Fields<'_>, _: &Limits) -> Result<Self, ErrorInfo> {
        let web = fields.object("web")?;
        let (fcm, apns) = (fields.object("fcm")?, fields.object("apns")?);
        match (web, fcm, apns) {
            (Some(web), None, None) => read_web(&web),
            (None, Some(fcm), None) => {
                let token = need(&fcm, "token", DEVICE_TOKEN_LENGTH)?;
                let json = serde_json::json!({ "fcm": { "token": token } });
                Ok(Self::new(Service::Fcm, token, &json))
            }
            (None, None, Some(apns)) => {
                let token = need(&apns, "token", DEVICE_TOKEN_LENGTH)?;
                let mut json = serde_json::json!({ "apns": { "token": token } });
                if let Some(topic) = short(&apns, "topic", DEVICE_TOPIC_LENGTH)? {
                    json = serde_json::json!({ "apns": { "token": token, "topic": topic } });
                }
                Ok(Self::new(Service::Apns, token, &json))
            }
            _ => Err(refused(fields, "it takes one of web, fcm and apns")),
        }
    }
}

impl Address {
    fn new(service: Service, place: String, json: &serde_json::Value) -> Self {
        let json = json.to_string();
        Self {
            service,
            place,
            json,
        }
    }
}

/// A `PushSubscription` as the browser gives it.
fn read_web(web: &Fields<'_>) -> Result<Address, ErrorInfo> {
    let endpoint = need(web, "endpoint", TARGET_LENGTH)?;
    let keys = web.object("keys")?;
    let keys = keys.ok_or_else(|| refused(web, "web.keys is missing"))?;
    let p256dh = need(&keys, "p256dh", DEVICE_KEY_LENGTH)?;
    let auth = need(&keys, "auth", DEVICE_KEY_LENGTH)?;
    let json = serde_json::json!({
        "web": { "endpoint": endpoint, "keys": { "p256dh": p256dh, "auth": auth } },
    });
    Ok(Address::new(Service::Web, endpoint, &json))
}

/// An optional text of visible ASCII.
fn short(fields: &Fields<'_>, name: &str, most: usize) -> Result<Option<String>, ErrorInfo> {
    let value: Option<String> = fields.get(name)?;
    let is_fit = |value: &String| {
        (1..=most).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if value.as_ref().is_none_or(is_fit) {
        return Ok(value);
    }
    let place = fields.at(name);
    let reason = format!("{place} is not 1 to {most} characters of ASCII without spaces");
    Err(refused(fields, &reason))
}

fn need(fields: &Fields<'_>, name: &str, most: usize) -> Result<String, ErrorInfo> {
    let value = short(fields, name, most)?;
    value.ok_or_else(|| {
        let place = fields.at(name);
        refused(fields, &format!("{place} is missing"))
    })
}

/// The name of a device in an address.
fn id(parts: &Parts<'_>) -> Result<String, ErrorInfo> {
    let id = parts.params.first().map_or("", String::as_str);
    let is_of = |byte: u8| byte.is_ascii_alphanumeric() || b"._:~-".contains(&byte);
    if (1..=SESSION_ID_LENGTH).contains(&id.len()) && id.bytes().all(is_of) {
        return Ok(id.to_owned());
    }
    let message = format!("unable to {VERB}; its id is not 1 to 128 of A-Z a-z 0-9 . _ : ~ -");
    Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
}

/// `PUT /v1/push/devices/{device}`.
pub(super) fn put(parts: &Parts<'_>, limits: &Limits) -> Result<DeviceRequest, ErrorInfo> {
    let origin = query::find(parts.pairs, ORIGIN);
    Ok(DeviceRequest::Put {
        id: id(parts)?,
        address: Address::read(&Fields::read(VERB, parts.body)?, limits)?,
        origin: origin.unwrap_or_default().to_owned(),
    })
}

/// `GET /v1/push/devices/{device}`.
pub(super) fn get(parts: &Parts<'_>, _: &Limits) -> Result<DeviceRequest, ErrorInfo> {
    id(parts).map(DeviceRequest::Get)
}

/// `DELETE /v1/push/devices/{device}`.
pub(super) fn delete(parts: &Parts<'_>, _: &Limits) -> Result<DeviceRequest, ErrorInfo> {
    id(parts).map(DeviceRequest::Delete)
}

/// `GET /v1/push/devices`.
pub(super) fn list(_: &Parts<'_>, _: &Limits) -> Result<DeviceRequest, ErrorInfo> {
    Ok(DeviceRequest::List)
}

/// The parameter by which an administrator names the client whose devices are listed.
pub const CLIENT: &str = "client";

/// The parameter by which the Worker says its own origin; no client's value reaches an inbox.
pub const ORIGIN: &str = "origin";

/// A device as its client sees it: no address, which is a secret of the device.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown<'a> {
    /// The client's own name for it.
    pub id: &'a str,
    /// The service that reaches it.
    pub service: Service,
    /// When it was registered.
    pub registered_at: Timestamp,
}

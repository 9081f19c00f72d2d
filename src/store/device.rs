//! Devices of a client, in its inbox (P10.1). The table is made with its first row: few clients
//! have any.
//!
//! | column | holds |
//! | --- | --- |
//! | `id` | the client's own name for it |
//! | `at` | when it was registered, in ms |
//! | `service` | the word of the service that reaches it |
//! | `place` | its address there |
//! | `address` | all of that as JSON, as the transports take it |
//! | `caps` | where its client may be told, and may decide, as JSON |
//! | `origin` | the origin at which its client reaches the deployment |

use super::error::StoreError;
use super::row::Row;
use super::sql::{Sql, Value};
use crate::protocol::capability::Capabilities;
use crate::protocol::device::{Address, Service};
use crate::protocol::ids::Timestamp;
use crate::protocol::object::Word;

/// A device that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// When it was registered.
    pub at: Timestamp,
    /// Its address.
    pub address: Address,
    /// The operations `push` and `approve` of the token that registered it, by session pattern.
    pub capabilities: Capabilities,
    /// The origin at which its client reaches the deployment.
    pub origin: String,
}

/// A change of the rows of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceWrite {
    /// It is registered, or replaced.
    Put(String, Box<Device>),
    /// It is removed.
    Drop(String),
}

const TABLE: &str = include_str!("inbox/device.sql");

impl DeviceWrite {
    /// One row.
    pub(super) fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const PUT: &str = "INSERT OR REPLACE INTO device(id, at, service, place, address, caps, \
                           origin) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        const DROP: &str = "DELETE FROM device WHERE id=?1";
        match self {
            Self::Put(id, device) => {
                if !is_begun(sql)? {
                    sql.run(TABLE.trim_end().trim_end_matches(';'), &[])?;
                }
                let Address {
                    service,
                    place,
                    json,
                } = &device.address;
                let caps = serde_json::to_string(&device.capabilities).unwrap_or_default();
                let params = [
                    id.as_str().into(),
                    device.at.into(),
                    service.as_str().into(),
                    place.as_str().into(),
                    json.as_str().into(),
                    Value::Text(caps),
                    device.origin.as_str().into(),
                ];
                sql.run(PUT, &params)
            }
            Self::Drop(id) => sql.run(DROP, &[id.as_str().into()]),
        }
    }
}

/// All devices. Reads all rows.
pub(super) fn devices(sql: &dyn Sql) -> Result<Vec<(String, Device)>, StoreError> {
    const ALL: &str = "SELECT id, at, service, place, address, caps, origin FROM device";
    if !is_begun(sql)? {
        return Ok(Vec::new());
    }
    Row::all(sql.query(ALL, &[])?)
        .map(|mut row| read(&mut row))
        .collect()
}

fn read(row: &mut Row) -> Result<(String, Device), StoreError> {
    let unreadable = || StoreError::unreadable("device");
    let (id, at, service) = (row.text()?, row.integer()?, row.text()?);
    let service = Service::ALL.iter().find(|it| it.as_str() == service);
    let address = Address {
        service: *service.ok_or_else(unreadable)?,
        place: row.text()?,
        json: row.text()?,
    };
    let capabilities = serde_json::from_str(&row.text()?).map_err(|_| unreadable())?;
    let device = Device {
        at,
        address,
        capabilities,
        origin: row.text()?,
    };
    Ok((id, device))
}

fn is_begun(sql: &dyn Sql) -> Result<bool, StoreError> {
    const THERE: &str = "SELECT 1 FROM sqlite_master WHERE type='table' AND name='device'";
    Ok(!sql.query(THERE, &[])?.is_empty())
}

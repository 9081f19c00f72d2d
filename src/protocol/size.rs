//! Checks of sizes in frames against the limits (P14).

use super::error::{ErrorCode, ErrorInfo};
use super::fields::Fields;
use super::limits::Limits;
use super::message::Headers;

/// Checks the headers of a message.
pub(super) fn headers(
    fields: &Fields<'_>,
    headers: Option<&Headers>,
    limits: &Limits,
) -> Result<(), ErrorInfo> {
    let Some(headers) = headers else {
        return Ok(());
    };
    let (keys, most) = (limits.header_keys(), limits.header_bytes());
    if headers.len() <= keys && bytes(headers) <= most {
        return Ok(());
    }
    let (verb, place) = (fields.verb(), fields.at("headers"));
    let message =
        format!("unable to {verb}; {place} has more than {keys} keys or {most} bytes of UTF-8");
    Err(ErrorInfo::new(ErrorCode::TooLarge, message))
}

/// Whether one more header of so many bytes has room.
pub(super) fn has_room(headers: Option<&Headers>, more: usize, limits: &Limits) -> bool {
    let (count, bytes) = headers.map_or((0, 0), |headers| (headers.len(), bytes(headers)));
    count < limits.header_keys() && bytes + more <= limits.header_bytes()
}

fn bytes(headers: &Headers) -> usize {
    let all = headers.iter();
    all.map(|(key, value)| key.len() + value.len()).sum()
}

/// Checks the UTF-8 bytes of a field that stays in memory.
pub(super) fn size(
    verb: &str,
    field: &str,
    bytes: Option<usize>,
    limit: usize,
) -> Result<(), ErrorInfo> {
    match bytes {
        Some(bytes) if limit < bytes => {
            let message = format!(
                "unable to {verb}; {field} has {bytes} bytes of UTF-8, the limit is {limit}"
            );
            Err(ErrorInfo::new(ErrorCode::TooLarge, message))
        }
        Some(_) | None => Ok(()),
    }
}

/// The error for something larger than a limit.
pub fn too_large(verb: &str, bytes: usize, limit: usize) -> ErrorInfo {
    let message = format!("unable to {verb}; {bytes} bytes of UTF-8 exceed the limit of {limit}");
    ErrorInfo::new(ErrorCode::TooLarge, message)
}

//! What every frame is checked for once it is read: the bounds on what clients name (P14).

use super::error::{ErrorCode, ErrorInfo};
use super::fields::Fields;
use super::limits::Limits;
use super::message::Headers;

/// The headers of a message.
pub(super) fn headers(
    fields: &Fields<'_>,
    headers: Option<&Headers>,
    limits: &Limits,
) -> Result<(), ErrorInfo> {
    let Some(headers) = headers else {
        return Ok(());
    };
    let (keys, most) = (limits.header_keys(), limits.header_bytes());
    let bytes: usize = headers
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if headers.len() <= keys && bytes <= most {
        return Ok(());
    }
    let (verb, place) = (fields.verb(), fields.at("headers"));
    let message =
        format!("unable to {verb}; {place} are more than {keys} keys or {most} bytes of UTF-8");
    Err(ErrorInfo::new(ErrorCode::TooLarge, message))
}

/// Something that is kept with what is in memory, in so many bytes of UTF-8.
pub(super) fn size(
    verb: &str,
    field: &str,
    bytes: Option<usize>,
    limit: usize,
) -> Result<(), ErrorInfo> {
    match bytes {
        Some(bytes) if limit < bytes => {
            let message =
                format!("unable to {verb}; {field} is {bytes} bytes of UTF-8, at most {limit}");
            Err(ErrorInfo::new(ErrorCode::TooLarge, message))
        }
        Some(_) | None => Ok(()),
    }
}

/// The refusal of something larger than a limit.
pub fn too_large(verb: &str, bytes: usize, limit: usize) -> ErrorInfo {
    let message = format!("unable to {verb}; {bytes} bytes of UTF-8 are more than {limit}");
    ErrorInfo::new(ErrorCode::TooLarge, message)
}

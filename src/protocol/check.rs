//! What every frame is checked for once it is read: the bounds on what clients name (P14).

use serde::{Deserialize, Deserializer, de};

use super::data::Data;
use super::error::{ErrorCode, ErrorInfo};
use super::limits::Limits;
use super::message::Headers;

/// The largest number that rows and every client count exactly.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// A frame that knows its bounds.
pub(super) trait Check {
    /// Refuses by name what passes a bound; `verb` is what the frame does.
    fn check(&self, verb: &str, limits: &Limits) -> Result<(), ErrorInfo>;
}

/// A limit as a size.
pub(super) fn bound(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// What a client names: 1 to so many characters.
pub(super) fn length(
    verb: &str,
    field: &str,
    value: Option<&String>,
    limits: &Limits,
) -> Result<(), ErrorInfo> {
    let most = bound(limits.name_length);
    let fits = |value: &&String| !value.is_empty() && value.chars().count() <= most;
    if value.is_none_or(|value| fits(&value)) {
        return Ok(());
    }
    let message = format!("unable to {verb}; {field} is not 1 to {most} characters");
    Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
}

/// The headers of a message.
pub(super) fn headers(
    verb: &str,
    headers: Option<&Headers>,
    limits: &Limits,
) -> Result<(), ErrorInfo> {
    let Some(headers) = headers else {
        return Ok(());
    };
    let (keys, most) = (bound(limits.header_keys), bound(limits.header_bytes));
    let bytes: usize = headers
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if headers.len() <= keys && bytes <= most {
        return Ok(());
    }
    let message =
        format!("unable to {verb}; headers are more than {keys} keys or {most} bytes of UTF-8");
    Err(ErrorInfo::new(ErrorCode::TooLarge, message))
}

/// Something that is kept with what is in memory, in so many bytes of UTF-8.
pub(super) fn size(
    verb: &str,
    field: &str,
    bytes: Option<usize>,
    limit: u64,
) -> Result<(), ErrorInfo> {
    let limit = bound(limit);
    match bytes {
        Some(bytes) if limit < bytes => {
            let message =
                format!("unable to {verb}; {field} is {bytes} bytes of UTF-8, at most {limit}");
            Err(ErrorInfo::new(ErrorCode::TooLarge, message))
        }
        Some(_) | None => Ok(()),
    }
}

/// The size of data that may be absent.
pub(super) fn data_size(data: Option<&Data>) -> Option<usize> {
    data.map(Data::bytes)
}

/// The refusal of something larger than a limit.
pub fn too_large(verb: &str, bytes: usize, limit: usize) -> ErrorInfo {
    let message = format!("unable to {verb}; {bytes} bytes of UTF-8 are more than {limit}");
    ErrorInfo::new(ErrorCode::TooLarge, message)
}

/// A number to count from, if there is one.
pub(super) fn countable<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<u64>::deserialize(source)?;
    match number {
        Some(number) if NUMBER_MAX < number => Err(de::Error::custom(format!(
            "it is {number}, at most {NUMBER_MAX} can be counted"
        ))),
        counted => Ok(counted),
    }
}

/// The same where the first is 1: a 0 would pass for one that was taken long ago, and what
/// came with it would be lost.
pub(super) fn counted_from_one<'de, D: Deserializer<'de>>(
    source: D,
) -> Result<Option<u64>, D::Error> {
    match countable(source)? {
        Some(0) => Err(de::Error::custom("it is 0, the first append is 1")),
        counted => Ok(counted),
    }
}

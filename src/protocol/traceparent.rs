//! Trace context (P6.13): the header `traceparent` of W3C, which a turn is given and deliveries
//! pass on.
//!
//! The session takes no part in a trace: it makes no span, and passes the value on as it came.

use super::error::{ErrorCode, ErrorInfo};
use super::fields::Fields;
use super::message::Headers;

/// Its name, as an HTTP header, as a header of a message and as a field.
pub const TRACEPARENT: &str = "traceparent";

/// The hexadecimal digits of each part of version 00, with a dash between: the version, the trace,
/// the span and the flags. All bounds follow from it: 55 characters.
const PARTS: [usize; 4] = [2, 32, 16, 2];

/// A value, if it is one of version 00.
pub fn read(text: &str) -> Option<&str> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let mut parts = text.split('-');
    for (index, digits) in PARTS.into_iter().enumerate() {
        let part = parts.next()?;
        let is_whole = part.len() == digits && part.bytes().all(is_hex);
        let is_zero = part.bytes().all(|byte| byte == b'0');
        // The version is 00; neither a trace nor a span is.
        if !is_whole || (index == 0 && !is_zero) || (matches!(index, 1 | 2) && is_zero) {
            return None;
        }
    }
    parts.next().is_none().then_some(text)
}

/// The field of a frame.
pub(super) fn field(fields: &Fields<'_>) -> Result<Option<String>, ErrorInfo> {
    let value: Option<String> = fields.get(TRACEPARENT)?;
    if value.as_deref().is_none_or(|value| read(value).is_some()) {
        return Ok(value);
    }
    let verb = fields.verb();
    let message = format!(
        "unable to {verb}; traceparent is none of version 00: \
         00-TRACE-SPAN-FLAGS with 32, 16 and 2 hexadecimal digits"
    );
    Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
}

/// The value among the headers of a message. A malformed one is a header like any other.
pub fn of(headers: Option<&Headers>) -> Option<String> {
    let value = headers?.get(TRACEPARENT)?;
    read(value).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn only_the_form_of_version_00_is_taken() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(read(good), Some(good));
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319ü-b7ad6b7169203331-01",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

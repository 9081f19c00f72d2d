//! The log's one total order (P3.1).
//!
//! A serial is four characters of epoch, drawn when a session begins, and the entry's place
//! as eight hexadecimal digits: fixed width, so that text order is log order, and made of
//! `0-9a-z` alone, so that every collation agrees.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// The place of an entry in the log, counted from 1; 0 is before everything.
pub type Place = u64;

/// The last place a session can give: eight hexadecimal digits.
pub const PLACE_MAX: Place = 0xffff_ffff;

const EPOCH_LENGTH: usize = 4;
const SERIAL_LENGTH: usize = 12;

/// Names one life of a session in its serials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch([u8; EPOCH_LENGTH]);

impl Epoch {
    /// An epoch from any 32 random bits.
    pub fn from_entropy(entropy: u32) -> Self {
        let mut rest = entropy;
        let mut text = [0; EPOCH_LENGTH];
        for byte in &mut text {
            let digit = u8::try_from(rest % 36).unwrap_or_default();
            *byte = if digit < 10 {
                b'0' + digit
            } else {
                b'a' + digit - 10
            };
            rest /= 36;
        }
        Self(text)
    }

    /// Reads an epoch; `None` if it is not four of `0-9a-z`.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; EPOCH_LENGTH] = text.as_bytes().try_into().ok()?;
        let allowed = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        bytes.iter().all(allowed).then_some(Self(bytes))
    }

    /// The epoch as text.
    pub fn as_str(&self) -> &str {
        // `from_entropy` and `parse` are the only constructors and yield ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The serial of a place in this life of the session.
    pub fn at(self, place: Place) -> Serial {
        Serial { epoch: self, place }
    }
}

/// The place of an entry in the log's one total order, on the wire (P3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Serial {
    /// The life of the session that assigned it.
    pub epoch: Epoch,
    /// The place within that life.
    pub place: Place,
}

impl Serial {
    /// Its text in ASCII, formatted by hand since every frame has one or two.
    fn digits(self) -> [u8; SERIAL_LENGTH] {
        let mut text = [b'0'; SERIAL_LENGTH];
        let mut rest = self.place.min(PLACE_MAX);
        for byte in text.iter_mut().skip(EPOCH_LENGTH).rev() {
            let digit = u8::try_from(rest % 16).unwrap_or_default();
            *byte = if digit < 10 {
                b'0' + digit
            } else {
                b'a' + digit - 10
            };
            rest /= 16;
        }
        for (byte, letter) in text.iter_mut().zip(self.epoch.0) {
            *byte = letter;
        }
        text
    }

    /// Reads a serial; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != SERIAL_LENGTH {
            return None;
        }
        let (epoch, place) = text.split_at_checked(EPOCH_LENGTH)?;
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !place.bytes().all(digit) {
            return None;
        }
        let place = Place::from_str_radix(place, 16).ok()?;
        Some(Self {
            epoch: Epoch::parse(epoch)?,
            place,
        })
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl Serialize for Serial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Serial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Serial;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Serial, E> {
                let serial = Serial::parse(text);
                serial.ok_or_else(|| E::custom(format!("{text:?} is not a serial of a session")))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_serial_is_at_most_twelve_characters() {
        let serial = Epoch::from_entropy(u32::MAX).at(PLACE_MAX);
        assert!(serial.to_string().len() <= 12);
    }

    proptest! {
        #[test]
        fn text_order_is_log_order(seed: u32, a in 0..=PLACE_MAX, b in 0..=PLACE_MAX) {
            let epoch = Epoch::from_entropy(seed);
            let (left, right) = (epoch.at(a).to_string(), epoch.at(b).to_string());
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
            prop_assert_eq!(Serial::parse(&left).unwrap(), epoch.at(a));
        }

        #[test]
        fn any_text_is_read_without_harm(text: String) {
            if let Some(serial) = Serial::parse(&text) {
                prop_assert_eq!(serial.to_string(), text);
            }
        }
    }
}

//! An amount that was used, or may be (P6.12).

use serde::{Serialize, Serializer};

/// A number from 0 to 2^53.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount(pub(super) f64);

/// An amount is never NaN.
impl Eq for Amount {}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.fract() == 0.0 {
            // It is within ±2^53.
            #[expect(clippy::cast_possible_truncation, reason = "a whole number in range")]
            true => serializer.serialize_i64(self.0 as i64),
            false => serializer.serialize_f64(self.0),
        }
    }
}

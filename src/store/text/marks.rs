//! Marks: the length of a text at each of its versions, in one or two bytes each.
//!
//! A mark is two distances from the one before: the versions, in decimal digits and left out when
//! one, and the UTF-16 code units, in letters to base 26 whose last is a capital. `0F` `O` `3bA`
//! reads: 5 at once, 14 more a version later, 26 more three versions later. The first mark of a row
//! counts from the message's own place and from length 0, so that each row can be read alone; later
//! ones are appended to it.

use crate::protocol::serial::Place;

const LETTERS: u64 = 26;

/// The mark of a version that is `versions` after the one before and `units` longer.
pub(super) fn mark(versions: u64, units: u64) -> String {
    let letter = |digit: u64, first: u8| char::from(first + u8::try_from(digit).unwrap_or(0));
    let mut letters = vec![letter(units % LETTERS, b'A')];
    let mut rest = units / LETTERS;
    while rest != 0 {
        letters.push(letter(rest % LETTERS, b'a'));
        rest /= LETTERS;
    }
    let mut text = if versions == 1 {
        String::new()
    } else {
        versions.to_string()
    };
    text.extend(letters.iter().rev());
    text
}

/// The versions in the marks of a row of the message at `place`, with the length of the text at
/// each. `None` for malformed marks.
pub(super) fn lengths(marks: &str, place: Place) -> Option<Vec<(Place, u64)>> {
    let mut known = Vec::new();
    let (mut version, mut length) = (place, 0u64);
    let (mut versions, mut units) = (None, 0u64);
    for byte in marks.bytes() {
        match byte {
            b'0'..=b'9' => {
                let so_far = versions.unwrap_or(0u64).checked_mul(10)?;
                versions = Some(so_far.checked_add(u64::from(byte - b'0'))?);
            }
            b'a'..=b'z' => {
                units = units
                    .checked_mul(LETTERS)?
                    .checked_add(u64::from(byte - b'a'))?;
            }
            b'A'..=b'Z' => {
                units = units
                    .checked_mul(LETTERS)?
                    .checked_add(u64::from(byte - b'A'))?;
                version = version.checked_add(versions.unwrap_or(1))?;
                length = length.checked_add(units)?;
                known.push((version, length));
                (versions, units) = (None, 0);
            }
            _ => return None,
        }
    }
    (versions.is_none() && units == 0).then_some(known)
}

/// The length of a text after the last mark of a row.
pub(super) fn length(marks: &str, place: Place) -> Option<u64> {
    lengths(marks, place)?.last().map(|(_, length)| *length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mark_of_a_usual_window_is_one_byte() {
        assert_eq!(mark(1, 14), "O");
        assert_eq!(mark(0, 5) + &mark(1, 14) + &mark(3, 26), "0FO3bA");
        assert_eq!(lengths("0FO3bA", 7).unwrap(), [(7, 5), (8, 19), (11, 45)]);
    }

    #[test]
    fn what_are_no_marks_is_not_read() {
        for text in ["1", "b", "Ab", "A1", "A-", "é", "99999999999999999999A"] {
            assert_eq!(lengths(text, 0), None, "{text}");
        }
        assert_eq!(lengths("", 0).unwrap(), []);
    }

    proptest! {
        #[test]
        fn marks_read_back_as_they_were_written(
            place in 0u64..1 << 32,
            steps in prop::collection::vec((0u64..1 << 32, 0u64..1 << 21), 0..50),
        ) {
            let mut text = String::new();
            let mut expected = Vec::new();
            let (mut version, mut length) = (place, 0);
            for (versions, units) in steps {
                text += &mark(versions, units);
                version += versions;
                length += units;
                expected.push((version, length));
            }
            prop_assert_eq!(super::length(&text, place), expected.last().map(|last| last.1));
            prop_assert_eq!(lengths(&text, place).unwrap(), expected);
        }

        #[test]
        fn any_text_is_read_without_harm(text: String, place: u64) {
            let _ = lengths(&text, place);
        }
    }
}

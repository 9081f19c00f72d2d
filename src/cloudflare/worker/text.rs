//! Text from bytes that are cut anywhere (P5.5).

/// Invalid UTF-8.
#[derive(Debug)]
pub(super) struct Malformed;

/// Holds back the beginning of a character until the rest arrives.
#[derive(Default)]
pub(super) struct Characters {
    held: Vec<u8>,
}

impl Characters {
    /// The whole characters up to the end of this chunk, or up to invalid UTF-8.
    pub(super) fn take(&mut self, chunk: &[u8]) -> (String, Result<(), Malformed>) {
        self.held.extend_from_slice(chunk);
        let (whole, is_text) = match std::str::from_utf8(&self.held) {
            Ok(text) => (text.len(), Ok(())),
            Err(error) if error.error_len().is_none() => (error.valid_up_to(), Ok(())),
            Err(error) => (error.valid_up_to(), Err(Malformed)),
        };
        let rest = self.held.split_off(whole);
        let text = std::mem::replace(&mut self.held, rest);
        (String::from_utf8(text).unwrap_or_default(), is_text)
    }

    /// Checks that the text did not end within a character.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.held.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

/// Cuts text into pieces of at most so many bytes, each of whole characters.
pub(super) fn pieces(text: &str, longest: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while longest < rest.len() {
        let cut = (1..=longest)
            .rev()
            .find(|at| rest.is_char_boundary(*at))
            .unwrap_or(longest);
        let Some((piece, behind)) = rest.split_at_checked(cut) else {
            break;
        };
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    pieces
}

//! A search for words in the messages of a session (P11.9), which holds nothing of the syntax of
//! the index: its text is taken apart here, and put together as words alone.

use super::error::ErrorInfo;
use super::limits::{SEARCH_HITS, SEARCH_HITS_DEFAULT, SEARCH_LENGTH, SEARCH_WORDS};
use super::query::{Parts, Query, find, number, refused, serial};

/// The query of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// The words, all of which a message has: see [`words`].
    pub words: Vec<String>,
    /// Only messages older than this serial.
    pub before: Option<String>,
    /// Messages, at most.
    pub limit: usize,
}

impl Query for Search {
    const NAMES: &'static [&'static str] = &["q", "before", "limit"];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        let (most, default) = (SEARCH_HITS, SEARCH_HITS_DEFAULT);
        Ok(Self {
            words: words(find(parts.pairs, "q").unwrap_or_default())?,
            before: serial(parts.pairs, "before"),
            limit: number(parts.pairs, VERB, "limit", 1, most, default)?,
        })
    }
}

const VERB: &str = "search";

/// The words of a text that somebody wrote into a search box. Punctuation in one separates words
/// that follow one another; with `*` at its end it is the beginning of one.
///
/// # Errors
/// `invalid-frame`, naming the bounds.
pub fn words(text: &str) -> Result<Vec<String>, ErrorInfo> {
    let words: Vec<String> = text.split_whitespace().filter_map(word).collect();
    let is_short = text.chars().count() <= SEARCH_LENGTH;
    if is_short && (1..=SEARCH_WORDS).contains(&words.len()) {
        return Ok(words);
    }
    let reason = format!(
        "q takes 1 to {SEARCH_WORDS} words with a letter or a digit each, {SEARCH_LENGTH} \
         characters in all"
    );
    Err(refused(VERB, &reason))
}

/// A word, unless it is nothing but punctuation. The beginning of one has two letters at least: a
/// single one begins about every twentieth word, and would cost a walk over the whole index.
fn word(text: &str) -> Option<String> {
    let word = match text.chars().filter(|char| is_letter(*char)).count() {
        0 => return None,
        1 => text.trim_end_matches('*'),
        _ => text,
    };
    Some(word.to_owned())
}

/// Whether it may be part of a word. A sign that this takes for a letter and the index does not
/// is found nowhere, and nothing worse: the tables of Unicode would weigh more than that.
fn is_letter(char: char) -> bool {
    let is_sign = matches!(
        char,
        '\u{2000}'..='\u{2bff}'
            | '\u{3000}'..='\u{3004}'
            | '\u{3008}'..='\u{3020}'
            | '\u{fe00}'..='\u{fe6f}'
            | '\u{ff01}'..='\u{ff0f}'
            | '\u{1f000}'..='\u{1faff}'
    );
    char.is_ascii_alphanumeric() || '\u{c0}' <= char && !is_sign
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn p11_9_a_query_is_words_and_beginnings() {
        assert_eq!(words(" one  tw* ").unwrap(), ["one", "tw*"]);
        assert_eq!(words("a* — * \u{1f600} b").unwrap(), ["a", "b"]);
        assert_eq!(words("東*").unwrap(), ["東"]);
    }

    #[test]
    fn p11_9_a_refusal_names_its_bound() {
        let (long, many) = ("a".repeat(257), "a ".repeat(17));
        for text in ["", " * — \"", &long, &many] {
            let error = words(text).unwrap_err();
            let bounds = "q takes 1 to 16 words with a letter or a digit each, 256 characters";
            assert!(error.message.contains(bounds), "{}", error.message);
        }
        assert_eq!(words(&"a ".repeat(16)).unwrap().len(), 16);
    }

    proptest! {
        #[test]
        fn p11_9_any_text_is_words_or_a_refusal(text in ".{0,300}") {
            for word in words(&text).unwrap_or_default() {
                prop_assert!(text.contains(&word) && word.chars().any(is_letter));
            }
        }
    }
}

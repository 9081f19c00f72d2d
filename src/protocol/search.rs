//! A search for words in the messages of a session (P11.9), which holds nothing of the syntax of
//! the index: its text is taken apart here, and put together as words alone.

use super::error::ErrorInfo;
use super::limits::{SEARCH_HITS, SEARCH_HITS_DEFAULT, SEARCH_LENGTH, SEARCH_WORDS};
use super::query::{Parts, Query, find, number, position, refused};

/// The query of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// The words, all of which a message has.
    pub words: Vec<Word>,
    /// Only messages older than this serial.
    pub before: Option<String>,
    /// Messages, at most.
    pub limit: usize,
}

/// A word that a message has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its text, in which punctuation separates words that follow one another.
    pub text: String,
    /// Whether it is the beginning of one.
    pub is_prefix: bool,
}

const VERB: &str = "search";

impl Query for Search {
    const NAMES: &'static [&'static str] = &["q", "before", "limit"];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        let before = find(parts.pairs, "before").filter(|serial| !serial.is_empty());
        Ok(Self {
            words: words(find(parts.pairs, "q").unwrap_or_default())?,
            before: before.map(position),
            limit: number(
                parts.pairs,
                VERB,
                "limit",
                1,
                SEARCH_HITS,
                SEARCH_HITS_DEFAULT,
            )?,
        })
    }
}

/// The words of a text that somebody wrote into a search box.
///
/// # Errors
/// `invalid-frame`, naming the bound that it breaks.
pub fn words(text: &str) -> Result<Vec<Word>, ErrorInfo> {
    if SEARCH_LENGTH < text.chars().count() {
        let reason = format!("q takes {SEARCH_LENGTH} characters at most");
        return Err(refused(VERB, &reason));
    }
    let words = text.split_whitespace().filter_map(word);
    let words: Vec<Word> = words.collect();
    match words.len() {
        0 => Err(refused(VERB, "q takes a letter or a digit at least")),
        1..=SEARCH_WORDS => Ok(words),
        _ => {
            let reason = format!("q takes {SEARCH_WORDS} words at most");
            Err(refused(VERB, &reason))
        }
    }
}

/// A word, unless it is nothing but punctuation. The beginning of one has two letters at least: a
/// single one begins about every twentieth word, and would cost a walk over the whole index.
fn word(text: &str) -> Option<Word> {
    let letters = text.chars().filter(|letter| is_letter(*letter)).count();
    (0 < letters).then(|| Word {
        text: text.to_owned(),
        is_prefix: 1 < letters && text.ends_with('*'),
    })
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

    fn read(text: &str) -> Result<Vec<(String, bool)>, ErrorInfo> {
        let words = words(text)?.into_iter();
        Ok(words.map(|word| (word.text, word.is_prefix)).collect())
    }

    #[test]
    fn p11_9_a_query_is_words_and_beginnings() {
        let read = |text| read(text).unwrap();
        let owned = |words: &[(&str, bool)]| -> Vec<(String, bool)> {
            let words = words.iter();
            words.map(|(word, is)| ((*word).to_owned(), *is)).collect()
        };
        assert_eq!(read(" one  tw* "), owned(&[("one", false), ("tw*", true)]));
        assert_eq!(
            read("a* — * \u{1f600} b"),
            owned(&[("a*", false), ("b", false)])
        );
        assert_eq!(read("東*"), owned(&[("東*", false)]));
    }

    #[test]
    fn p11_9_a_refusal_names_its_bound() {
        for (text, reason) in [
            ("", "a letter"),
            (" * — \"", "a letter"),
            (&"a".repeat(257), "256 characters"),
            (&"a ".repeat(17), "16 words"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message.contains(reason), "{}", error.message);
        }
        assert_eq!(read(&"a ".repeat(16)).unwrap().len(), 16);
    }

    proptest! {
        #[test]
        fn p11_9_any_text_is_words_or_a_refusal(text in ".{0,300}") {
            for (word, _) in read(&text).unwrap_or_default() {
                prop_assert!(text.contains(&word) && word.chars().any(is_letter));
            }
        }
    }
}

//! Parser errors in the words of the protocol's refusals (P13.2).

use serde_json::error::Category;

/// Characters of a reason: bounds how much of the input it quotes.
const LENGTH_MAX: usize = 200;

/// Why a whole text is refused: where it stops being JSON, or its actual type.
pub(super) fn of_text(error: &serde_json::Error) -> String {
    let reason = of_part(error);
    match error.classify() {
        Category::Eof if (error.line(), error.column()) == (1, 0) => {
            "it is empty, JSON is expected".to_owned()
        }
        Category::Syntax | Category::Eof => {
            let (line, column) = (error.line(), error.column());
            format!("it is not JSON, {reason} at line {line}, column {column}")
        }
        Category::Data | Category::Io => reason,
    }
}

/// The same for a part, without line and column.
pub(super) fn of_part(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(reason, _)| reason);
    let kinds = ["invalid type: ", "invalid value: "];
    let mismatch = kinds.iter().find_map(|kind| text.strip_prefix(kind));
    let mismatch = mismatch.and_then(|rest| rest.rsplit_once(", expected "));
    let unknown = text.strip_prefix("unknown variant ");
    let unknown = unknown.and_then(|rest| rest.split_once(", expected "));
    let reason = match (mismatch, unknown) {
        (Some((found, wanted)), _) => {
            format!("it is {}, not {}", found_as(found), wanted_as(wanted))
        }
        (_, Some((found, wanted))) => {
            let wanted = wanted.strip_prefix("one of ").unwrap_or(wanted);
            format!("it is {found}, not one of {wanted}")
        }
        _ => text.to_owned(),
    };
    reason.chars().take(LENGTH_MAX).collect()
}

fn found_as(found: &str) -> String {
    let (kind, value) = found.split_once(' ').unwrap_or((found, ""));
    match (kind, value.trim_matches('`')) {
        ("integer", number) => format!("the number {number}"),
        ("floating", rest) => {
            let number = rest.strip_prefix("point `").unwrap_or(rest);
            format!("the number {number}")
        }
        ("string", _) => format!("the text {value}"),
        ("boolean", word) => word.to_owned(),
        ("map", _) => "an object".to_owned(),
        ("sequence", _) => "a list".to_owned(),
        _ => found.to_owned(),
    }
}

fn wanted_as(wanted: &str) -> &str {
    match wanted {
        "a string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "f64" => "a number",
        "i64" => "a whole number",
        "u64" | "u32" | "usize" => "a whole number from 0",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde::de::DeserializeOwned;

    fn wrong<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
        of_text(&serde_json::from_str::<T>(json).unwrap_err())
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let html = wrong::<String>("<html>");
        assert_eq!(html, "it is not JSON, expected value at line 1, column 1");
        assert_eq!(wrong::<String>(""), "it is empty, JSON is expected");
        let cut = wrong::<Vec<u64>>("[1,\n2");
        assert_eq!(
            cut,
            "it is not JSON, EOF while parsing a list at line 2, column 1"
        );
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        assert_eq!(wrong::<String>("5"), "it is the number 5, not text");
        assert_eq!(
            wrong::<u64>("1.5"),
            "it is the number 1.5, not a whole number from 0"
        );
        assert_eq!(
            wrong::<u64>("-1"),
            "it is the number -1, not a whole number from 0"
        );
        assert_eq!(
            wrong::<f64>("\"a, expected b\""),
            "it is the text \"a, expected b\", not a number"
        );
        assert_eq!(wrong::<bool>("null"), "it is null, not true or false");
        assert_eq!(wrong::<Vec<u64>>("{}"), "it is an object, not a list");
        assert_eq!(wrong::<String>("[true]"), "it is a list, not text");
        assert_eq!(wrong::<String>("true"), "it is true, not text");
    }
}

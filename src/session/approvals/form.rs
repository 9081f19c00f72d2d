//! The form that the data of an answer has to fit (P8.1, P8.2).

use crate::protocol::approval::Asked;
use crate::protocol::data::Data;
use crate::protocol::error::{Details, ErrorCode, ErrorInfo};
use crate::protocol::schema::{Breach, Schema};
use crate::session::context::Context;

/// Refuses a schema that no answer could be judged by.
pub(crate) fn check_form(cx: &Context<'_>, verb: &str, asked: &Asked) -> Result<(), ErrorInfo> {
    let Some(form) = &asked.schema else {
        return Ok(());
    };
    let admitted = Schema::read(&json(form)).and_then(|schema| cx.engine.judge.admit(&schema));
    admitted.map_err(|Breach { path, reason }| {
        let message = format!("unable to {verb}; schema cannot be used at {path:?}: {reason}");
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    })
}

/// Refuses data that breaks the approval's schema, naming every breach.
pub(crate) fn check_fit(
    cx: &Context<'_>,
    verb: &str,
    asked: &Asked,
    data: Option<&Data>,
) -> Result<(), ErrorInfo> {
    let (Some(form), Some(data)) = (&asked.schema, data) else {
        return Ok(());
    };
    let breaches = match Schema::read(&json(form)) {
        Ok(schema) => cx.engine.judge.check(&schema, &json(data)),
        Err(breach) => vec![breach],
    };
    let Some(first) = breaches.first() else {
        return Ok(());
    };
    let message = format!(
        "unable to {verb}; data breaks the schema at {:?}",
        first.path
    );
    Err(ErrorInfo {
        details: Some(Details::Breaches { breaches }),
        ..ErrorInfo::new(ErrorCode::InvalidAnswer, message)
    })
}

fn json(data: &Data) -> String {
    serde_json::to_string(data).unwrap_or_default()
}

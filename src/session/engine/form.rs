//! The form that an answer has to fit, as a JSON Schema (P8.1, P8.9).

use super::work::Work;
use crate::protocol::data::Data;
use crate::protocol::error::{Details, ErrorCode, ErrorInfo};
use crate::protocol::schema::{Breach, Schema};

impl Work<'_> {
    /// Refuses a schema that no answer could be judged by.
    pub(crate) fn check_form(&self, verb: &str, form: Option<&Data>) -> Result<(), ErrorInfo> {
        let Some(form) = form else {
            return Ok(());
        };
        let admitted = Schema::read(&json(form)).and_then(|schema| self.judge.admit(&schema));
        admitted.map_err(|Breach { path, reason }| {
            let message = format!("unable to {verb}; schema cannot be used at {path:?}: {reason}");
            ErrorInfo::new(ErrorCode::InvalidFrame, message)
        })
    }

    /// Refuses data that breaks a schema, naming every breach; `field` names the data.
    pub(crate) fn check_fit(
        &self,
        verb: &str,
        form: Option<&Data>,
        field: &str,
        data: &Data,
    ) -> Result<(), ErrorInfo> {
        let Some(form) = form else {
            return Ok(());
        };
        let breaches = match Schema::read(&json(form)) {
            Ok(schema) => self.judge.check(&schema, &json(data)),
            Err(breach) => vec![breach],
        };
        let Some(first) = breaches.first() else {
            return Ok(());
        };
        let path = &first.path;
        let message = format!("unable to {verb}; {field} breaks the schema at {path:?}");
        Err(ErrorInfo {
            details: Some(Details::Breaches { breaches }),
            ..ErrorInfo::new(ErrorCode::InvalidAnswer, message)
        })
    }
}

fn json(data: &Data) -> String {
    serde_json::to_string(data).unwrap_or_default()
}

//! A judge for native tests, independent of the platform's: the crate `jsonschema`.

use sessile::protocol::schema::{BREACHES, Breach, Judge, Schema};

/// The crate as a judge.
#[derive(Debug)]
pub(crate) struct Oracle;

impl Oracle {
    fn validator(schema: &Schema) -> Result<jsonschema::Validator, Breach> {
        let value = serde_json::from_str(schema.as_str()).unwrap();
        jsonschema::draft202012::new(&value).map_err(|error| Breach::of_all(&error.to_string()))
    }
}

impl Judge for Oracle {
    fn admit(&self, schema: &Schema) -> Result<(), Breach> {
        Self::validator(schema).map(drop)
    }

    fn check(&self, schema: &Schema, value: &str) -> Vec<Breach> {
        let value = serde_json::from_str(value).unwrap();
        let validator = Self::validator(schema).unwrap();
        let breach = |error: jsonschema::ValidationError<'_>| Breach {
            path: error.instance_path().to_string(),
            reason: error.to_string(),
        };
        validator
            .iter_errors(&value)
            .take(BREACHES)
            .map(breach)
            .collect()
    }
}

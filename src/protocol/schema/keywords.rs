//! The keywords of JSON Schema 2020-12, and which value each takes.

/// The value of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A schema, for the same part of the value.
    Here,
    /// A list of schemas, for the same part of the value.
    ListHere,
    /// An object of schemas, for the same part of the value.
    MapHere,
    /// A schema, for parts within.
    Within,
    /// A list of schemas, for parts within.
    ListWithin,
    /// An object of schemas, for parts within.
    MapWithin,
    /// The same, by patterns.
    PatternsWithin,
    /// An object of schemas that only references apply.
    Definitions,
    /// A reference.
    Reference,
    /// A pattern.
    Pattern,
    /// A type, or a list of types.
    Types,
    /// A list of texts.
    Texts,
    /// An object of lists of texts.
    TextLists,
    /// A list of any values.
    Values,
    /// Any value.
    Any,
    /// A number.
    Number,
    /// A number above 0.
    Positive,
    /// A whole number from 0.
    Count,
    /// True or false.
    Flag,
    /// Refused by name.
    Refused,
    /// Says nothing that is judged: left out.
    Annotation,
}

/// The types that a value may be asked to have.
pub(super) const TYPES: [&str; 7] = [
    "null", "boolean", "object", "array", "number", "string", "integer",
];

/// What a keyword takes. One that is unknown only annotates, as the standard has it.
pub(super) fn kind(keyword: &str) -> Kind {
    match keyword {
        "not" | "if" | "then" | "else" => Kind::Here,
        "allOf" | "anyOf" | "oneOf" => Kind::ListHere,
        "dependentSchemas" => Kind::MapHere,
        "items"
        | "contains"
        | "additionalProperties"
        | "propertyNames"
        | "unevaluatedItems"
        | "unevaluatedProperties" => Kind::Within,
        "prefixItems" => Kind::ListWithin,
        "properties" => Kind::MapWithin,
        "patternProperties" => Kind::PatternsWithin,
        "$defs" | "definitions" => Kind::Definitions,
        "$ref" => Kind::Reference,
        "pattern" => Kind::Pattern,
        "type" => Kind::Types,
        "required" => Kind::Texts,
        "dependentRequired" => Kind::TextLists,
        "enum" => Kind::Values,
        "const" => Kind::Any,
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => Kind::Number,
        "multipleOf" => Kind::Positive,
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
        | "minContains" | "maxContains" => Kind::Count,
        "uniqueItems" => Kind::Flag,
        "$anchor" | "$dynamicRef" | "$dynamicAnchor" | "$recursiveRef" | "$recursiveAnchor"
        | "$vocabulary" | "$id" | "$schema" => Kind::Refused,
        _ => Kind::Annotation,
    }
}

//! Models: what a body, headers, a query or params must look like, and which sentence says that they do not.
//!
//! A model is checked as a whole before serde reads it, so that a client is told of all faults at once.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// How many faults a client is told.
const MAX_FAULTS: usize = 32;

/// How much of a key is told, in characters: unknown keys are the client's own words.
const MAX_KEY: usize = 128;

/// `key: what is wrong`.
pub(crate) type Fault = String;

/// A type that a part of a request is read as.
pub(crate) trait Model: DeserializeOwned + Send {
    fn shape() -> Shape;
}

impl<T: Model> Model for Option<T> {
    fn shape() -> Shape {
        T::shape().optional()
    }
}

impl<T: Model> Model for Vec<T> {
    fn shape() -> Shape {
        Shape::array(T::shape())
    }
}

/// What a value must look like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    kind: Kind,
    required: bool,
    max_size: Option<usize>,
}

#[derive(Clone, Debug)]
enum Kind {
    Any,
    Text(Vec<Rule>),
    Number,
    Boolean,
    Array(Box<Shape>),
    Object { fields: Vec<(&'static str, Shape)>, additional: bool },
}

/// A rule for text.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    Uuid,
    Regex(&'static LazyLock<Regex>),
    OneOf(&'static [&'static str]),
    MinLength(usize),
    MaxLength(usize),
}

impl Shape {
    fn of(kind: Kind) -> Self {
        Self { kind, required: true, max_size: None }
    }

    pub(crate) fn any() -> Self {
        Self::of(Kind::Any)
    }

    pub(crate) fn text(rules: impl Into<Vec<Rule>>) -> Self {
        Self::of(Kind::Text(rules.into()))
    }

    pub(crate) fn number() -> Self {
        Self::of(Kind::Number)
    }

    pub(crate) fn boolean() -> Self {
        Self::of(Kind::Boolean)
    }

    pub(crate) fn array(items: Self) -> Self {
        Self::of(Kind::Array(Box::new(items)))
    }

    /// These fields and no others.
    pub(crate) fn object(fields: impl Into<Vec<(&'static str, Self)>>) -> Self {
        Self::of(Kind::Object { fields: fields.into(), additional: false })
    }

    /// Any fields.
    pub(crate) fn any_object() -> Self {
        Self::object([]).additional()
    }

    /// Allows fields that the model does not name.
    pub(crate) fn additional(mut self) -> Self {
        if let Kind::Object { additional, .. } = &mut self.kind {
            *additional = true;
        }
        self
    }

    /// It may be absent.
    pub(crate) fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// Its JSON must be smaller, in bytes.
    pub(crate) fn max_size(mut self, bytes: usize) -> Self {
        self.max_size = Some(bytes);
        self
    }

    fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Any => "any",
            Kind::Text(_) => "string",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Array(_) => "array",
            Kind::Object { .. } => "object",
        }
    }
}

/// All faults of a value, at most 32. `name` is the key of the value itself.
pub(crate) fn check(shape: &Shape, value: Option<&Value>, name: &str) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    walk(shape, value, Key { path: "", name }, &mut faults);
    faults.0
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, key: &Key<'_>, what: impl std::fmt::Display) {
        if self.0.len() < MAX_FAULTS {
            let key = if key.path.is_empty() { key.name } else { key.path };
            let key: String = key.chars().take(MAX_KEY).filter(|char| !char.is_control()).collect();
            self.0.push(format!("{key}: {what}"));
        }
    }

    fn is_full(&self) -> bool {
        self.0.len() == MAX_FAULTS
    }
}

/// Where a value is: a path below the value that is checked, which itself has a name alone.
struct Key<'a> {
    path: &'a str,
    name: &'a str,
}

fn walk(shape: &Shape, value: Option<&Value>, key: Key<'_>, faults: &mut Faults) {
    let Some(value) = value.filter(|value| !value.is_null() || matches!(shape.kind, Kind::Any)) else {
        if shape.required {
            faults.add(&key, "is required");
        }
        return;
    };
    if let Some(most) = shape.max_size.filter(|most| value.to_string().len() >= *most) {
        return faults.add(&key, format_args!("needs to be smaller than {most} bytes"));
    }
    match (&shape.kind, value) {
        (Kind::Any, _) | (Kind::Number, Value::Number(_)) | (Kind::Boolean, Value::Bool(_)) => {}
        (Kind::Text(rules), Value::String(text)) => {
            rules.iter().filter_map(|rule| rule.fault(text)).for_each(|fault| faults.add(&key, fault));
        }
        (Kind::Array(items), Value::Array(values)) => {
            for (at, value) in values.iter().enumerate() {
                if faults.is_full() {
                    return;
                }
                let path = format!("{}[{at}]", key.path);
                walk(items, Some(value), Key { path: &path, name: key.name }, faults);
            }
        }
        (Kind::Object { fields, additional }, Value::Object(object)) => {
            each_field(fields, object, &key, faults);
            if !additional {
                unknown_keys(fields, object, &key, faults);
            }
        }
        _ => faults.add(&key, format_args!("should be of type {}", shape.type_name())),
    }
}

fn below(key: &Key<'_>, field: &str) -> String {
    if key.path.is_empty() { field.to_owned() } else { format!("{}.{field}", key.path) }
}

fn each_field(fields: &[(&str, Shape)], object: &Map<String, Value>, key: &Key<'_>, faults: &mut Faults) {
    for (field, shape) in fields {
        let path = below(key, field);
        walk(shape, object.get(*field), Key { path: &path, name: key.name }, faults);
    }
}

fn unknown_keys(fields: &[(&str, Shape)], object: &Map<String, Value>, key: &Key<'_>, faults: &mut Faults) {
    let unknown = object.keys().filter(|name| fields.iter().all(|(field, _)| field != name));
    for name in unknown.take(MAX_FAULTS) {
        faults.add(&Key { path: &below(key, name), name: key.name }, "this key is unknown");
    }
}

impl Rule {
    fn fault(&self, text: &str) -> Option<String> {
        let length = || text.chars().count();
        match self {
            Self::Uuid if uuid::Uuid::try_parse(text).is_err() => {
                Some("needs to be in format \"uuid\"".to_owned())
            }
            Self::Regex(regex) if !regex.is_match(text) => {
                Some(format!("needs to match regex \"{}\"", regex.as_str()))
            }
            Self::OneOf(values) if !values.contains(&text) => {
                Some(format!("needs to match one of \"{}\"", values.join(", ")))
            }
            Self::MinLength(least) if length() < *least => {
                Some(format!("needs to be at least {least} characters long"))
            }
            Self::MaxLength(most) if length() > *most => {
                Some(format!("needs to be at most {most} characters long"))
            }
            _ => None,
        }
    }
}

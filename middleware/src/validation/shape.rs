//! Payloads of another shape: where, and what of it, in words of our own.

use std::fmt;

use narthex_core::Payload;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, error::Category};
use serde_path_to_error::Path;

use super::{Fault, Invalid};

/// Says where and why `payload` is no `T`.
///
/// The path costs an allocation for each key, so it is looked for now that parsing has failed, by parsing again.
pub(super) fn explain<T: DeserializeOwned>(payload: &Payload, error: &serde_json::Error) -> Invalid {
    let Some(text) = payload.json_text() else {
        return Invalid::one(Fault::new("", "expected JSON, not bytes"));
    };
    let mut deserializer = Deserializer::from_slice(text);
    let found = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err();
    let text = error.to_string();
    let (message, field) = match error.classify() {
        // JSON has no bounds for numbers, types have.
        _ if text.starts_with("number out of range") => ("expected another value", None),
        Category::Data => classify(&text),
        _ => ("not JSON", None),
    };
    let place = Place { path: found.as_ref().map(|found| found.path()), field };
    Invalid::one(Fault::new(place, message))
}

/// What an error of serde's is, by how its text starts: the text itself holds the client's values. The name of a field
/// that the type has is given where the path ends before it.
fn classify(text: &str) -> (&'static str, Option<&str>) {
    let named = |start| text.strip_prefix(start).and_then(|rest| rest.split('`').next());
    if let Some(field) = named("missing field `") {
        return ("missing field", Some(field));
    }
    if let Some(field) = named("duplicate field `") {
        return ("duplicate field", Some(field));
    }
    let known = [
        ("unknown field `", "unknown field"),
        ("unknown variant `", "unknown variant"),
        ("invalid type: ", "expected another type"),
        ("invalid value: ", "expected another value"),
        ("invalid length ", "expected another length"),
    ];
    let found = known.into_iter().find(|(start, _)| text.starts_with(start));
    (found.map_or("expected another value", |(_, message)| message), None)
}

/// A path in the form of garde's.
struct Place<'a> {
    path: Option<&'a Path>,
    field: Option<&'a str>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.filter(|path| path.iter().len() > 0);
        if let Some(path) = path {
            path.fmt(f)?;
        }
        match self.field {
            Some(field) if path.is_some() => write!(f, ".{field}"),
            Some(field) => f.write_str(field),
            None => Ok(()),
        }
    }
}

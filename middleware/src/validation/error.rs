//! What a client is told of a payload that does not fit.

use std::fmt::{Display, Write};

use garde::Report;
use narthex_core::{Denied, DeniedKind};
use serde::Serialize;

/// How many faults are told.
const MAX_FAULTS: usize = 32;

/// How much of a path is told, in characters: keys of maps are the client's own words.
const MAX_PATH: usize = 128;

#[derive(Serialize)]
struct Failed<'a> {
    status: &'static str,
    message: &'static str,
    errors: &'a [Fault],
}

/// One fault of a payload.
#[derive(Serialize)]
struct Fault {
    path: String,
    message: String,
}

impl Fault {
    fn new(path: &dyn Display, message: impl Into<String>) -> Self {
        let mut bounded = Bounded(String::new(), MAX_PATH);
        // Stops where the bound is reached.
        let _ = write!(bounded, "{path}");
        Self { path: bounded.0, message: message.into() }
    }
}

/// Takes so many characters and no more.
struct Bounded(String, usize);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for char in text.chars() {
            self.1 = self.1.checked_sub(1).ok_or(std::fmt::Error)?;
            self.0.push(char);
        }
        Ok(())
    }
}

fn failed(faults: &[Fault]) -> Denied {
    let message = "Validation failed";
    Denied::json(DeniedKind::BadRequest, &Failed { status: "error", message, errors: faults })
}

/// A payload whose rules are broken.
pub(super) fn broken(report: &Report) -> Denied {
    let faults: Vec<Fault> =
        report.iter().take(MAX_FAULTS).map(|(path, error)| Fault::new(path, error.message())).collect();
    failed(&faults)
}

/// Payloads of another shape.
pub(super) mod misshapen {
    use narthex_core::{Denied, Payload};
    use serde::de::DeserializeOwned;

    use super::{Fault, failed};

    /// Reads a payload; an absent one reads as `null`.
    ///
    /// # Errors
    /// Where it does not fit, in our own words: a parser's may say more than a client should read.
    pub(in crate::validation) fn parse<T: DeserializeOwned>(payload: &Payload) -> Result<T, Denied> {
        let json: &[u8] = match payload {
            Payload::Json(json) => json.as_bytes(),
            Payload::Args(args) => args.json().as_bytes(),
            Payload::Text(text) => text,
            Payload::Binary(_) => return Err(failed(&[Fault::new(&"", "expected JSON, not bytes")])),
            _ => b"null",
        };
        let mut parser = serde_json::Deserializer::from_slice(json);
        let value = serde_path_to_error::deserialize(&mut parser).map_err(|error| {
            let path = error.path().to_string();
            fault(if path == "." { "" } else { &path }, error.into_inner())
        })?;
        parser.end().map_err(|error| fault("", error))?;
        Ok(value)
    }

    fn fault(path: &str, error: serde_json::Error) -> Denied {
        let text = error.to_string();
        let told = match &error {
            _ if !error.is_data() => "not JSON",
            _ if text.starts_with("missing field") => "missing field",
            _ if text.starts_with("unknown field") => "unknown field",
            _ if text.starts_with("duplicate field") => "duplicate field",
            _ if text.starts_with("unknown variant") => "unknown variant",
            _ if text.starts_with("invalid length") => "expected another length",
            _ if text.starts_with("invalid type") => "expected another type",
            _ => "expected another value",
        };
        // The parser is at the object whose field it misses; the name is of the server's own type.
        let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let path = match missing {
            Some(field) if path.is_empty() => field.to_owned(),
            Some(field) => format!("{path}.{field}"),
            None => path.to_owned(),
        };
        failed(&[Fault::new(&path, told)]).with_source(error)
    }
}

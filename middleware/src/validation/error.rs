//! What does not fit.

use std::fmt::{self, Display, Write};

use garde::Report;
use narthex_core::{Denied, DeniedKind};
use serde::Serialize;

/// How many faults are listed.
const MAX_FAULTS: usize = 32;

/// How much of a path is told, in characters: keys of maps are the client's own words.
const MAX_PATH: usize = 128;

/// How much of a message is told, in characters: a rule of the user's may quote the client.
const MAX_MESSAGE: usize = 256;

/// What does not fit in a payload: the source of a refusal by [`Valid`](super::Valid).
///
/// ```
/// use narthex_core::{Denied, DeniedKind, Failed};
/// use narthex_middleware::validation::Invalid;
///
/// /// One sentence for the whole payload.
/// async fn first_only(denied: Denied, _: Failed) -> Denied {
///     let invalid = denied.source().and_then(|source| source.downcast_ref::<Invalid>());
///     match invalid.and_then(|invalid| invalid.faults().first()) {
///         Some(first) => Denied::bad_request(format!("{}: {}", first.path(), first.message())),
///         None => denied,
///     }
/// }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[error("validation failed")]
pub struct Invalid {
    faults: Vec<Fault>,
    more: usize,
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    path: String,
    message: String,
}

impl Fault {
    pub(super) fn new(path: impl Display, message: impl Display) -> Self {
        Self { path: bounded(path, MAX_PATH), message: bounded(message, MAX_MESSAGE) }
    }

    /// Where: `items[3].name`; empty for the whole payload. Cut after 128 characters.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What, fit for the client. Cut after 256 characters.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Invalid {
    pub(super) fn one(fault: Fault) -> Self {
        Self { faults: vec![fault], more: 0 }
    }

    pub(super) fn of(report: &Report) -> Self {
        let fault = |(path, error): &(garde::Path, garde::Error)| Fault::new(path, error.message());
        let faults: Vec<_> = report.iter().take(MAX_FAULTS).map(fault).collect();
        Self { more: report.iter().count() - faults.len(), faults }
    }

    /// The first faults, at most 32.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How many faults there are beside the listed ones.
    pub fn more(&self) -> usize {
        self.more
    }

    pub(super) fn into_denied(self) -> Denied {
        #[derive(Serialize)]
        struct Body<'a> {
            status: &'static str,
            message: &'static str,
            errors: &'a [Fault],
            #[serde(skip_serializing_if = "Option::is_none")]
            more: Option<usize>,
        }
        let body = Body {
            status: "error",
            message: "Validation failed",
            errors: &self.faults,
            more: Some(self.more).filter(|more| *more > 0),
        };
        Denied::json(DeniedKind::BadRequest, &body).with_source(self)
    }
}

/// The start of a text, without control characters.
fn bounded(text: impl Display, most: usize) -> String {
    let mut bounded = Bounded(String::new(), most);
    // An error says that the bound is reached: the rest of the text is never made.
    let _: fmt::Result = write!(bounded, "{text}");
    bounded.0
}

/// Takes so many characters and no more.
struct Bounded(String, usize);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            self.1 = self.1.checked_sub(1).ok_or(fmt::Error)?;
            self.0.push(if char.is_control() { char::REPLACEMENT_CHARACTER } else { char });
        }
        Ok(())
    }
}

//! Errors, as clients read them: a name, a status, a title and paragraphs.

use narthex::{Denied, DeniedKind};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

#[derive(Serialize)]
struct Problem<'a> {
    name: String,
    status: u16,
    paragraphs: &'a [String],
    title: String,
}

/// What does not fit: a sentence, and a paragraph for each fault.
pub(crate) fn invalid(what: &str, faults: Vec<String>) -> Denied {
    let first = format!("Validation failed for {what}");
    let paragraphs: Vec<_> =
        std::iter::once(first).chain(faults.into_iter().map(|f| format!("- {f}"))).collect();
    let (name, title) = ("ValidationError".to_owned(), "Validation Error".to_owned());
    Denied::json(DeniedKind::BadRequest, &Problem { name, status: 400, paragraphs: &paragraphs, title })
}

/// A failure of any kind as an error. Of what is unexpected it says nothing.
pub(super) fn of(denied: &Denied) -> Option<Box<RawValue>> {
    if let Some(body) = denied.body().filter(|_| denied.kind() != DeniedKind::Internal) {
        return body.parse().ok();
    }
    let status = denied.kind().status();
    let title = status.canonical_reason().unwrap_or("Error").to_owned();
    let paragraph = match denied.kind() {
        DeniedKind::Internal => title.clone(),
        _ => denied.message().to_owned(),
    };
    let name = title.replace(' ', "");
    let name = if name.ends_with("Error") { name } else { format!("{name}Error") };
    to_raw_value(&Problem { name, status: status.as_u16(), paragraphs: &[paragraph], title }).ok()
}

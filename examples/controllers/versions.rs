//! Versions of the API: which there are, which one a client asks for, and which a handler is for.

use std::sync::Arc;

use narthex::{Denied, Event};
use semver::{Version, VersionReq};

/// The versions that there are, each with the date of its release, the oldest first. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Versions(Arc<[(Version, &'static str)]>);

/// The version that a connection has asked for.
#[derive(Clone, Debug)]
pub(crate) struct CurrentVersion(pub(crate) Version);

/// Which versions a handler is for, as it was written: `^1`, `2.0.0`, `^latest`.
pub(crate) type Range = &'static str;

impl Versions {
    /// # Errors
    /// What is no version.
    pub(crate) fn new(released: &[(&'static str, &'static str)]) -> Result<Self, semver::Error> {
        let read = |(version, date): &(&str, &'static str)| Ok((version.parse()?, *date));
        let mut versions = released.iter().map(read).collect::<Result<Vec<_>, semver::Error>>()?;
        versions.sort();
        Ok(Self(versions.into()))
    }

    pub(crate) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    fn latest(&self) -> Option<&Version> {
        self.0.last().map(|(version, _)| version)
    }

    /// What a client asks for by `x-version`: a version, or the one that was current on a day (`2025-01-31`). Nothing asks for the
    /// latest.
    ///
    /// # Errors
    /// `BadRequest` for what there is not.
    pub(crate) fn resolve(&self, asked: Option<&str>) -> Result<CurrentVersion, Denied> {
        let found = match asked {
            None => self.latest(),
            Some(text) => self.named(text).or_else(|| self.on_day(text)),
        };
        let found = found.cloned().map(CurrentVersion);
        found.ok_or_else(|| Denied::bad_request("Could not find the version that x-version asks for"))
    }

    fn named(&self, text: &str) -> Option<&Version> {
        let asked = text.parse().ok()?;
        self.0.iter().map(|(version, _)| version).find(|version| **version == asked)
    }

    /// Dates of this form are in the order of their text.
    fn on_day(&self, text: &str) -> Option<&Version> {
        let day = text.get(..10).filter(|day| is_date(day))?;
        self.0.iter().rev().find(|(_, released)| *released <= day).map(|(version, _)| version)
    }

    /// The versions that a handler is for.
    ///
    /// # Errors
    /// What is no range.
    pub(crate) fn of(&self, ranges: &[Range]) -> Result<Vec<Version>, semver::Error> {
        let latest = self.latest().map(ToString::to_string).unwrap_or_default();
        let read = |range: &Range| range.replace("latest", &latest).parse();
        let asked = ranges.iter().map(read).collect::<Result<Vec<VersionReq>, _>>()?;
        let fits = |version: &&Version| asked.iter().any(|range| range.matches(version));
        Ok(self.0.iter().map(|(version, _)| version).filter(fits).cloned().collect())
    }
}

fn is_date(text: &str) -> bool {
    let digit = |at: usize, byte: u8| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.bytes().enumerate().all(|(at, byte)| digit(at, byte))
}

/// Says which of several handlers is for the version of the message's connection.
pub(crate) fn choose(
    handlers: Vec<Vec<Version>>,
) -> impl Fn(&Event) -> Result<usize, Denied> + Send + Sync + 'static {
    move |event| {
        let current = event.handshake().extensions().get::<CurrentVersion>();
        let current = current.ok_or_else(|| Denied::internal("the connection has no version"))?;
        let found = handlers.iter().position(|versions| versions.contains(&current.0));
        found.ok_or_else(|| {
            let version = &current.0;
            Denied::not_found(format!("Could not find handler for websocket event for version \"{version}\""))
        })
    }
}

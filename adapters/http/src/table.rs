//! Which mount answers which path.

use http::{HeaderMap, HeaderName, header};
use narthex_core::{Error, ErrorKind, Result};

use crate::mount::Mount;

/// The mounts of each path pattern.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    router: matchit::Router<usize>,
    slots: Vec<Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    pattern: String,
    mounts: Vec<Mount>,
}

/// What a path has for a request.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// This mount answers it.
    Mount(&'a Mount),
    /// The path is there for WebSockets alone.
    OnlyUpgrades,
    /// Nothing is mounted for it.
    Nothing,
}

impl Table {
    /// Puts a mount on a pattern.
    ///
    /// # Errors
    ///
    /// Kind `Config`: another mount claims the same requests, or the pattern is no pattern.
    pub(crate) fn insert(&mut self, pattern: &str, mount: Mount) -> Result<()> {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.pattern == pattern) else {
            let inserted = self.router.insert(pattern, self.slots.len());
            inserted.map_err(|error| {
                let context = format!("the path {pattern:?} cannot be mounted");
                Error::new(ErrorKind::Config, context).with_source(error)
            })?;
            self.slots.push(Slot { pattern: pattern.to_owned(), mounts: vec![mount] });
            return Ok(());
        };
        if let Some(other) = slot.mounts.iter().find(|other| other.claim().overlaps(mount.claim())) {
            let (claim, other) = (mount.claim(), other.claim());
            let context =
                format!("two adapters answer the same requests of {pattern:?} ({other:?} and {claim:?})");
            return Err(Error::new(ErrorKind::Config, context));
        }
        slot.mounts.push(mount);
        Ok(())
    }

    pub(crate) fn find(&self, path: &str, upgrade: bool) -> Found<'_> {
        let slot = self.router.at(path).ok().and_then(|found| self.slots.get(*found.value));
        let Some(slot) = slot else { return Found::Nothing };
        match slot.mounts.iter().find(|mount| mount.claim().covers(upgrade)) {
            Some(mount) => Found::Mount(mount),
            // A slot has at least one mount, so what it has covers the other kind.
            None if upgrade => Found::Nothing,
            None => Found::OnlyUpgrades,
        }
    }
}

/// Whether a request asks for a WebSocket: `Connection` lists `upgrade` and `Upgrade` lists `websocket`, in any case
/// (RFC 6455 section 4.2.1). The rest of the handshake is the adapter's to check.
pub fn is_websocket_upgrade(headers: &HeaderMap) -> bool {
    lists(headers, header::CONNECTION, "upgrade") && lists(headers, header::UPGRADE, "websocket")
}

fn lists(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::{body::empty, mount::Claim};

    fn mount(claim: Claim) -> Mount {
        Mount::new(claim, |_| async { http::Response::new(empty()) })
    }

    #[test]
    fn a_path_can_be_shared_by_claims_that_do_not_overlap() {
        let mut table = Table::default();
        table.insert("/chat", mount(Claim::Upgrade)).unwrap();
        table.insert("/chat", mount(Claim::Requests)).unwrap();
        let error = table.insert("/chat", mount(Claim::All)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("/chat"));
    }

    #[test]
    fn a_path_is_found_whole_with_its_parameters_and_not_by_its_beginning() {
        let mut table = Table::default();
        table.insert("/", mount(Claim::Upgrade)).unwrap();
        table.insert("/game/{id}", mount(Claim::All)).unwrap();
        assert!(matches!(table.find("/game/7", false), Found::Mount(_)));
        assert!(matches!(table.find("/game/7/x", false), Found::Nothing));
        assert!(matches!(table.find("/game/", false), Found::Nothing));
        assert!(matches!(table.find("/", true), Found::Mount(_)));
        assert!(matches!(table.find("/", false), Found::OnlyUpgrades));
    }

    #[test]
    fn a_pattern_that_shadows_another_is_an_error() {
        let mut table = Table::default();
        table.insert("/game/{id}", mount(Claim::All)).unwrap();
        assert_eq!(table.insert("/game/{name}", mount(Claim::All)).unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(table.insert("/game/{", mount(Claim::All)).unwrap_err().kind(), ErrorKind::Config);
    }

    #[test]
    fn an_upgrade_is_seen_among_other_tokens() {
        let mut headers = HeaderMap::new();
        headers.insert(header::UPGRADE, HeaderValue::from_static("WebSocket"));
        assert!(!is_websocket_upgrade(&headers));
        headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        assert!(is_websocket_upgrade(&headers));
        headers.insert(header::UPGRADE, HeaderValue::from_static("h2c"));
        assert!(!is_websocket_upgrade(&headers));
    }
}

//! Which mount answers which path.

use http::{HeaderMap, HeaderName, header, request::Parts};
use narthex_core::{Error, ErrorKind, Result};

use crate::mount::{Claim, Mount};

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
        if let Some(other) = slot.mounts.iter().find(|other| other.overlaps(&mount)) {
            let (claim, other) = (mount.claim(), other.claim());
            let context =
                format!("two adapters answer the same requests of {pattern:?} ({other:?} and {claim:?})");
            return Err(Error::new(ErrorKind::Config, context));
        }
        slot.push(mount);
        Ok(())
    }

    pub(crate) fn find(&self, head: &Parts) -> Found<'_> {
        let upgrade = is_websocket_upgrade(&head.headers);
        let slot = self.router.at(head.uri.path()).ok().and_then(|found| self.slots.get(*found.value));
        let Some(slot) = slot else { return Found::Nothing };
        let found = slot.mounts.iter().find(|mount| mount.covers(upgrade, head));
        match found {
            Some(mount) => Found::Mount(mount),
            None if !upgrade && slot.takes_upgrades() => Found::OnlyUpgrades,
            None => Found::Nothing,
        }
    }
}

impl Slot {
    /// Puts those first that answer only some of what they claim.
    fn push(&mut self, mount: Mount) {
        self.mounts.push(mount);
        self.mounts.sort_by_key(|mount| !mount.is_partial());
    }

    fn takes_upgrades(&self) -> bool {
        self.mounts.iter().any(|mount| mount.claim() == Claim::Upgrade)
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
    use crate::body::empty;

    fn head(path: &str, upgrade: bool) -> Parts {
        let mut request = http::Request::get(path);
        if upgrade {
            request = request.header("connection", "upgrade").header("upgrade", "websocket");
        }
        request.body(()).unwrap().into_parts().0
    }

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
        assert!(matches!(table.find(&head("/game/7", false)), Found::Mount(_)));
        assert!(matches!(table.find(&head("/game/7/x", false)), Found::Nothing));
        assert!(matches!(table.find(&head("/game/", false)), Found::Nothing));
        assert!(matches!(table.find(&head("/", true)), Found::Mount(_)));
        assert!(matches!(table.find(&head("/", false)), Found::OnlyUpgrades));
    }

    #[test]
    fn a_mount_that_answers_some_requests_goes_before_one_that_answers_all() {
        let streams = || mount(Claim::Requests).only("streams", |head| head.headers.contains_key("accept"));
        let mut table = Table::default();
        table.insert("/", mount(Claim::Upgrade)).unwrap();
        table.insert("/", streams()).unwrap();
        assert!(matches!(table.find(&head("/", false)), Found::OnlyUpgrades));
        table.insert("/", mount(Claim::Requests)).unwrap();
        let mut accepting = head("/", false);
        accepting.headers.insert("accept", HeaderValue::from_static("text/event-stream"));
        assert!(matches!(table.find(&accepting), Found::Mount(mount) if mount.is_partial()));
        assert!(matches!(table.find(&head("/", false)), Found::Mount(mount) if !mount.is_partial()));
        assert_eq!(table.insert("/", streams()).unwrap_err().kind(), ErrorKind::Config);
        table.insert("/some", streams()).unwrap();
        assert!(matches!(table.find(&head("/some", false)), Found::Nothing));
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

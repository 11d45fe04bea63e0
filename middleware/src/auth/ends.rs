//! When a client's credentials end, where it came with several.

use std::{any::TypeId, sync::Arc, time::SystemTime};

use narthex_core::Client;

/// The ends of a client's credentials, one for each kind.
#[derive(Clone, Default)]
struct Ends(Arc<[(TypeId, SystemTime)]>);

/// Notes when the credentials that give an `I` end, or that they never do: the client is closed at the first end of all.
pub(super) fn ends_at<I: 'static>(client: &Client, end: Option<SystemTime>) {
    let own = TypeId::of::<I>();
    let Ends(before) = client.data().unwrap_or_default();
    if before.is_empty() && end.is_none() {
        return;
    }
    let others = before.iter().copied().filter(|(kind, _)| *kind != own);
    let ends: Arc<[_]> = others.chain(end.map(|end| (own, end))).collect();
    client.expire_at(ends.iter().map(|(_, end)| *end).min());
    client.set_data(Ends(ends));
}

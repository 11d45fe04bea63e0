//! Filters for some errors and not for others.

use std::{error::Error, future::ready, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use narthex_core::{Denied, DeniedKind, Failed, Filter, Reply};

use super::causes;

/// A filter for failures of these kinds; others stay as they are, for the next outer filter.
///
/// ```
/// use narthex_core::{Denied, DeniedKind, Emit, Failed, Gateway};
/// use narthex_middleware::filters;
///
/// async fn slow_down(_: Denied, failed: Failed) -> Emit {
///     Emit::new("slow-down", failed.event.as_str())
/// }
///
/// let kinds = [DeniedKind::TooManyRequests, DeniedKind::Overloaded];
/// let gateway = Gateway::new().filter(filters::for_kinds(kinds, slow_down));
/// ```
pub fn for_kinds<M>(
    kinds: impl Into<Vec<DeniedKind>>,
    filter: impl Filter<M>,
) -> impl Fn(Denied, Failed) -> BoxFuture<'static, Reply> + Clone + Send + Sync + 'static {
    let kinds: Arc<[DeniedKind]> = kinds.into().into();
    choose(move |denied| kinds.contains(&denied.kind()), filter)
}

/// A filter for failures that come from an `E` ([`Denied::source`]): an error that `?` has made a [`Denied`] of, or one behind it
/// that it wraps; others stay as they are, for the next outer filter.
///
/// ```
/// use narthex_core::{Denied, Failed, Gateway};
/// use narthex_middleware::filters;
///
/// async fn busy(_: Denied, _: Failed) -> Denied {
///     Denied::new(narthex_core::DeniedKind::Overloaded, "The disk is busy")
/// }
///
/// let gateway = Gateway::new().filter(filters::for_error::<std::io::Error, _>(busy));
/// ```
pub fn for_error<E: Error + 'static, M>(
    filter: impl Filter<M>,
) -> impl Fn(Denied, Failed) -> BoxFuture<'static, Reply> + Clone + Send + Sync + 'static {
    choose(|denied| causes(denied).any(|error| error.is::<E>()), filter)
}

fn choose<M>(
    mine: impl Fn(&Denied) -> bool + Clone + Send + Sync + 'static,
    filter: impl Filter<M>,
) -> impl Fn(Denied, Failed) -> BoxFuture<'static, Reply> + Clone + Send + Sync + 'static {
    let filter = filter.into_fn();
    move |denied, failed| match mine(&denied) {
        true => filter(denied, failed),
        false => ready(Reply::error(denied)).boxed(),
    }
}

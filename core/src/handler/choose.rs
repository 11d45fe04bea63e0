//! One handler made of several.

use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use http::Extensions;

use super::{HandlerDef, Route, Surroundings, surrounded};
use crate::{
    extract::{Call, Event, Matched, Needs},
    reply::{Denied, Reply},
};

/// One of the handlers, with its own layers, guards and filter.
struct Choice {
    call: Call,
    metadata: Extensions,
    /// The registration with this handler's metadata, made when it is first called.
    matched: OnceLock<Arc<Matched>>,
}

impl HandlerDef {
    /// One handler made of several: `choose` looks at each message and says, by its place in `handlers`, which of them it is for.
    /// For what an event's name does not say: an API's version, a tenant, the share of a trial.
    ///
    /// ```
    /// use narthex_core::{Denied, Event, Gateway, Handler, HandlerDef};
    ///
    /// async fn old() -> &'static str {
    ///     "old"
    /// }
    /// async fn new() -> &'static str {
    ///     "new"
    /// }
    ///
    /// fn version(event: &Event) -> Result<usize, Denied> {
    ///     match event.handshake().header("x-version") {
    ///         Some(version) if version == "1" => Ok(0),
    ///         Some(version) if version == "2" => Ok(1),
    ///         None => Ok(1),
    ///         _ => Err(Denied::not_found("There is no such version")),
    ///     }
    /// }
    ///
    /// let gateway = Gateway::new().on("greet", HandlerDef::choose([old.into_def(), new.into_def()], version));
    /// ```
    ///
    /// The guards and layers of the server and the gateway run before the choice, and so do those that are put on the whole; the
    /// chosen handler's own come after it, and see its metadata above the whole's. The order is the whole's: `concurrent` and `latest`
    /// of a single one have no effect. A place that there is no handler at is answered `NotFound`.
    pub fn choose(
        handlers: impl IntoIterator<Item = Self>,
        choose: impl Fn(&Event) -> Result<usize, Denied> + Send + Sync + 'static,
    ) -> Self {
        let mut needs = Needs::default();
        let choices: Arc<[Choice]> = handlers.into_iter().map(|def| Choice::new(def, &mut needs)).collect();
        Self::new(needs, move |event| match choose(&event).map(|at| choices.get(at)) {
            Ok(Some(choice)) => choice.call(event),
            Ok(None) => failed(Denied::not_found("Unknown event")),
            Err(denied) => failed(denied),
        })
    }
}

fn failed(denied: Denied) -> BoxFuture<'static, Reply> {
    Box::pin(async move { Reply::error(denied) })
}

impl Choice {
    fn new(def: HandlerDef, needs: &mut Needs) -> Self {
        let parts = def.into_parts();
        needs.extend(&parts.needs);
        let surroundings = Surroundings {
            limits: parts.limits,
            guards: parts.guards,
            filters: parts.filter.into_iter().collect(),
        };
        let inner = Route::from_call(surrounded(parts.call, surroundings));
        let call = parts.layers.iter().rev().fold(inner, |inner, layer| layer(inner)).into_call();
        Self { call, metadata: parts.metadata, matched: OnceLock::new() }
    }

    fn call(&self, mut event: Event) -> BoxFuture<'static, Reply> {
        if !self.metadata.is_empty() {
            event.matched = Arc::clone(self.matched.get_or_init(|| {
                let mut metadata = event.matched.metadata.clone();
                metadata.extend(self.metadata.clone());
                Arc::new(event.matched.with_metadata(metadata))
            }));
        }
        (self.call)(event)
    }
}

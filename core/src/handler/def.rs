//! A handler with its options.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use http::Extensions;

use super::{LayerFn, MessageLayer, Order, PayloadLimits, layer_fn};
use crate::{
    extract::{Call, Event, Needs},
    filter::{Filter, FilterFn},
    guard::{Check, Guard},
    reply::Reply,
};

/// A handler with its guards, layers, filter, order and metadata.
pub struct HandlerDef(Box<HandlerParts>);

pub(crate) struct HandlerParts {
    pub(crate) call: Call,
    pub(crate) needs: Needs,
    pub(crate) guards: Vec<Check>,
    pub(crate) layers: Vec<LayerFn>,
    pub(crate) filter: Option<FilterFn>,
    pub(crate) limits: PayloadLimits,
    pub(crate) order: Order,
    pub(crate) metadata: Extensions,
}

impl HandlerDef {
    pub(crate) fn new(
        needs: Needs,
        call: impl Fn(Event) -> BoxFuture<'static, Reply> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(HandlerParts {
            call: Arc::new(call),
            needs,
            guards: Vec::new(),
            layers: Vec::new(),
            filter: None,
            limits: PayloadLimits::default(),
            order: Order::Serial,
            metadata: Extensions::new(),
        }))
    }

    pub(crate) fn into_parts(self) -> HandlerParts {
        *self.0
    }

    pub(crate) fn with_guard<M>(mut self, guard: impl Guard<M>) -> Self {
        guard.needs(&mut self.0.needs);
        self.0.guards.push(guard.into_check());
        self
    }

    pub(crate) fn with_layer(mut self, layer: impl MessageLayer) -> Self {
        self.0.layers.push(layer_fn(layer));
        self
    }

    pub(crate) fn with_filter<M>(mut self, filter: impl Filter<M>) -> Self {
        self.0.filter = Some(filter.into_fn());
        self
    }

    pub(crate) fn with_limits(mut self, set: impl FnOnce(&mut PayloadLimits)) -> Self {
        set(&mut self.0.limits);
        self
    }

    pub(crate) fn with_order(mut self, order: Order) -> Self {
        self.0.order = order;
        self
    }

    pub(crate) fn with_metadata<D: Clone + Send + Sync + 'static>(mut self, data: D) -> Self {
        self.0.metadata.insert(data);
        self
    }
}

impl fmt::Debug for HandlerDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerDef")
            .field("guards", &self.0.guards.len())
            .field("layers", &self.0.layers.len())
            .field("order", &self.0.order)
            .finish_non_exhaustive()
    }
}

//! Handlers: async fns with extractors.

mod choose;
mod def;
mod layer;
mod order;
mod pattern;
mod payload_limits;
mod route;

use std::future::Future;

pub use self::{
    def::HandlerDef,
    layer::MessageLayer,
    pattern::{IntoPattern, Pattern},
    route::{Route, RouteFuture},
};
pub(crate) use self::{
    layer::{LayerFn, layer_fn},
    order::Order,
    pattern::{PatternKind, Segments, structural_event, structural_match},
    payload_limits::PayloadLimits,
    route::{Surroundings, surrounded},
};
use crate::{
    extract::{Event, FromEvent, Needs},
    filter::Filter,
    guard::Guard,
    reply::{IntoReply, Reply},
};

/// An async fn whose arguments are extractors and whose result is a reply.
///
/// The methods put options on one handler; they give a [`HandlerDef`], which is a handler too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "a handler is an async fn of at most ten arguments that implement `FromEvent`, with a result that implements `IntoReply`; it must be `Clone + Send + Sync + 'static`, and so must be what it captures",
    note = "likely: it is not `async`; `Json<T>` takes a `T: Deserialize` and gives a `T: Serialize`; `State<T>` and `Extension<T>` want a `T: Clone`; an error is a `std::error::Error` or a `Denied`; what is held over an `.await` must be `Send`"
)]
pub trait Handler<T>: Sized {
    /// The handler with its options.
    fn into_def(self) -> HandlerDef;

    /// Guards this handler alone. Guards of the server and the gateway run before.
    fn guard<M>(self, guard: impl Guard<M>) -> HandlerDef {
        self.into_def().with_guard(guard)
    }

    /// Wraps this handler alone in a layer. Layers run in the order in which they are added.
    fn layer(self, layer: impl MessageLayer) -> HandlerDef {
        self.into_def().with_layer(layer)
    }

    /// Refuses larger payloads, in bytes, with `TooLarge` and before anything parses them. Layers and filters see the
    /// refusal, guards do not see the message. The door's own bound on messages comes first.
    fn max_payload(self, bytes: usize) -> HandlerDef {
        self.into_def().with_limits(|limits| limits.bytes = Some(bytes))
    }

    /// Refuses payloads whose JSON nests deeper, as [`max_payload`](Self::max_payload) does larger ones. Bytes have no depth.
    fn max_depth(self, levels: usize) -> HandlerDef {
        self.into_def().with_limits(|limits| limits.depth = Some(levels))
    }

    /// Turns this handler's errors into replies; what is an error again goes to the gateway's filter.
    fn filter<M>(self, filter: impl Filter<M>) -> HandlerDef {
        self.into_def().with_filter(filter)
    }

    /// Opts out of the order: up to `n` calls of this handler run at once for one client. They neither wait for the
    /// client's other messages nor hold them up; a call too many is answered `Overloaded`.
    fn concurrent(self, n: usize) -> HandlerDef {
        self.into_def().with_order(Order::Concurrent(n.max(1)))
    }

    /// Opts out of the order: one call of this handler runs at a time for one client, and a newer message drops the
    /// older call, which is answered with an error.
    fn latest(self) -> HandlerDef {
        self.into_def().with_order(Order::Latest)
    }

    /// Data for guards and layers to read, by type: [`Event::metadata`].
    fn metadata<D: Clone + Send + Sync + 'static>(self, data: D) -> HandlerDef {
        self.into_def().with_metadata(data)
    }
}

macro_rules! handlers {
    ($($arg:ident),*) => {
        impl<F, Fut, R, $($arg),*> Handler<(fn($($arg),*) -> R,)> for F
        where
            F: Fn($($arg),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: IntoReply + 'static,
            $($arg: FromEvent + 'static,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "one body serves every number of arguments")]
            fn into_def(self) -> HandlerDef {
                let mut needs = Needs::default();
                $($arg::needs(&mut needs);)*
                HandlerDef::new(needs, move |mut event: Event| {
                    let handler = self.clone();
                    Box::pin(async move {
                        $(let $arg = match $arg::from_event(&mut event).await {
                            Ok(argument) => argument,
                            Err(rejection) => return Reply::error(rejection),
                        };)*
                        let manual = event.manual.take();
                        drop(event);
                        handler($($arg),*).await.into_reply().with_manual(manual)
                    })
                })
            }
        }
    };
}

crate::extract::each_arity!(handlers);

/// Marks a handler that has its options already.
#[derive(Debug)]
pub enum Configured {}

#[diagnostic::do_not_recommend]
impl Handler<Configured> for HandlerDef {
    fn into_def(self) -> HandlerDef {
        self
    }
}

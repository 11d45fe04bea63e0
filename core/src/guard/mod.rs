//! Guards: may it pass?

mod combine;

use std::{fmt, future::Future, panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};

pub use self::combine::GuardDef;
use crate::{
    extract::{Event, FromEvent, Needs, each_arity},
    panic::caught,
    reply::Denied,
};

/// An erased guard or hook: gives the event back with its verdict.
pub(crate) type Check = Arc<dyn Fn(Event) -> BoxFuture<'static, (Event, Result<(), Denied>)> + Send + Sync>;

/// An async fn with extractors that says whether a message or a client may pass.
///
/// Hooks have the same form. A guard that panics or fails refuses: it never opens.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard or hook",
    label = "not a guard or hook",
    note = "a guard is an async fn of at most ten arguments that implement `FromEvent`, with `()`, `bool`, `Attach<T>` or `Result<_, impl Into<Denied>>` of these as its result"
)]
pub trait Guard<M>: Sized {
    /// The erased guard.
    #[doc(hidden)]
    fn into_check(self) -> Check;

    /// What it must have been given.
    #[doc(hidden)]
    fn needs(&self, needs: &mut Needs);

    /// Passes what both pass. `other` runs only where this one passes.
    fn and<N>(self, other: impl Guard<N>) -> GuardDef {
        combine::and(self, other)
    }

    /// Passes what either passes. `other` runs only where this one refuses, and its refusal is the one that is told.
    fn or<N>(self, other: impl Guard<N>) -> GuardDef {
        combine::or(self, other)
    }

    /// Passes what this one refuses with kind `Forbidden` or `Unauthorized`, and refuses what it passes. Where this one
    /// fails in another way (an extractor, whatever its kind, or a panic), nothing passes; nor where one of those that it is
    /// made of does, and none of them lets pass.
    fn not(self) -> GuardDef {
        combine::not(self)
    }
}

/// On an event that a guard gives back with a refusal: it, or one that it is made of, has not said no but could not judge.
#[derive(Clone)]
struct Unjudged;

/// What a guard may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a guard or hook",
    label = "not a verdict",
    note = "return `()`, `bool`, `Attach<T>` or `Result<_, impl Into<Denied>>` of these"
)]
pub trait IntoVerdict: Send {
    /// The verdict. Data for later guards and for the handler go into the event.
    ///
    /// # Errors
    /// The refusal.
    fn into_verdict(self, event: &mut Event) -> Result<(), Denied>;
}

/// Passes, and puts a value on the event for later guards, layers and the handler: `Extension<T>`.
#[derive(Clone, Copy, Debug)]
pub struct Attach<T>(pub T);

impl IntoVerdict for () {
    fn into_verdict(self, _: &mut Event) -> Result<(), Denied> {
        Ok(())
    }
}

impl IntoVerdict for bool {
    fn into_verdict(self, _: &mut Event) -> Result<(), Denied> {
        if self { Ok(()) } else { Err(Denied::forbidden("Forbidden resource")) }
    }
}

impl<T: Clone + Send + Sync + 'static> IntoVerdict for Attach<T> {
    fn into_verdict(self, event: &mut Event) -> Result<(), Denied> {
        event.extensions_mut().insert(self.0);
        Ok(())
    }
}

impl<T: IntoVerdict, E: Into<Denied> + Send> IntoVerdict for Result<T, E> {
    fn into_verdict(self, event: &mut Event) -> Result<(), Denied> {
        self.map_err(Into::into)?.into_verdict(event)
    }
}

macro_rules! guards {
    ($($arg:ident),*) => {
        impl<F, Fut, V, $($arg),*> Guard<(fn($($arg),*) -> V,)> for F
        where
            F: Fn($($arg),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = V> + Send + 'static,
            V: IntoVerdict + 'static,
            $($arg: FromEvent + 'static,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables, reason = "one body serves every number of arguments")]
            fn into_check(self) -> Check {
                Arc::new(move |event: Event| {
                    let kept = event.clone();
                    let guard = std::panic::catch_unwind(AssertUnwindSafe(|| self.clone()));
                    let run = async move {
                        let mut event = event;
                        let guard = match guard {
                            Ok(guard) => guard,
                            Err(panic) => std::panic::resume_unwind(panic),
                        };
                        $(let $arg = match $arg::from_event(&mut event).await {
                            Ok(argument) => argument,
                            Err(rejection) => {
                                event.extensions_mut().insert(Unjudged);
                                return (event, Err(rejection.into()));
                            }
                        };)*
                        let verdict = guard($($arg),*).await.into_verdict(&mut event);
                        (event, verdict)
                    };
                    Box::pin(async move {
                        AssertUnwindSafe(run).catch_unwind().await.unwrap_or_else(|panic| {
                            let denied = caught("a guard or hook", &*panic, kept.hub_inner().counters());
                            (kept, Err(denied))
                        })
                    })
                })
            }

            fn needs(&self, needs: &mut Needs) {
                $($arg::needs(needs);)*
                let _ = needs;
            }
        }
    };
}

each_arity!(guards);

/// Guards or hooks, with what they need.
#[derive(Default, Clone)]
pub(crate) struct Checks {
    pub(crate) checks: Vec<Check>,
    pub(crate) needs: Needs,
}

impl Checks {
    pub(crate) fn push<M>(&mut self, guard: impl Guard<M>) {
        guard.needs(&mut self.needs);
        self.checks.push(guard.into_check());
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").field("len", &self.checks.len()).finish_non_exhaustive()
    }
}

//! Guards made of guards.

use std::{fmt, sync::Arc};

use futures_util::FutureExt;

use super::{Check, Guard, Unjudged};
use crate::{
    extract::{Event, Needs},
    reply::{Denied, DeniedKind},
};

/// A guard made of others, by [`Guard::and`], [`Guard::or`] and [`Guard::not`].
#[derive(Clone)]
pub struct GuardDef {
    check: Check,
    needs: Needs,
}

/// Marks a guard that is made of others.
#[derive(Debug)]
pub enum Combined {}

#[diagnostic::do_not_recommend]
impl Guard<Combined> for GuardDef {
    fn into_check(self) -> Check {
        self.check
    }

    fn needs(&self, needs: &mut Needs) {
        needs.extend(&self.needs);
    }
}

fn parts<M>(guard: impl Guard<M>) -> (Check, Needs) {
    let mut needs = Needs::default();
    guard.needs(&mut needs);
    (guard.into_check(), needs)
}

pub(super) fn and<M, N>(first: impl Guard<M>, second: impl Guard<N>) -> GuardDef {
    let ((first, mut needs), (second, others)) = (parts(first), parts(second));
    needs.extend(&others);
    let check: Check = Arc::new(move |event| {
        let (first, second) = (Arc::clone(&first), Arc::clone(&second));
        async move {
            match first(event).await {
                (event, Ok(())) => second(event).await,
                refused => refused,
            }
        }
        .boxed()
    });
    GuardDef { check, needs }
}

pub(super) fn or<M, N>(first: impl Guard<M>, second: impl Guard<N>) -> GuardDef {
    let ((first, mut needs), (second, others)) = (parts(first), parts(second));
    needs.extend(&others);
    let check: Check = Arc::new(move |event: Event| {
        let (first, second) = (Arc::clone(&first), Arc::clone(&second));
        async move {
            // What a guard that refuses has attached does not count.
            let untouched = event.clone();
            match first(event).await {
                (event, Ok(())) => (event, Ok(())),
                (judged, Err(denied)) => {
                    log(&denied);
                    let no = is_no(&judged, &denied);
                    let (mut event, verdict) = second(untouched).await;
                    if verdict.is_err() && !no {
                        // Both refuse, but the first one's no is not known.
                        event.extensions_mut().insert(Unjudged);
                    }
                    (event, verdict)
                }
            }
        }
        .boxed()
    });
    GuardDef { check, needs }
}

pub(super) fn not<M>(guard: impl Guard<M>) -> GuardDef {
    let (guard, needs) = parts(guard);
    let check: Check = Arc::new(move |event: Event| {
        let guard = Arc::clone(&guard);
        async move {
            let mut untouched = event.clone();
            let verdict = match guard(event).await {
                (_, Ok(())) => Err(Denied::forbidden("Forbidden resource")),
                (judged, Err(denied)) if is_no(&judged, &denied) => Ok(()),
                (_, Err(failed)) => {
                    // It did not say no, it failed: that opens nothing, however often it is turned around.
                    untouched.extensions_mut().insert(Unjudged);
                    Err(failed)
                }
            };
            (untouched, verdict)
        }
        .boxed()
    });
    GuardDef { check, needs }
}

/// Whether a guard has said no, and has not failed.
fn is_no(judged: &Event, denied: &Denied) -> bool {
    let could_judge = judged.extensions().get::<Unjudged>().is_none();
    could_judge && matches!(denied.kind(), DeniedKind::Forbidden | DeniedKind::Unauthorized)
}

/// A guard's failure that another guard makes up for is told to nobody.
fn log(denied: &Denied) {
    if denied.kind() == DeniedKind::Internal
        && let Some(source) = denied.source()
    {
        tracing::error!(error = %source, "a guard failed");
    }
}

impl fmt::Debug for GuardDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardDef").field("needs", &self.needs).finish_non_exhaustive()
    }
}

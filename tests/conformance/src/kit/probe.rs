//! How handlers and cases tell each other where they are.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Semaphore, mpsc};

use super::{Fail, Outcome, fail};

/// How long any step may take. Only a bound: no case waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bounds a step.
#[track_caller]
pub(crate) fn soon<F: Future>(step: F) -> impl Future<Output = Outcome<F::Output>> {
    let late = fail("nothing came");
    async move { tokio::time::timeout(PATIENCE, step).await.map_err(|_| late) }
}

/// Waits until something holds that nobody announces.
#[track_caller]
pub(crate) fn until(holds: impl Fn() -> bool) -> impl Future<Output = Outcome> {
    soon(async move {
        while !holds() {
            tokio::task::yield_now().await;
        }
    })
}

/// What a case gives to its handlers, as `State<Probe>`: a notebook and a gate.
#[derive(Clone)]
pub(crate) struct Probe {
    notes: mpsc::UnboundedSender<String>,
    gate: Arc<Semaphore>,
    used: Arc<AtomicBool>,
}

/// What handlers noted, in their order.
pub(crate) struct Notes(mpsc::UnboundedReceiver<String>);

impl Probe {
    pub(crate) fn new() -> (Self, Notes) {
        let (notes, noted) = mpsc::unbounded_channel();
        (Self { notes, gate: Arc::new(Semaphore::new(0)), used: Arc::default() }, Notes(noted))
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        // A case that has ended reads no notes.
        drop(self.notes.send(text.into()));
    }

    /// Whether this was asked before.
    pub(crate) fn is_used(&self) -> bool {
        self.used.swap(true, Ordering::AcqRel)
    }

    /// Waits at the gate.
    pub(crate) async fn pass(&self) {
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
    }

    /// Lets so many pass.
    pub(crate) fn open(&self, count: usize) {
        self.gate.add_permits(count);
    }

    /// A guard that notes when it is dropped.
    pub(crate) fn at_drop(&self, text: &'static str) -> AtDrop {
        AtDrop(self.clone(), text)
    }
}

pub(crate) struct AtDrop(Probe, &'static str);

impl Drop for AtDrop {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

impl Notes {
    pub(crate) async fn next(&mut self) -> Outcome<String> {
        soon(self.0.recv()).await?.ok_or_else(|| fail("no handler is left"))
    }

    /// The next notes must be these.
    pub(crate) async fn expect(&mut self, wanted: &[&str]) -> Outcome {
        for want in wanted {
            let got = self.next().await?;
            if got != *want {
                let rest = self.rest();
                return Err(Fail::from_notes(&got, want, &rest));
            }
        }
        Ok(())
    }

    /// Everything noted until now.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

impl Fail {
    fn from_notes(got: &str, want: &str, rest: &[String]) -> Self {
        fail(format!("the handlers noted {got:?} instead of {want:?}, then {rest:?}"))
    }
}

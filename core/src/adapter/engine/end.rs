//! The end of a session.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use bytes::Bytes;

use super::{Engine, Phase, Work};
use crate::{
    adapter::Shared,
    client::CloseReason,
    gateway::{HookEvent, Namespace, run_hooks},
    message::Outlet,
    panic::discard,
};

/// How long `on_disconnect` may still run when the drain's time is over.
const LAST_HOOK: Duration = Duration::from_secs(1);

impl Engine {
    /// The beginning of the end: rooms are left at once, and what runs runs to its end.
    pub(crate) async fn leave(mut self: Box<Self>) -> Box<Self> {
        self.gone = true;
        let inner = self.client.inner();
        // Before the outbox forgets where the door reaches this client as one of a group.
        self.client.hub_inner().depart(&self.client);
        inner.outbox.shut();
        inner.acks.close();
        // Somebody may have given it an end in between; from here on nobody can.
        self.client.hub_inner().expiries().forget(self.client.id());
        for side in std::mem::take(&mut self.side) {
            match side.work {
                Work::Call { .. } => self.side.push(side),
                Work::Stream(stream) => discard(stream, &self.shared.counters),
            }
        }
        let killed = self.shared.killed.clone();
        let rest = poll_fn(|cx| {
            self.progress(cx, &mut Nowhere);
            if self.is_working() { Poll::Pending } else { Poll::Ready(()) }
        });
        tokio::select! {
            biased;
            () = rest => {}
            () = killed.cancelled() => {}
        }
        self
    }

    /// The end of the end: `on_disconnect`.
    pub(crate) async fn disconnect(mut self: Box<Self>, reason: CloseReason) {
        // What a drain has cut off is dropped before.
        let counters = Arc::clone(&self.shared.counters);
        if let Some(current) = self.current.take() {
            discard(current.future, &counters);
        }
        for side in std::mem::take(&mut self.side) {
            discard(side.work, &counters);
        }
        if matches!(self.phase, Phase::Open) {
            self.shared.observe(|observer| observer.disconnected(&self.client, &reason));
        }
        if matches!(self.phase, Phase::Open) && !self.namespace.on_disconnect.is_empty() {
            let event = HookEvent::of(&self.client, "disconnect", Some(reason));
            let (namespace, shared) = (Arc::clone(&self.namespace), Arc::clone(&self.shared));
            let Self { _permit: permit, .. } = *self;
            run_last_hooks(&namespace, &shared, event).await;
            drop(permit);
        }
    }
}

/// Every hook runs, whatever the others do.
async fn run_last_hooks(namespace: &Namespace, shared: &Shared, event: HookEvent) {
    let hooks = async {
        for hook in &namespace.on_disconnect {
            if let Err(denied) = run_hooks(vec![hook.clone()], event.clone()).await {
                denied.log();
            }
        }
    };
    let too_late = async {
        shared.killed.cancelled().await;
        tokio::time::sleep(LAST_HOOK).await;
    };
    tokio::select! {
        biased;
        () = hooks => {}
        () = too_late => tracing::warn!("on_disconnect did not end in time"),
    }
}

/// Where replies to a client that is gone are written.
struct Nowhere;

impl Outlet for Nowhere {
    fn text(&mut self, _: &[u8]) {}
    fn binary(&mut self, _: &[u8]) {}
    fn framed(&mut self, _: &Bytes) {}
}

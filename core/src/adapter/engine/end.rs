//! The end of a session.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use bytes::Bytes;

use super::{Engine, Phase, Work, hook_event, log};
use crate::{
    adapter::Shared,
    client::CloseReason,
    gateway::{HookEvent, Namespace, run_hooks},
    message::Outlet,
};

/// How long `on_disconnect` may still run when the drain's time is over.
const LAST_HOOK: Duration = Duration::from_secs(1);

impl Engine {
    /// The end: rooms are left at once, what runs runs to its end, then `on_disconnect`.
    pub(crate) async fn finish(mut self: Box<Self>, reason: CloseReason) {
        self.gone = true;
        let inner = self.client.inner();
        inner.outbox.shut();
        inner.acks.close();
        self.client.hub_inner().depart(&self.client);
        self.side.retain(|side| matches!(side.work, Work::Call { .. }));
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
        if matches!(self.phase, Phase::Open) && !self.namespace.on_disconnect.is_empty() {
            let event = hook_event(&self.client, "disconnect", Some(reason));
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
                log(&denied);
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

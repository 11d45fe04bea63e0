//! The in-memory adapter as a door: the reference.

use std::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::Request;
use narthex_core::{Adapter, Capability, Frame, Memory, MemoryConnector, MemoryPeer};

use crate::door::{Arrive, Boxed, Dial, Door, Gone, Peer, Refused, Shows};

/// The in-memory adapter as a door.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryDoor;

impl Door for MemoryDoor {
    fn shows(&self) -> Shows {
        Shows::new(
            Capability::default().with_binary(true).with_refuses_over_http(true).with_close_codes(true),
        )
        .requests()
    }

    fn open(&self) -> (Adapter, Box<dyn Dial>) {
        let memory = Memory::new();
        let connector = memory.connector();
        (Adapter::new(memory), Box::new(MemoryDial(connector)))
    }
}

struct MemoryDial(MemoryConnector);

impl Dial for MemoryDial {
    fn dial<'a>(
        &'a self,
        _: Option<SocketAddr>,
        to: &'a Arrive,
    ) -> Boxed<'a, Result<Box<dyn Peer>, Refused>> {
        Box::pin(async move {
            let mut request = Request::get(&to.path);
            for (name, value) in &to.headers {
                request = request.header(name, value);
            }
            let request = request.body(()).map_err(|e| Refused { status: None, text: e.to_string() })?;
            match self.0.connect(request).await {
                Ok(peer) => Ok(Box::new(Far(Mutex::new(peer))) as Box<dyn Peer>),
                Err(refusal) => Err(Refused {
                    status: Some(refusal.status().as_u16()),
                    text: String::from_utf8_lossy(refusal.body()).into_owned(),
                }),
            }
        })
    }
}

struct Far(Mutex<MemoryPeer>);

impl Far {
    fn lock(&self) -> MutexGuard<'_, MemoryPeer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer for Far {
    fn send(&self, frame: Frame) -> Boxed<'_, Result<(), Gone>> {
        let sent = self.lock().send(frame);
        Box::pin(async move { sent.await.map_err(|_| Gone) })
    }

    fn recv(&self) -> Boxed<'_, Option<Frame>> {
        // The lock is never held between two polls, so that a `send` may begin meanwhile.
        Box::pin(poll_fn(|cx| pin!(self.lock().recv()).poll(cx)))
    }

    fn close<'a>(&'a self, code: u16, text: &'a str) -> Boxed<'a, ()> {
        self.lock().close(code, text);
        Box::pin(async {})
    }

    fn goodbye(&self) -> Option<(u16, String)> {
        let reason = self.lock().close_reason()?;
        Some((reason.code(), reason.text().to_owned()))
    }

    fn abort(self: Box<Self>) {}
}

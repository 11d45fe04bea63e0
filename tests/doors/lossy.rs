//! A broken door: the suite must notice.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use narthex::{Adapter, Frame};
use narthex_conformance::{Arrive, Boxed, Dial, Door, Gone, MemoryDoor, Peer, Refused, Shows};

/// The in-memory door with a hole: every seventh frame to a peer is lost.
pub(crate) struct LossyDoor;

impl Door for LossyDoor {
    fn shows(&self) -> Shows {
        MemoryDoor.shows()
    }

    fn open(&self) -> (Adapter, Box<dyn Dial>) {
        let (adapter, dial) = MemoryDoor.open();
        (adapter, Box::new(LossyDial(dial)))
    }
}

struct LossyDial(Box<dyn Dial>);

impl Dial for LossyDial {
    fn dial<'a>(
        &'a self,
        addr: Option<SocketAddr>,
        to: &'a Arrive,
    ) -> Boxed<'a, Result<Box<dyn Peer>, Refused>> {
        Box::pin(async move {
            let peer = self.0.dial(addr, to).await?;
            Ok(Box::new(Lossy { peer, received: AtomicUsize::new(0) }) as Box<dyn Peer>)
        })
    }
}

struct Lossy {
    peer: Box<dyn Peer>,
    received: AtomicUsize,
}

impl Peer for Lossy {
    fn send(&self, frame: Frame) -> Boxed<'_, Result<(), Gone>> {
        self.peer.send(frame)
    }

    fn recv(&self) -> Boxed<'_, Option<Frame>> {
        Box::pin(async {
            loop {
                let frame = self.peer.recv().await?;
                if self.received.fetch_add(1, Ordering::Relaxed) % 7 != 6 {
                    return Some(frame);
                }
            }
        })
    }

    fn close<'a>(&'a self, code: u16, text: &'a str) -> Boxed<'a, ()> {
        self.peer.close(code, text)
    }

    fn goodbye(&self) -> Option<(u16, String)> {
        self.peer.goodbye()
    }

    fn abort(self: Box<Self>) {
        self.peer.abort();
    }
}

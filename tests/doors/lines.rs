//! The example of a door of one's own, reached over TCP.

use std::net::SocketAddr;

use futures_util::StreamExt;
use narthex::{Adapter, Capability, Frame};
use narthex_conformance::{Arrive, Boxed, Dial, Door, Gone, Peer, Refused, Shows};
use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Mutex,
};
use tokio_util::codec::{FramedRead, LinesCodec};

use crate::custom_adapter::Lines;

pub(crate) struct LinesDoor;

impl Door for LinesDoor {
    fn shows(&self) -> Shows {
        Shows::new(Capability::default()).address().protocol()
    }

    fn open(&self) -> (Adapter, Box<dyn Dial>) {
        (Adapter::new(Lines), Box::new(LinesDial))
    }
}

struct LinesDial;

impl Dial for LinesDial {
    fn dial<'a>(
        &'a self,
        addr: Option<SocketAddr>,
        _: &'a Arrive,
    ) -> Boxed<'a, Result<Box<dyn Peer>, Refused>> {
        let failed = |text: String| Refused { status: None, text };
        Box::pin(async move {
            let addr = addr.ok_or_else(|| failed("the server has no address".to_owned()))?;
            let stream = TcpStream::connect(addr).await.map_err(|e| failed(e.to_string()))?;
            let (read, write) = stream.into_split();
            let read = Mutex::new(FramedRead::new(read, LinesCodec::new()));
            Ok(Box::new(Far { read, write: Mutex::new(write) }) as Box<dyn Peer>)
        })
    }
}

struct Far {
    read: Mutex<FramedRead<OwnedReadHalf, LinesCodec>>,
    write: Mutex<OwnedWriteHalf>,
}

impl Far {
    async fn write(&self, bytes: Vec<u8>) -> Result<(), Gone> {
        self.write.lock().await.write_all(&bytes).await.map_err(|_| Gone)
    }
}

impl Peer for Far {
    fn send(&self, frame: Frame) -> Boxed<'_, Result<(), Gone>> {
        Box::pin(self.write([frame.payload(), &b"\n"[..]].concat()))
    }

    fn recv(&self) -> Boxed<'_, Option<Frame>> {
        Box::pin(async { self.read.lock().await.next().await?.ok().map(Frame::text) })
    }

    fn close<'a>(&'a self, _: u16, _: &'a str) -> Boxed<'a, ()> {
        // The server may have closed in this moment.
        Box::pin(async { drop(self.write.lock().await.shutdown().await) })
    }

    fn goodbye(&self) -> Option<(u16, String)> {
        None
    }

    fn offend(&self) -> Boxed<'_, Result<(), Gone>> {
        Box::pin(self.write(b"\xff\xfe\n".to_vec()))
    }

    fn abort(self: Box<Self>) {}
}

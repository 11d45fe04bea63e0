//! Sentences of the contract that no other case checks.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Mutex,
};

use narthex_core::{
    Adapter, CloseReason, Connect, Error, ErrorKind, Gateway, Options, Server, Session, State,
    WebSocketAdapter,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::list;
use crate::{
    door::{Arrive, Need},
    kit::{Guest, Heard, Kit, Outcome, Probe, ensure, fail, same, soon},
};

list! {
    taken: "an address that cannot be bound is an error that names it", [1], [Address];
    reported: "the adapter reports the address that it listens on", [2], [Address];
    not_yet: "nobody is let in before every adapter is open", [3], [];
    offence: "a frame that breaks the protocol ends that client alone, with the reason", [10 16], [Protocol];
    too_large: "a message of 1 MiB hurts at most the client that sent it", [16 17], [];
}

async fn left(State(probe): State<Probe>, reason: CloseReason) {
    probe.note(format!("{reason:?}"));
}

async fn taken(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let addr = house.addr().ok_or_else(|| fail("no address was reported"))?;
    let (adapter, _) = kit.door.open();
    match soon(Server::new(Gateway::new()).adapters([adapter]).bind(addr)).await? {
        Ok(_) => Err(fail("the address was bound twice")),
        Err(error) => {
            let text = format!("{error:?}");
            ensure(text.contains(&addr.to_string()), &format!("{text:?} names {addr}"))
        }
    }
}

async fn reported(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    ensure(house.addr().is_some_and(|addr| addr.port() != 0), "a real address is reported")?;
    house.join().await.map(drop)
}

/// An adapter that opens late and fails, and tells where the others listen.
struct Late {
    tell: Mutex<Option<oneshot::Sender<Option<SocketAddr>>>>,
    probe: Probe,
}

impl WebSocketAdapter for Late {
    type Server = ();
    type Client = ();

    async fn create(&self, options: &Options) -> narthex_core::Result<()> {
        let tell = self.tell.lock().ok().and_then(|mut tell| tell.take());
        // The case has ended where nobody listens.
        let _: Option<Result<_, _>> = tell.map(|tell| tell.send(options.local_addr()));
        self.probe.pass().await;
        Err(Error::new(ErrorKind::Bind, "too late"))
    }

    async fn bind_client_connect(&self, (): (), _: Connect<()>) -> narthex_core::Result<()> {
        Ok(())
    }

    async fn bind_message_handlers(&self, (): (), _: Session) -> CloseReason {
        CloseReason::ClientGone
    }
}

async fn not_yet(kit: Kit<'_>) -> Outcome {
    async fn judged(State(probe): State<Probe>) {
        probe.note("judged");
    }
    let ((probe, mut notes), (tell, told)) = (Probe::new(), oneshot::channel());
    let (adapter, dial) = kit.door.open();
    let late = Adapter::new(Late { tell: Mutex::new(Some(tell)), probe: probe.clone() });
    let gateway = Gateway::new().connect_guard(judged).on("hello", async || "hello");
    let server = Server::new(gateway).state(probe.clone()).adapters([adapter, late]);
    let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let early = async {
        let addr = soon(told).await?.map_err(|_| fail("the second adapter was not asked"))?;
        let arrive = async {
            let peer = dial.dial(addr, &Arrive::at("/")).await.ok()?;
            Guest::new(peer).value("hello", Value::Null).await.ok()
        };
        let (served, ()) = tokio::join!(soon(arrive), async { probe.open(1) });
        same(served?, None)
    };
    let bind = async { Ok(soon(server.bind(here)).await?.map(drop)) };
    let (bound, ()) = tokio::try_join!(bind, early)?;
    same(bound.map_err(|error| error.kind()), Err(ErrorKind::Bind))?;
    same(notes.rest(), Vec::<String>::new())
}

async fn offence(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on_disconnect(left)).await?;
    let (guest, mut other) = (house.join().await?, house.join().await?);
    soon(guest.peer().offend()).await??;
    let goodbye = guest.goodbye().await?;
    if house.shows(Need::CloseCodes) {
        let code = goodbye.map(|(code, _)| code);
        ensure(matches!(code, Some(1002 | 1003 | 1007)), &format!("{code:?} names an offence"))?;
    }
    let reason = house.notes.next().await?;
    ensure(reason.starts_with("Protocol") || reason.starts_with("Failed"), &reason)?;
    same(other.value("hello", Value::Null).await?, json!("hello"))
}

async fn too_large(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let (guest, mut other) = (house.join().await?, house.join().await?);
    let text = format!(r#"{{"event":"nobody","data":"{}"}}"#, "x".repeat(1024 * 1024));
    // A door that does not want it may close before it is sent.
    let sent = guest.text(text).await;
    match guest.read().await {
        Ok(Heard::Event { event, .. }) => same(event.as_str(), "exception")?,
        Ok(other) => return Err(fail(format!("{other:?}"))),
        Err(_) => drop(sent),
    }
    same(other.value("hello", Value::Null).await?, json!("hello"))
}

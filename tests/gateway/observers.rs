//! What sees the whole server: observers, what is put around all gateways, and the end of a client's credentials.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use http::Request;
use narthex::middleware::from_fn::{Next, from_fn};
use narthex_core::{
    Client, CloseReason, DecodeErrorKind, Denied, Event, Extension, Frame, Gateway, Json, Observer, OnOpen,
    Refused, Sent, Server, TestServer,
};
use tokio::time::Instant;
use tower::ServiceBuilder;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Log {
    fn connected(&self, client: &Client) {
        self.add(format!("connected by {}", client.adapter()));
    }

    fn disconnected(&self, _: &Client, reason: &CloseReason) {
        self.add(format!("disconnected with {}", reason.code()));
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.add(format!("refused {} {:?} {}", refused.adapter, refused.namespace, refused.status.as_u16()));
    }

    fn sent(&self, sent: &Sent<'_>) {
        self.add(format!("{:?} {:?} to {}", sent.kind, sent.event, sent.clients));
    }
}

async fn spread(client: Client) -> Result<u8, Denied> {
    client.hub().emit("news", &1)?;
    client.emit("mine", &2)?;
    Ok(3)
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_who_comes_and_goes_and_what_is_sent() {
    let log = Log::default();
    let gateway = Gateway::new().namespace("/game/{id}").on("spread", spread);
    let server = TestServer::of(Server::new(gateway).observe(log.clone())).await.unwrap();
    let mut ann = server.connect_to("/game/1").await.unwrap();
    let _bob = server.connect_to("/game/1").await.unwrap();
    assert_eq!(log.take(), ["connected by memory", "connected by memory"]);
    ann.ask::<u8>("spread", &()).await.unwrap();
    ann.ask::<u8>("nobody", &()).await.unwrap_err();
    let expected =
        ["Event Some(\"news\") to 2", "Event Some(\"mine\") to 1", "Ack None to 1", "Error None to 1"];
    assert_eq!(log.take(), expected);
    ann.close(4321, "bye");
    server.drain().await.unwrap();
    assert_eq!(log.take(), ["disconnected with 4321", "disconnected with 1001"]);
}

#[tokio::test(start_paused = true)]
async fn an_observer_learns_which_namespace_refused_and_how() {
    let log = Log::default();
    let late = Gateway::new().namespace("/late").on_connect(async || Err::<(), _>(Denied::forbidden("no")));
    let early = Gateway::new().namespace("/{any}/early").connect_guard(async || false);
    let server = Server::new(late).gateway(early).observe(log.clone());
    let server = TestServer::of(server).await.unwrap();
    for path in ["/x/early", "/nowhere"] {
        server.connect_to(path).await.unwrap_err();
    }
    assert_eq!(server.connect_to("/late").await.unwrap().closed().await.unwrap().code(), 1008);
    let expected = [
        "refused memory Some(\"/{any}/early\") 403",
        "refused memory None 404",
        "refused memory Some(\"/late\") 403",
    ];
    assert_eq!(log.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_changes_nothing_but_the_count() {
    struct Clumsy;
    impl Observer for Clumsy {
        fn connected(&self, _: &Client) {
            panic!("an observer was asked to panic");
        }
    }
    let server = Server::new(Gateway::new().on("one", async || 1)).observe(Clumsy);
    let server = TestServer::of(server).await.unwrap();
    assert_eq!(server.connect().await.unwrap().ask::<u8>("one", &()).await.unwrap(), 1);
    assert_eq!(server.stats().panics, 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_wants_of_connects_holds_for_every_gateway_and_comes_first() {
    let log = Log::default();
    let noting = |text: &'static str, log: &Log| {
        let log = log.clone();
        move || {
            log.add(text.to_owned());
            async {}
        }
    };
    let layer = ServiceBuilder::new().map_request(|mut request: Request<_>| {
        request.extensions_mut().insert(7_u8);
        request
    });
    let gateway = |path: &str| {
        Gateway::new()
            .namespace(path)
            .connect_guard(noting("gateway's guard", &log))
            .on_connect(noting("gateway's connect", &log))
            .on_disconnect(noting("gateway's disconnect", &log))
            .on("seven", |Extension(n): Extension<u8>| async move { n })
    };
    let server = Server::new(gateway("/a"))
        .gateway(gateway("/b"))
        .handshake_layer(layer)
        .connect_guard(noting("server's guard", &log))
        .on_connect(noting("server's connect", &log))
        .on_disconnect(noting("server's disconnect", &log));
    let server = TestServer::of(server).await.unwrap();
    let mut at_b = server.connect_to("/b").await.unwrap();
    assert_eq!(at_b.ask::<u8>("seven", &()).await.unwrap(), 7);
    drop(at_b);
    server.drain().await.unwrap();
    let expected = [
        "server's guard",
        "gateway's guard",
        "server's connect",
        "gateway's connect",
        "gateway's disconnect",
        "server's disconnect",
    ];
    assert_eq!(log.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn layers_see_unknown_events_and_frames_that_cannot_be_read() {
    let log = Log::default();
    let noting = |place: &'static str, log: &Log| {
        let log = log.clone();
        from_fn(move |event: Event, next: Next| {
            let kind = event.unreadable().map(|error| error.kind);
            log.add(format!("{place}: {:?} {kind:?}", event.name().as_str()));
            next.run(event)
        })
    };
    let gateway = Gateway::new().layer(noting("gateway", &log)).guard(async || false).on("one", async || 1);
    let server = Server::new(gateway).message_layer(noting("server", &log));
    let server = TestServer::of(server).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(client.ask::<u8>("nobody", &()).await.unwrap_err().to_string(), "Unknown event");
    assert_eq!(log.take(), ["server: \"nobody\" None", "gateway: \"nobody\" None"]);
    client.send_frame(Frame::text("{")).await.unwrap();
    client.expect("exception").await.unwrap();
    let syntax = Some(DecodeErrorKind::Syntax);
    assert_eq!(log.take(), [format!("server: \"\" {syntax:?}"), format!("gateway: \"\" {syntax:?}")]);
}

fn in_seconds(seconds: u64) -> Option<SystemTime> {
    Some(SystemTime::now() + Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn a_client_is_closed_when_its_time_is_over_and_another_is_not() {
    let gateway =
        Gateway::new().on("expire", |client: Client, Json(seconds): Json<Option<u64>>| async move {
            client.expire_at(seconds.and_then(in_seconds));
            client.expires_at().is_some()
        });
    let server = TestServer::new(gateway).await.unwrap();
    let mut clients = Vec::new();
    for seconds in [Some(60), Some(20), None] {
        let mut client = server.connect().await.unwrap();
        assert_eq!(client.ask::<bool>("expire", &seconds).await.unwrap(), seconds.is_some());
        clients.push(client);
    }
    let start = Instant::now();
    let reason = clients[1].closed().await.unwrap();
    assert_eq!((reason.code(), reason.text()), (4401, "token expired"));
    assert_eq!(start.elapsed().as_secs(), 20);
    // Given more time, and then no end at all.
    assert!(clients[0].ask::<bool>("expire", &Some(3600)).await.unwrap());
    assert!(!clients[2].ask::<bool>("expire", &None::<u64>).await.unwrap());
    assert_eq!(clients[0].closed().await.unwrap().code(), 4401);
    assert!(start.elapsed().as_secs() >= 3600);
    assert!(!clients[2].ask::<bool>("expire", &None::<u64>).await.unwrap());
    clients[2].ask::<bool>("expire", &Some(0)).await.unwrap();
    assert_eq!(clients[2].closed().await.unwrap().code(), 4401);
    server.drain().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_wants_done_on_open_comes_before_on_connect_and_its_panic_closes() {
    let layer = ServiceBuilder::new().map_request(|mut request: Request<_>| {
        let clumsy = request.uri().query() == Some("clumsy");
        OnOpen::add(request.extensions_mut(), |client| client.set_user("ada"));
        OnOpen::add(request.extensions_mut(), move |_| assert!(!clumsy, "asked to panic"));
        request
    });
    let gateway = Gateway::new().handshake_layer(layer).on_connect(|client: Client| async move {
        client.emit("user", client.user().as_deref().unwrap_or(""))
    });
    let server = TestServer::new(gateway).await.unwrap();
    assert_eq!(server.connect().await.unwrap().expect("user").await.unwrap(), "ada");
    let mut closed = server.connect_to("/?clumsy").await.unwrap();
    assert_eq!(closed.closed().await.unwrap().code(), 1011);
}

#[tokio::test(start_paused = true)]
async fn an_extension_is_the_events_or_the_clients_or_the_handshakes() {
    let layer = ServiceBuilder::new().map_request(|mut request: Request<_>| {
        request.extensions_mut().insert("handshake's");
        request
    });
    let gateway = Gateway::new()
        .handshake_layer(layer)
        .on("which", |Extension(which): Extension<&'static str>| async move { which })
        .on("replace", |client: Client| async move { client.set_data("client's").is_some() });
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(client.ask::<String>("which", &()).await.unwrap(), "handshake's");
    client.ask::<bool>("replace", &()).await.unwrap();
    assert_eq!(client.ask::<String>("which", &()).await.unwrap(), "client's");
}

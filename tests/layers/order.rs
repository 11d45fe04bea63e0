//! The order of execution, as `docs/layers.md` says it.

use std::{
    future::{Ready, ready},
    sync::{Arc, Mutex},
};

use narthex::{
    Client, CloseReason, Denied, Event, Failed, FromEvent, Gateway, Handler, HandshakeBody, Observer, OnOpen,
    Server, State,
    middleware::{
        from_fn::{self, HandshakeNext, HandshakeRequest},
        map_reply,
    },
};
use narthex_core::TestServer;
use tokio::sync::mpsc;

const PAGE: &str = include_str!("../../docs/layers.md");

/// The names of a list of the page: what stands in the first backticks of each of its numbered lines.
fn listed(heading: &str) -> Vec<String> {
    let (_, rest) = PAGE.split_once(&format!("### {heading}\n")).expect("the page has the heading");
    let list = rest.lines().skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
    let numbered = list.enumerate().map(|(at, line)| {
        let name = line.strip_prefix(&format!("{}. `", at + 1)).and_then(|line| line.split_once('`'));
        name.expect("a numbered line with a name").0.to_owned()
    });
    numbered.collect()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, name: &str) {
        self.0.lock().unwrap().push(name.to_owned());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A layer of the handshake that notes when a request goes in, and when its answer comes out.
    fn handshake(&self, name: &'static str) -> impl narthex::HandshakeLayer<HandshakeBody> {
        let log = self.clone();
        from_fn::handshake(move |mut request: HandshakeRequest, next: HandshakeNext| {
            let log = log.clone();
            async move {
                log.note(name);
                if name.starts_with("Server") {
                    let log = log.clone();
                    OnOpen::add(request.extensions_mut(), move |_: &Client| log.note("OnOpen"));
                }
                let answer = next.run(request).await;
                log.note(name);
                answer
            }
        })
    }

    /// A layer of messages that notes when a call goes in, and when its reply comes out.
    fn message(&self, name: &'static str) -> impl narthex::MessageLayer {
        let log = self.clone();
        map_reply(move |_: &Event| {
            log.note(name);
            let log = log.clone();
            move |reply: narthex::Reply| {
                log.note(name);
                reply
            }
        })
    }

    /// A guard or hook.
    fn hook(&self, name: &'static str) -> impl Fn() -> Ready<()> + Clone + Send + Sync + 'static {
        let log = self.clone();
        move || {
            log.note(name);
            ready(())
        }
    }

    /// A filter that leaves the failure to the next one.
    fn filter(&self, name: &'static str) -> impl Fn(Denied, Failed) -> Ready<Denied> + Send + Sync + 'static {
        let log = self.clone();
        move |denied, _| {
            log.note(name);
            ready(denied)
        }
    }
}

/// An argument that notes when it is made.
struct Noted;

impl FromEvent for Noted {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let State(log) = State::<Log>::from_event(event).await?;
        log.note("FromEvent");
        Ok(Self)
    }
}

async fn fails(_: Noted, State(log): State<Log>) -> Result<(), Denied> {
    log.note("Handler");
    Err(Denied::bad_request("so that filters run"))
}

struct Watch(Log);

impl Observer for Watch {
    fn connected(&self, _: &Client) {
        self.0.note("Observer::connected");
    }

    fn disconnected(&self, _: &Client, _: &CloseReason) {
        self.0.note("Observer::disconnected");
    }
}

fn server(log: &Log, left: mpsc::UnboundedSender<()>) -> Server {
    let handler = fails
        .layer(log.message("Handler::layer"))
        .guard(log.hook("Handler::guard"))
        .filter(log.filter("Handler::filter"));
    let gateway = Gateway::new()
        .state(log.clone())
        .handshake_layer(log.handshake("Gateway::handshake_layer"))
        .connect_guard(log.hook("Gateway::connect_guard"))
        .on_connect(log.hook("Gateway::on_connect"))
        .on_disconnect(log.hook("Gateway::on_disconnect"))
        .layer(log.message("Gateway::layer"))
        .guard(log.hook("Gateway::guard"))
        .filter(log.filter("Gateway::filter"))
        .on("e", handler);
    let last = log.hook("Server::on_disconnect");
    Server::new(gateway)
        .handshake_layer(log.handshake("Server::handshake_layer"))
        .connect_guard(log.hook("Server::connect_guard"))
        .on_connect(log.hook("Server::on_connect"))
        .on_disconnect(move || {
            // Nobody waits any more once a test has failed.
            let _ = left.send(());
            last()
        })
        .message_layer(log.message("Server::message_layer"))
        .guard(log.hook("Server::guard"))
        .filter(log.filter("Server::filter"))
        .observe(Watch(log.clone()))
}

#[tokio::test(start_paused = true)]
async fn what_runs_when_is_what_the_page_says() {
    let log = Log::default();
    let (left, mut has_left) = mpsc::unbounded_channel();
    let server = TestServer::of(server(&log, left)).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(log.take(), listed("A client arrives"));
    client.ask_value("e", &()).await.unwrap().unwrap_err();
    assert_eq!(log.take(), listed("A message comes"));
    client.close(1000, "");
    has_left.recv().await.unwrap();
    assert_eq!(log.take(), listed("A client leaves"));
}

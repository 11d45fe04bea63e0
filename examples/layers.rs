//! The two stacks that every door has: layers of the handshake, and layers of messages. Connect with `?name=ada`.
use std::time::{Duration, Instant};

use narthex::{
    Denied, Event, Extension, Gateway, Handler, Reply, adapters,
    middleware::{
        ConcurrencyLayer, HandleErrorLayer, TimeoutLayer,
        from_fn::{self, HandshakeNext, HandshakeRequest, HandshakeResponse, Next},
        map_reply,
    },
};
use serde_json::json;
use tower::{ServiceBuilder, limit::ConcurrencyLimitLayer, load_shed::LoadShedLayer};
use tower_http::request_id::{MakeRequestUuid, SetRequestIdLayer};

#[derive(Clone)]
struct Name(String);

/// A handshake layer: what it puts in the request, handlers take; an error is a refusal before the client is open.
async fn named(mut request: HandshakeRequest, next: HandshakeNext) -> Result<HandshakeResponse, Denied> {
    let query = request.uri().query().unwrap_or_default();
    let name = query.split('&').find_map(|pair| pair.strip_prefix("name="));
    let name = Name(name.ok_or_else(|| Denied::unauthorized("Who are you?"))?.to_owned());
    request.extensions_mut().insert(name);
    Ok(next.run(request).await)
}

/// A message layer: it sees each event and its reply, failures too.
async fn logged(event: Event, next: Next) -> Reply {
    let (name, reply) = (event.name().clone(), next.run(event).await);
    println!("{name}: {}", if reply.denied().is_some() { "failed" } else { "fine" });
    reply
}

async fn greet(Extension(Name(name)): Extension<Name>) -> String {
    format!("hello, {name}")
}

#[tokio::main]
async fn main() -> narthex::Result<()> {
    // An interceptor: what it keeps of the call is there for the reply.
    let timed = map_reply(|_: &Event| {
        let start = Instant::now();
        move |reply: Reply| {
            reply.map_values(move |data| json!({ "data": data, "seconds": start.elapsed().as_secs_f64() }))
        }
    });
    // tower's own layers may fail, so something outside of them says what that means.
    let few = ServiceBuilder::new().layer(HandleErrorLayer::tower()).layer(LoadShedLayer::new());
    let gateway = Gateway::new()
        .handshake_layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .handshake_layer(from_fn::handshake(named))
        .layer(from_fn::from_fn(logged))
        .layer(TimeoutLayer::new(Duration::from_secs(10)))
        .layer(ConcurrencyLayer::new(1_000))
        .on("greet", greet.layer(timed).layer(few.layer(ConcurrencyLimitLayer::new(8))));
    narthex::serve(adapters::enabled()?, ([127, 0, 0, 1], 3000), gateway).await
}

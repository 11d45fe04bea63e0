//! Who is let in, and where.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use narthex_core::{
    Client, Denied, Extension, Gateway, Handshake, HandshakeRoute, Hub, Json, Limits, Path, Query, State,
};
use serde_json::{Value, json};
use tower::{layer::layer_fn, service_fn, util::MapRequestLayer};

use super::list;
use crate::{
    door::Arrive,
    kit::{Kit, Outcome, Probe, ensure, same},
};

list! {
    by_guard: "a client that a connect guard refuses is told why", [4 5], [];
    by_layer: "a client that a layer of the handshake refuses gets that layer's answer", [4 5], [];
    panics: "a panic in a connect guard refuses that client alone, and says nothing of it", [5], [];
    extension: "what a layer puts into the handshake, handlers find", [4], [];
    unknown: "an unknown namespace is refused with 404", [5], [HttpRefusals Requests];
    parameters: "a namespace with parameters has rooms and clients of its own for each path", [4], [Requests];
    query: "the query and the headers of the handshake reach handlers", [4], [Requests];
    full: "a full server refuses with 503, until somebody leaves", [5 14], [];
    slow: "a slow handshake holds up nobody else", [6], [];
}

async fn by_guard(kit: Kit<'_>) -> Outcome {
    async fn closed() -> Result<(), Denied> {
        Err(Denied::unauthorized("Who are you?"))
    }
    let house = kit.serve(Gateway::new().connect_guard(closed)).await?;
    house.refused(&Arrive::at("/"), 401, "Who are you?").await?;
    same((house.hub()?.len(), house.stats().refused, house.stats().clients), (0, 1, 0))
}

async fn by_layer(kit: Kit<'_>) -> Outcome {
    let teapot = layer_fn(|_: HandshakeRoute| {
        service_fn(|_: Request<Empty<Bytes>>| async {
            let mut answer = Response::new(Full::new(Bytes::from_static(b"short and stout")));
            *answer.status_mut() = http::StatusCode::IM_A_TEAPOT;
            Ok::<_, Infallible>(answer)
        })
    });
    let house = kit.serve(Gateway::new().handshake_layer(teapot)).await?;
    house.refused(&Arrive::at("/"), 418, "short and stout").await
}

async fn panics(kit: Kit<'_>) -> Outcome {
    async fn first_only(State(probe): State<Probe>) {
        if !probe.is_used() {
            // No hook prints it: it is meant.
            std::panic::resume_unwind(Box::new("a secret"));
        }
    }
    let house = kit.serve(Gateway::new().connect_guard(first_only)).await?;
    house.refused(&Arrive::at("/"), 500, "Internal server error").await?;
    house.join().await.map(drop)
}

async fn extension(kit: Kit<'_>) -> Outcome {
    #[derive(Clone)]
    struct User(&'static str);
    async fn who(Extension(user): Extension<User>) -> &'static str {
        user.0
    }
    let put = MapRequestLayer::new(|mut request: Request<Empty<Bytes>>| {
        request.extensions_mut().insert(User("Ada"));
        request
    });
    let house = kit.serve(Gateway::new().on("who", who).handshake_layer(put)).await?;
    same(house.join().await?.value("who", Value::Null).await?, json!("Ada"))
}

async fn unknown(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new().namespace("/chat")).await?;
    house.refused(&Arrive::at("/chess"), 404, "").await?;
    house.refused(&Arrive::at("/"), 404, "").await?;
    house.refused(&Arrive::at("/chat/more"), 404, "").await?;
    house.join_at("/chat").await.map(drop)
}

async fn parameters(kit: Kit<'_>) -> Outcome {
    async fn which(Path(id): Path<String>, hub: Hub) -> Json<(String, String)> {
        Json((id, hub.namespace().to_owned()))
    }
    async fn tell(client: Client, Json(text): Json<String>) -> Result<usize, narthex_core::Error> {
        client.join("all")?;
        client.hub().to("all").emit("told", &text)
    }
    let gateway = Gateway::new().namespace("/game/{id}").on("which", which).on("tell", tell);
    let lobby = Gateway::new().namespace("/game/lobby");
    let house = kit.serve_many([gateway, lobby], Limits::default()).await?;
    let (mut one, mut two) = (house.join_at("/game/1").await?, house.join_at("/game/two%20b").await?);
    same(one.value("which", Value::Null).await?, json!(["1", "/game/1"]))?;
    same(two.value("which", Value::Null).await?, json!(["two b", "/game/two%20b"]))?;
    same(one.value("tell", json!("a")).await?, json!(1))?;
    same(two.value("tell", json!("b")).await?, json!(1))?;
    same((one.expect("told").await?, two.expect("told").await?), (json!("a"), json!("b")))?;
    same((house.hub_at("/game/1")?.len(), house.hub_at("/game/two%20b")?.len()), (1, 1))?;
    let mut lobby = house.join_at("/game/lobby").await?;
    same(lobby.error("which", Value::Null).await?, "Unknown event")
}

async fn query(kit: Kit<'_>) -> Outcome {
    #[derive(serde::Deserialize)]
    struct Wish {
        name: String,
        age: u8,
    }
    async fn wish(Query(wish): Query<Wish>, handshake: Handshake) -> Json<(String, u8, Option<String>)> {
        let header = handshake.header("x-colour").and_then(|v| v.to_str().map(str::to_owned).ok());
        Json((wish.name, wish.age, header))
    }
    let house = kit.serve(Gateway::new().namespace("/wish").on("wish", wish)).await?;
    let to = Arrive::at("/wish?name=Ada%20L&age=36").header("x-colour", "blue");
    let mut guest = house.dial(&to).await?;
    same(guest.value("wish", Value::Null).await?, json!(["Ada L", 36, "blue"]))?;
    let mut guest = house.dial(&Arrive::at("/wish?name=Ada")).await?;
    same(guest.error("wish", Value::Null).await?, "The query does not have the expected shape")
}

async fn full(kit: Kit<'_>) -> Outcome {
    let house = kit.serve_within(Gateway::new(), Limits::default().clients(1)).await?;
    let guest = house.join().await?;
    house.refused(&Arrive::at("/"), 503, "The server is full").await?;
    guest.abort();
    let mut tries = 0;
    while house.join().await.is_err() {
        tokio::task::yield_now().await;
        tries += 1;
        ensure(tries < 100_000, "the place became free")?;
    }
    Ok(())
}

async fn slow(kit: Kit<'_>) -> Outcome {
    async fn first_waits(State(probe): State<Probe>) {
        let is_first = !probe.is_used();
        probe.note("judged");
        if is_first {
            probe.pass().await;
        }
    }
    let mut house = kit.serve(Gateway::new().connect_guard(first_waits)).await?;
    let (notes, probe) = (&mut std::mem::replace(&mut house.notes, Probe::new().1), house.probe.clone());
    let first = house.join();
    let second = async {
        notes.expect(&["judged"]).await?;
        let second = house.join().await?;
        probe.open(1);
        Ok(second)
    };
    tokio::try_join!(first, second).map(drop)
}

//! Connect comes first, and a refused client never counts.

use narthex_core::{Client, CloseReason, Denied, Gateway, State};
use serde_json::{Value, json};

use super::list;
use crate::{
    door::Need,
    kit::{Kit, Outcome, Probe, ensure, same, until},
};

list! {
    held: "messages wait until on_connect is done", [], [];
    greeting: "what on_connect sends comes before every answer", [9], [];
    not_yet: "a client counts as connected once on_connect is done", [], [];
    refused: "a client that on_connect refuses is told why, never counts, and its messages are not handled", [5 15], [];
    data: "what on_connect puts on the client, handlers find", [], [];
}

async fn connecting(State(probe): State<Probe>) {
    probe.note("connecting");
    probe.pass().await;
    probe.note("connected");
}

async fn handled(State(probe): State<Probe>, narthex_core::Json(n): narthex_core::Json<u64>) -> u64 {
    probe.note(n.to_string());
    n
}

async fn held(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on("handled", handled).on_connect(connecting)).await?;
    let mut guest = house.arrive().await?;
    house.notes.expect(&["connecting"]).await?;
    for n in 1..=3 {
        guest.request("handled", json!(n), n).await?;
    }
    house.probe.open(1);
    for n in 1..=3 {
        same(guest.ack().await?, (n, Ok(json!(n))))?;
    }
    house.notes.expect(&["connected", "1", "2", "3"]).await
}

async fn greeting(kit: Kit<'_>) -> Outcome {
    async fn greet(client: Client) -> Result<(), narthex_core::Error> {
        client.emit("welcome", &client.id())
    }
    let house = kit.serve(Gateway::new().on_connect(greet)).await?;
    let guest = house.arrive().await?;
    guest.request("hello", Value::Null, 1).await?;
    let first = guest.read().await?.into_event();
    same(first.map(|(event, _)| event), Some("welcome".to_owned()))?;
    ensure(guest.read().await?.into_event().is_none(), "the answer comes second")
}

async fn not_yet(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on_connect(connecting)).await?;
    let mut guest = house.arrive().await?;
    house.notes.expect(&["connecting"]).await?;
    let hub = house.hub()?;
    ensure(hub.is_empty() && hub.clients().is_empty(), "nobody is connected yet")?;
    same(hub.emit("news", &1)?, 0)?;
    house.probe.open(1);
    same(guest.value("hello", Value::Null).await?, json!("hello"))?;
    same(hub.len(), 1)
}

async fn refused(kit: Kit<'_>) -> Outcome {
    async fn refuse(State(probe): State<Probe>) -> Result<(), Denied> {
        probe.note("connecting");
        probe.pass().await;
        Err(Denied::forbidden("Members only"))
    }
    async fn leaves(State(probe): State<Probe>, _: CloseReason) {
        probe.note("left");
    }
    let gateway = Gateway::new().on("handled", handled).on_connect(refuse).on_disconnect(leaves);
    let mut house = kit.serve(gateway).await?;
    let guest = house.arrive().await?;
    house.notes.expect(&["connecting"]).await?;
    guest.emit("handled", json!(1)).await?;
    ensure(house.hub()?.clients().is_empty(), "it is not connected")?;
    house.probe.open(1);
    let (heard, goodbye) = guest.hear_out().await?;
    same(heard.len(), 0)?;
    if house.shows(Need::CloseCodes) {
        same(goodbye, Some((1008, "Members only".to_owned())))?;
    }
    let stats = || house.stats();
    until(|| stats().clients == 0).await?;
    same((house.hub()?.len(), house.stats().refused), (0, 1))?;
    same(house.end().await?, Vec::<String>::new())
}

async fn data(kit: Kit<'_>) -> Outcome {
    #[derive(Clone)]
    struct Name(&'static str);
    async fn name(client: Client) {
        client.set_data(Name("Ada"));
    }
    async fn who(client: Client) -> Option<&'static str> {
        client.data::<Name>().map(|name| name.0)
    }
    let house = kit.serve(Gateway::new().on("who", who).on_connect(name)).await?;
    same(house.join().await?.value("who", Value::Null).await?, json!("Ada"))
}

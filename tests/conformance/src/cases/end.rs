//! How a client's life ends.

use narthex_core::{Client, CloseReason, Gateway, Handler, Json, State};
use serde_json::{Value, json};

use super::list;
use crate::{
    door::Need,
    kit::{Kit, Outcome, Probe, same, until},
};

list! {
    goodbye: "on_disconnect runs once, with the client's code and text", [14], [CloseCodes];
    vanished: "on_disconnect runs once when a client vanishes", [14], [];
    last_words: "messages sent before a goodbye are handled", [8 14], [];
    mid_call: "a client gone in the middle of a call leaves its rooms at once, the call ends, then on_disconnect", [14], [];
    asked_to: "a client made to leave reads what was queued, then the code and the text", [15], [];
    from_outside: "emit, then disconnect from another task, loses nothing", [9 15], [];
    gone_handle: "the handle of a client that is gone says so", [14], [];
}

async fn left(State(probe): State<Probe>, reason: CloseReason) {
    probe.note(format!("{reason:?}"));
}

async fn goodbye(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on_disconnect(left)).await?;
    let guest = house.join().await?;
    guest.close(4001, "so long").await?;
    house.notes.expect(&[r#"ClientClosed { code: 4001, text: "so long" }"#]).await?;
    guest.goodbye().await?;
    same(house.end().await?, Vec::<String>::new())
}

async fn vanished(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on_disconnect(left)).await?;
    house.join().await?.abort();
    house.notes.expect(&["ClientGone"]).await?;
    same(house.end().await?, Vec::<String>::new())
}

async fn last_words(kit: Kit<'_>) -> Outcome {
    async fn word(State(probe): State<Probe>, Json(n): Json<u8>) {
        tokio::task::yield_now().await;
        probe.note(n.to_string());
    }
    async fn gone(State(probe): State<Probe>) {
        probe.note("gone");
    }
    let mut house = kit.serve(Gateway::new().on("word", word).on_disconnect(gone)).await?;
    let guest = house.join().await?;
    for n in 1..=5 {
        guest.emit("word", json!(n)).await?;
    }
    guest.close(1000, "").await?;
    house.notes.expect(&["1", "2", "3", "4", "5", "gone"]).await
}

async fn mid_call(kit: Kit<'_>) -> Outcome {
    async fn long(State(probe): State<Probe>, client: Client) -> Result<(), narthex_core::Error> {
        client.join("tea")?;
        probe.note("begins");
        probe.pass().await;
        probe.note("ends");
        Ok(())
    }
    let gateway = Gateway::new().on("long", long).on("beside", long.concurrent(1)).on_disconnect(left);
    let mut house = kit.serve(gateway).await?;
    for event in ["long", "beside"] {
        let guest = house.join().await?;
        guest.emit(event, Value::Null).await?;
        house.notes.expect(&["begins"]).await?;
        let hub = house.hub()?;
        same(hub.to("tea").clients().len(), 1)?;
        guest.abort();
        until(|| hub.to("tea").clients().is_empty() && hub.is_empty()).await?;
        same(house.notes.rest(), Vec::<String>::new())?;
        house.probe.open(1);
        house.notes.expect(&["ends", "ClientGone"]).await?;
    }
    same(house.end().await?, Vec::<String>::new())
}

async fn asked_to(kit: Kit<'_>) -> Outcome {
    async fn kick(client: Client) -> Result<&'static str, narthex_core::Error> {
        for n in 0..20 {
            client.emit("n", &n)?;
        }
        client.disconnect(4100, "enough");
        Ok("kicked")
    }
    let mut house = kit.serve(Gateway::new().on("kick", kick).on_disconnect(left)).await?;
    let mut guest = house.join().await?;
    same(guest.value("kick", Value::Null).await?, json!("kicked"))?;
    let (heard, goodbye) = guest.hear_out().await?;
    let numbers: Vec<_> = heard.into_iter().filter_map(|h| h.into_event().map(|(_, n)| n)).collect();
    same(numbers, (0..20).map(Value::from).collect::<Vec<_>>())?;
    if house.shows(Need::CloseCodes) {
        same(goodbye, Some((4100, "enough".to_owned())))?;
    }
    house.notes.expect(&[r#"Disconnected { code: 4100, text: "enough" }"#]).await?;
    same(house.end().await?, Vec::<String>::new())
}

async fn from_outside(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let guest = house.join().await?;
    let client = house.client()?;
    for n in 0..200 {
        client.emit("n", &n)?;
    }
    client.disconnect(1000, "done");
    let (heard, goodbye) = guest.hear_out().await?;
    let numbers: Vec<_> = heard.into_iter().filter_map(|h| h.into_event().map(|(_, n)| n)).collect();
    same(numbers, (0..200).map(Value::from).collect::<Vec<_>>())?;
    if house.shows(Need::CloseCodes) {
        same(goodbye, Some((1000, "done".to_owned())))?;
    }
    Ok(())
}

async fn gone_handle(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on_disconnect(left)).await?;
    let guest = house.join().await?;
    let client = house.client()?;
    guest.abort();
    house.notes.expect(&["ClientGone"]).await?;
    let kind = |result: narthex_core::Result<()>| result.map_err(|error| error.kind());
    let gone = Err(narthex_core::ErrorKind::Disconnected);
    same((kind(client.emit("n", &1)), kind(client.join("tea"))), (gone, gone))?;
    same((house.hub()?.get(client.id()).is_none(), client.is_closed()), (true, true))
}

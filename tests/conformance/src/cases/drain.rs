//! A shutdown is a drain.

use std::time::Duration;

use narthex_core::{Client, CloseReason, ErrorKind, Gateway, Limits, State, Streamed};
use serde_json::{Value, json};

use super::list;
use crate::{
    door::{Arrive, Need},
    kit::{Guest, Kit, Outcome, Probe, ensure, fail, same, soon},
};

list! {
    empty: "a server without clients drains at once", [7], [];
    running: "a drain lets what runs finish, sends its answer, closes with 1001 and runs on_disconnect", [7 15], [];
    queued: "a drain sends what is queued, before the goodbye", [9 15], [];
    nobody_new: "nobody new is let in while the server drains", [7], [];
    held: "messages that are held when a drain begins are handled", [8 15], [];
    endless: "a drain does not wait for streams", [15], [];
    deadline: "what hangs is dropped when the drain's time is over, and on_disconnect still runs", [15], [];
}

async fn left(State(probe): State<Probe>, reason: CloseReason) {
    probe.note(format!("{reason:?}"));
}

async fn gated(State(probe): State<Probe>) -> &'static str {
    probe.note("begins");
    probe.pass().await;
    "done"
}

async fn empty(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    same(house.end().await?, Vec::<String>::new())
}

async fn running(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on("gated", gated).on_disconnect(left)).await?;
    let (mut guest, idle) = (house.join().await?, house.join().await?);
    guest.request("gated", Value::Null, 1).await?;
    house.notes.expect(&["begins"]).await?;
    let codes = house.shows(Need::CloseCodes);
    let (drained, _, probe, mut notes) = house.drain();
    let told = |goodbye: Option<(u16, String)>| match codes {
        true => same(goodbye.map(|(code, _)| code), Some(1001)),
        false => Ok(()),
    };
    let finish = async {
        // One without work goes first.
        told(idle.goodbye().await?)?;
        probe.open(1);
        same(guest.answer_to(1).await?, Ok(json!("done")))?;
        told(guest.goodbye().await?)
    };
    let (drained, ()) = tokio::try_join!(drained, finish)?;
    drained?;
    same(notes.rest(), ["Draining", "Draining"])
}

async fn queued(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let guest = house.join().await?;
    let client = house.client()?;
    for n in 0..100 {
        client.emit("n", &n)?;
    }
    let (drained, ..) = house.drain();
    let (drained, (heard, _)) = tokio::try_join!(drained, guest.hear_out())?;
    drained?;
    same(heard.len(), 100)
}

async fn nobody_new(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on("gated", gated)).await?;
    let mut guest = house.join().await?;
    guest.request("gated", Value::Null, 1).await?;
    house.notes.expect(&["begins"]).await?;
    let addr = house.addr();
    let (drained, dial, probe, _) = house.drain();
    let late = async {
        if let Ok(peer) = soon(dial.dial(addr, &Arrive::at("/"))).await? {
            // Where a refusal is no answer of its own, the end is.
            let mut late = Guest::new(peer);
            ensure(late.value("hello", Value::Null).await.is_err(), "it is not served")?;
        }
        probe.open(1);
        same(guest.answer_to(1).await?, Ok(json!("done")))?;
        guest.goodbye().await
    };
    let (drained, _) = tokio::try_join!(drained, late)?;
    Ok(drained?)
}

async fn held(kit: Kit<'_>) -> Outcome {
    async fn quick(State(probe): State<Probe>) -> &'static str {
        probe.note("quick");
        "quick"
    }
    let mut house = kit.serve(Gateway::new().on("gated", gated).on("quick", quick)).await?;
    let mut guest = house.join().await?;
    let client = house.client()?;
    guest.request("gated", Value::Null, 1).await?;
    house.notes.expect(&["begins"]).await?;
    guest.request("quick", Value::Null, 2).await?;
    // The answer shows that the session has read the message before it.
    let asked = async { Ok(client.emit_with_ack::<u8>("read?", &0, Duration::from_secs(20)).await?) };
    let answer = async {
        let id = guest.asked("read?").await?;
        guest.answer(id, json!(1)).await
    };
    tokio::try_join!(asked, answer)?;
    let (drained, _, probe, mut notes) = house.drain();
    let finish = async {
        probe.open(1);
        same(guest.answer_to(1).await?, Ok(json!("done")))?;
        same(guest.answer_to(2).await?, Ok(json!("quick")))?;
        guest.goodbye().await
    };
    let (drained, _) = tokio::try_join!(drained, finish)?;
    drained?;
    same(notes.rest(), ["quick"])
}

async fn endless(kit: Kit<'_>) -> Outcome {
    async fn never(State(probe): State<Probe>) -> Streamed {
        probe.note("begins");
        Streamed::new(futures_util::stream::pending::<u8>())
    }
    let mut house = kit.serve(Gateway::new().on("never", never)).await?;
    let guest = house.join().await?;
    guest.emit("never", Value::Null).await?;
    house.notes.expect(&["begins"]).await?;
    let (drained, ..) = house.drain();
    let (drained, _) = tokio::try_join!(drained, guest.goodbye())?;
    Ok(drained?)
}

async fn deadline(kit: Kit<'_>) -> Outcome {
    async fn hangs(State(probe): State<Probe>, client: Client) {
        let _dropped = probe.at_drop("dropped");
        probe.note("begins");
        client.set_data(());
        std::future::pending::<()>().await;
    }
    let gateway = Gateway::new().on("hangs", hangs).on_disconnect(left);
    let limits = Limits::default().drain_timeout(Duration::from_millis(200));
    let mut house = kit.serve_within(gateway, limits).await?;
    let guest = house.join().await?;
    guest.emit("hangs", Value::Null).await?;
    house.notes.expect(&["begins"]).await?;
    let (drained, _, _probe, mut notes) = house.drain();
    let (drained, _) = tokio::try_join!(drained, guest.goodbye())?;
    match drained {
        Err(error) => same(error.kind(), ErrorKind::Timeout)?,
        Ok(()) => return Err(fail("the drain said that everything had ended")),
    }
    let mut noted = notes.rest();
    noted.sort();
    same(noted, ["Draining", "dropped"])
}

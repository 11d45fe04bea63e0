//! Streams of replies.

use futures_util::{StreamExt, stream};
use narthex_core::{Denied, Emit, Gateway, Json, Reply, State, Streamed};
use serde_json::{Value, json};

use super::list;
use crate::kit::{Heard, Kit, Outcome, Probe, fail, message_of, same};

list! {
    mixed: "a stream's emits are events, its first value answers, later values are dropped", [9], [];
    silent: "a stream without a value answers when it ends", [], [];
    early_error: "an error before the answer is an error ack", [], [];
    late_error: "an error after the answer is an exception, and the stream ends", [], [];
    endless: "an endless stream does not hold up later messages", [], [];
    dropped: "a stream ends when its client is gone", [14], [];
}

async fn mixed(kit: Kit<'_>) -> Outcome {
    async fn count() -> Streamed {
        Streamed::new(stream::iter([
            Reply::emit(Emit::new("n", &1)),
            Reply::value(narthex_core::Payload::json("first").unwrap_or_default()),
            Reply::value(narthex_core::Payload::json("second").unwrap_or_default()),
            Reply::emit(Emit::new("n", &2)),
        ]))
    }
    let house = kit.serve(Gateway::new().on("count", count)).await?;
    let mut guest = house.join().await?;
    guest.request("count", Value::Null, 4).await?;
    guest.request("hello", Value::Null, 5).await?;
    same((guest.expect("n").await?, guest.expect("n").await?), (json!(1), json!(2)))?;
    same(guest.answer_to(4).await?, Ok(json!("first")))?;
    same(guest.answer_to(5).await?, Ok(json!("hello")))?;
    same(house.stats().values_dropped, 1)
}

async fn silent(kit: Kit<'_>) -> Outcome {
    async fn gated(State(probe): State<Probe>) -> Streamed {
        Streamed::new(stream::iter(0..2).then(move |n| {
            let probe = probe.clone();
            async move {
                probe.pass().await;
                Emit::new("n", &n)
            }
        }))
    }
    let house = kit.serve(Gateway::new().on("gated", gated)).await?;
    let mut guest = house.join().await?;
    guest.request("gated", Value::Null, 1).await?;
    same(guest.value("hello", Value::Null).await?, json!("hello"))?;
    house.probe.open(2);
    same(guest.ack().await?, (1, Ok(Value::Null)))?;
    same((guest.expect("n").await?, guest.expect("n").await?), (json!(0), json!(1)))
}

async fn early_error(kit: Kit<'_>) -> Outcome {
    async fn fails() -> Streamed {
        Streamed::new(stream::iter([Ok(Emit::new("n", &1)), Err(Denied::bad_request("no more"))]))
    }
    let house = kit.serve(Gateway::new().on("fails", fails)).await?;
    let mut guest = house.join().await?;
    same(guest.error("fails", Value::Null).await?, "no more")?;
    same(guest.expect("n").await?, json!(1))?;
    guest.emit("fails", Value::Null).await?;
    guest.expect("n").await?;
    same(message_of(&guest.expect("exception").await?), "no more")
}

async fn late_error(kit: Kit<'_>) -> Outcome {
    async fn fails(State(probe): State<Probe>) -> Streamed {
        let end = probe.at_drop("ended");
        let items = [Ok(Json(1)), Err(Denied::bad_request("no more")), Ok(Json(2))];
        Streamed::new(stream::iter(items).map(move |item| {
            let _ = &end;
            item
        }))
    }
    let mut house = kit.serve(Gateway::new().on("fails", fails)).await?;
    let mut guest = house.join().await?;
    same(guest.value("fails", Value::Null).await?, json!(1))?;
    same(message_of(&guest.expect("exception").await?), "no more")?;
    house.notes.expect(&["ended"]).await
}

async fn ticks(State(probe): State<Probe>) -> Streamed {
    let end = probe.at_drop("ended");
    Streamed::new(stream::repeat(()).map(move |()| {
        let _ = &end;
        Emit::bare("tick")
    }))
}

async fn endless(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new().on("ticks", ticks)).await?;
    let guest = house.join().await?;
    guest.emit("ticks", Value::Null).await?;
    for n in 0..3 {
        guest.request("hello", Value::Null, n).await?;
        loop {
            match guest.read().await? {
                Heard::Ack { id, .. } if id == n => break,
                Heard::Event { event, .. } if event == "tick" => {}
                other => return Err(fail(format!("{other:?}"))),
            }
        }
    }
    Ok(())
}

async fn dropped(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on("ticks", ticks)).await?;
    let mut guest = house.join().await?;
    guest.emit("ticks", Value::Null).await?;
    guest.expect("tick").await?;
    guest.abort();
    house.notes.expect(&["ended"]).await
}

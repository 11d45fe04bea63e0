//! Answers, in both directions.

use std::time::Duration;

use narthex_core::{Ack, Client, ErrorKind, Gateway, Handler, Json, Limits, State};
use serde_json::{Value, json};

use super::list;
use crate::kit::{Kit, Outcome, Probe, ensure, same, soon};

list! {
    both_ways: "an answer carries the id of its question, and a message without one gets no answer", [], [];
    nothing: "a handler that returns nothing answers the question without data", [], [];
    by_hand: "a handler may answer by itself, later, or forget to", [], [];
    asked: "the server asks, and the client answers with a value or an error", [], [];
    too_late: "a question that is not answered in time fails, and the late answer is ignored", [], [];
    many: "a question to many gives the answers of those who answered", [], [];
    left: "a question to a client that leaves fails at once", [14], [];
    bound: "more questions than the bound allows fail at once", [], [];
}

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(600);

async fn both_ways(kit: Kit<'_>) -> Outcome {
    async fn double(Json(n): Json<u64>) -> u64 {
        n * 2
    }
    let house = kit.serve(Gateway::new().on("double", double)).await?;
    let mut guest = house.join().await?;
    guest.emit("double", json!(1)).await?;
    guest.request("double", json!(2), 0).await?;
    guest.request("double", json!(3), u64::MAX).await?;
    same(guest.ack().await?, (0, Ok(json!(4))))?;
    same(guest.ack().await?, (u64::MAX, Ok(json!(6))))
}

async fn nothing(kit: Kit<'_>) -> Outcome {
    async fn quiet() {}
    let house = kit.serve(Gateway::new().on("quiet", quiet)).await?;
    let mut guest = house.join().await?;
    same(guest.value("quiet", json!(1)).await?, Value::Null)
}

async fn by_hand(kit: Kit<'_>) -> Outcome {
    async fn at_once(ack: Ack) -> Result<&'static str, narthex_core::Error> {
        ack.send("by hand")?;
        Ok("ignored")
    }
    async fn later(State(probe): State<Probe>, ack: Ack) -> Result<(), narthex_core::Error> {
        probe.pass().await;
        ack.send("later")
    }
    async fn forget(_: Ack) {}
    let gateway = Gateway::new().on("at once", at_once).on("later", later.concurrent(1)).on("forget", forget);
    let house = kit.serve(gateway).await?;
    let mut guest = house.join().await?;
    same(guest.value("at once", Value::Null).await?, json!("by hand"))?;
    guest.request("later", Value::Null, 5).await?;
    same(guest.error("forget", Value::Null).await?, "Internal server error")?;
    house.probe.open(1);
    same(guest.answer_to(5).await?, Ok(json!("later")))
}

async fn asked(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let mut guest = house.join().await?;
    let client = house.client()?;
    let ask = async { soon(client.emit_with_ack::<String>("name?", &1, LONG)).await };
    let answer = async {
        let id = guest.asked("name?").await?;
        guest.answer(id, json!("Ada")).await
    };
    let (name, ()) = tokio::try_join!(ask, answer)?;
    same(name?, "Ada")?;
    let ask = async { soon(client.emit_with_ack::<String>("name?", &2, LONG)).await };
    let refuse = async {
        let id = guest.asked("name?").await?;
        guest.refuse(id, json!({"message": "none of yours"})).await
    };
    let (refused, ()) = tokio::try_join!(ask, refuse)?;
    let refused = refused.map_err(|error| (error.kind(), error.to_string()));
    same(refused, Err((ErrorKind::Refused, "none of yours".to_owned())))
}

async fn too_late(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let mut guest = house.join().await?;
    let client = house.client()?;
    let asked = soon(client.emit_with_ack::<Value>("hurry", &1, Duration::from_millis(50))).await?;
    same(asked.map_err(|error| error.kind()), Err(ErrorKind::Timeout))?;
    let id = guest.asked("hurry").await?;
    guest.answer(id, json!("late")).await?;
    same(guest.value("hello", Value::Null).await?, json!("hello"))
}

async fn many(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let (mut ada, mut bob, eve) = (house.join().await?, house.join().await?, house.join().await?);
    let ids: Vec<_> = house.hub()?.clients().iter().map(narthex_core::Client::id).collect();
    let everybody = house.hub()?.all();
    let ask = async { soon(everybody.emit_with_ack::<u64>("age?", &0, Duration::from_millis(500))).await };
    let answers = async {
        let id = ada.asked("age?").await?;
        ada.answer(id, json!(36)).await?;
        let id = bob.asked("age?").await?;
        bob.refuse(id, json!({"message": "no"})).await
    };
    let (list, ()) = tokio::try_join!(ask, answers)?;
    let list = list?;
    same(list.len(), 3)?;
    let of = |n: usize| {
        let found = list.iter().find(|(id, _)| *id == ids[n]);
        found.map(|(_, answer)| answer.as_ref().map(|n| *n).map_err(narthex_core::Error::kind))
    };
    same(of(0), Some(Ok(36)))?;
    same(of(1), Some(Err(ErrorKind::Refused)))?;
    same(of(2), Some(Err(ErrorKind::Timeout)))?;
    eve.abort();
    Ok(())
}

async fn left(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let mut guest = house.join().await?;
    let client = house.client()?;
    let ask = async { soon(client.emit_with_ack::<Value>("there?", &1, LONG)).await };
    let leave = async {
        guest.asked("there?").await?;
        guest.abort();
        Ok::<(), crate::kit::Fail>(())
    };
    let (asked, ()) = tokio::try_join!(ask, leave)?;
    same(asked.map_err(|error| error.kind()), Err(ErrorKind::Disconnected))?;
    let again = soon(client.emit_with_ack::<Value>("there?", &1, LONG)).await?;
    ensure(again.is_err(), "nobody is asked who is gone")
}

async fn bound(kit: Kit<'_>) -> Outcome {
    async fn two(client: Client) -> Result<(), narthex_core::Error> {
        let (one, two) = tokio::join!(
            client.emit_with_ack::<Value>("q", &1, LONG),
            client.emit_with_ack::<Value>("q", &2, LONG)
        );
        one.and(two).map(drop)
    }
    let house = kit.serve_within(Gateway::new().on("two", two), Limits::default().pending_acks(1)).await?;
    let mut guest = house.join().await?;
    guest.request("two", Value::Null, 9).await?;
    let id = guest.asked("q").await?;
    guest.answer(id, json!(1)).await?;
    ensure(guest.answer_to(9).await?.is_err(), "the second question failed")
}

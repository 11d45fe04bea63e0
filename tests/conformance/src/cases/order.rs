//! One after another, and the two ways out of it.

use std::time::Duration;

use narthex_core::{Client, Gateway, Handler, Json, Limits, State};
use serde_json::{Value, json};

use super::list;
use crate::kit::{Kit, Outcome, Probe, ensure, message_of, same};

list! {
    five_hundred: "five hundred pipelined messages are handled and answered in order, whether ready or pending", [8 9], [];
    one_waits: "a message waits until the one before it is done", [8], [];
    concurrent: "concurrent(n) runs n calls at once, answers one more Overloaded and holds up nobody", [], [];
    latest: "latest() drops the older pending call and answers it", [], [];
    no_deadlock: "a handler that asks its client back is answered although 64 messages are held", [], [];
    overloaded: "with everything held and a request pending, further messages are answered Overloaded", [], [];
    backpressure: "a door does not read without bound while a handler is pending", [11], [];
}

async fn now(State(probe): State<Probe>, Json(n): Json<u64>) -> u64 {
    probe.note(n.to_string());
    n
}

async fn later(State(probe): State<Probe>, Json(n): Json<u64>) -> u64 {
    tokio::task::yield_now().await;
    probe.note(n.to_string());
    tokio::task::yield_now().await;
    n
}

async fn gated(State(probe): State<Probe>, Json(n): Json<u64>) -> u64 {
    probe.note(format!("{n} begins"));
    probe.pass().await;
    probe.note(format!("{n} ends"));
    n
}

async fn five_hundred(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on("now", now).on("later", later)).await?;
    let guest = house.join().await?;
    let send = async {
        for n in 0..500_u64 {
            let event = if n % 3 == 0 { "later" } else { "now" };
            guest.request(event, json!(n), n).await?;
        }
        Ok(())
    };
    let read = async {
        for n in 0..500_u64 {
            match guest.read().await? {
                crate::kit::Heard::Ack { id, result: Ok(payload) } => {
                    same((id, crate::kit::json(&payload)), (n, json!(n)))?;
                }
                other => return Err(crate::kit::fail(format!("{other:?} instead of answer {n}"))),
            }
        }
        Ok(())
    };
    tokio::try_join!(send, read)?;
    let wanted: Vec<_> = (0..500).map(|n| n.to_string()).collect();
    same(house.notes.rest(), wanted)
}

async fn one_waits(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on("gated", gated).on("now", now)).await?;
    let mut guest = house.join().await?;
    guest.request("gated", json!(1), 1).await?;
    guest.request("now", json!(2), 2).await?;
    house.notes.expect(&["1 begins"]).await?;
    house.probe.open(1);
    same(guest.ack().await?, (1, Ok(json!(1))))?;
    same(guest.ack().await?, (2, Ok(json!(2))))?;
    house.notes.expect(&["1 ends", "2"]).await
}

async fn concurrent(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on("gated", gated.concurrent(2))).await?;
    let mut guest = house.join().await?;
    for n in 1..=3 {
        guest.request("gated", json!(n), n).await?;
    }
    let (id, answer) = guest.ack().await?;
    same((id, answer.map_err(|e| message_of(&e))), (3, Err("Overloaded".to_owned())))?;
    same(guest.value("hello", Value::Null).await?, json!("hello"))?;
    house.notes.expect(&["1 begins", "2 begins"]).await?;
    same(house.stats().overloaded, 1)?;
    house.probe.open(2);
    let (a, b) = (guest.ack().await?.0, guest.ack().await?.0);
    same(a.min(b)..=a.max(b), 1..=2)
}

async fn latest(kit: Kit<'_>) -> Outcome {
    let mut house = kit.serve(Gateway::new().on("gated", gated.latest())).await?;
    let mut guest = house.join().await?;
    guest.request("gated", json!(1), 1).await?;
    house.notes.expect(&["1 begins"]).await?;
    guest.request("gated", json!(2), 2).await?;
    let (id, answer) = guest.ack().await?;
    same(id, 1)?;
    ensure(answer.is_err(), "the older call is answered with an error")?;
    house.notes.expect(&["2 begins"]).await?;
    house.probe.open(1);
    same(guest.ack().await?, (2, Ok(json!(2))))?;
    house.notes.expect(&["2 ends"]).await
}

async fn ask_back(client: Client) -> Result<Json<Value>, narthex_core::Error> {
    client.emit_with_ack("sure?", &1, Duration::from_secs(30)).await.map(Json)
}

async fn no_deadlock(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new().on("ask", ask_back).on("now", now)).await?;
    let mut guest = house.join().await?;
    guest.request("ask", json!(0), 100).await?;
    for n in 0..64 {
        guest.request("now", json!(n), n).await?;
    }
    let id = guest.asked("sure?").await?;
    guest.answer(id, json!("yes")).await?;
    same(guest.ack().await?, (100, Ok(json!("yes"))))?;
    for n in 0..64 {
        same(guest.ack().await?, (n, Ok(json!(n))))?;
    }
    Ok(())
}

async fn overloaded(kit: Kit<'_>) -> Outcome {
    let gateway = Gateway::new().on("ask", ask_back).on("now", now);
    let house = kit.serve_within(gateway, Limits::default().held(4, 64 * 1024)).await?;
    let mut guest = house.join().await?;
    guest.request("ask", json!(0), 100).await?;
    let id = guest.asked("sure?").await?;
    for n in 0..7 {
        guest.request("now", json!(n), n).await?;
    }
    for n in 4..7 {
        let (id, answer) = guest.ack().await?;
        same((id, answer.map_err(|e| message_of(&e))), (n, Err("Overloaded".to_owned())))?;
    }
    guest.answer(id, json!("yes")).await?;
    same(guest.ack().await?, (100, Ok(json!("yes"))))?;
    for n in 0..4 {
        same(guest.ack().await?, (n, Ok(json!(n))))?;
    }
    Ok(())
}

/// More than the buffers of any transport: 1,024 messages of 32 KiB.
const FLOOD: u64 = 1024;

async fn backpressure(kit: Kit<'_>) -> Outcome {
    async fn gate(State(probe): State<Probe>) {
        probe.note("begins");
        probe.pass().await;
    }
    async fn sink(_: Json<String>) {}
    let gateway = Gateway::new().on("gate", gate).on("sink", sink);
    let mut house = kit.serve_within(gateway, Limits::default().held(4, 64 * 1024)).await?;
    let mut guest = house.join().await?;
    guest.emit("gate", Value::Null).await?;
    house.notes.expect(&["begins"]).await?;
    // What surrounds the data is held as well as the data.
    let half = "x".repeat(16 * 1024);
    let padded = format!(r#"{{"event":"sink","data":"{half}","padding":"{half}"}}"#);
    let flood = async {
        for _ in 0..FLOOD {
            guest.text(padded.clone()).await?;
        }
        Ok::<(), crate::kit::Fail>(())
    };
    let mut flood = Box::pin(flood);
    // A bound: a door that reads on takes everything long before.
    let swallowed = tokio::time::timeout(Duration::from_secs(2), &mut flood).await;
    ensure(swallowed.is_err(), "the door stopped reading")?;
    same(house.stats().overloaded, 0)?;
    house.probe.open(1);
    flood.as_mut().await?;
    drop(flood);
    same(guest.value("hello", Value::Null).await?, json!("hello"))
}

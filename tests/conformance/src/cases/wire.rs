//! What is carried, and that it arrives unharmed.

use bytes::Bytes;
use narthex_core::{Client, Frame, Gateway, Json, Payload, State};
use serde_json::{Value, json};

use super::list;
use crate::kit::{Heard, Kit, Outcome, Probe, ensure, fail, same, soon};

list! {
    text: "text of every kind arrives unharmed, both ways", [8 9 10], [];
    large: "a message of 64 KiB arrives, and so does its answer", [8 9], [];
    binary: "bytes arrive unharmed, both ways", [8 9], [Binary];
    binary_acks: "bytes answer questions, both ways", [8 9], [Binary];
    garbage: "binary garbage is answered and ends nothing", [16 17], [Binary Malformed];
    no_binary: "a door without bytes refuses to emit them, and says so", [], [];
    late_ack: "an answer to nothing is ignored", [17], [];
}

async fn echo(Json(value): Json<Value>) -> Json<Value> {
    Json(value)
}

async fn text(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new().on("echo", echo)).await?;
    let mut guest = house.join().await?;
    for text in ["", " ", "\n\r\n", "\u{0}\u{1f}\u{7f}", "\"\\/", "ß→日本\u{10ffff}\u{200b}", "{\"a\":[1]}"]
    {
        same(guest.value("echo", json!(text)).await?, json!(text))?;
    }
    let value = json!({"": [1, -2.5, true, null, {"deep": [[[]]]}]});
    same(guest.value("echo", value.clone()).await?, value)
}

async fn large(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new().on("echo", echo)).await?;
    let mut guest = house.join().await?;
    let frame = |text: &str| format!(r#"{{"event":"echo","id":1,"data":"{text}"}}"#);
    let longest = "x".repeat(64 * 1024 - frame("").len());
    guest.text(frame(&longest)).await?;
    same(guest.answer_to(1).await?, Ok(json!(longest)))
}

const BYTES: &[u8] = &[0, 255, 10, 13, 128, 0, 1];

async fn binary(kit: Kit<'_>) -> Outcome {
    async fn reverse(client: Client, bytes: Bytes) -> Result<(), narthex_core::Error> {
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        client.emit_payload("reversed", &Payload::Binary(reversed.into()))
    }
    let house = kit.serve(Gateway::new().on("reverse", reverse)).await?;
    let mut guest = house.join().await?;
    for bytes in [BYTES.to_vec(), Vec::new(), vec![7; 60_000]] {
        guest.send("reverse", &Payload::Binary(bytes.clone().into()), None).await?;
        let (event, payload, _) = guest.event_with_id().await?;
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        same((event.as_str(), payload), ("reversed", Payload::Binary(reversed.into())))?;
    }
    Ok(())
}

async fn binary_acks(kit: Kit<'_>) -> Outcome {
    async fn same_bytes(bytes: Bytes) -> Bytes {
        bytes
    }
    let house = kit.serve(Gateway::new().on("echo", same_bytes)).await?;
    let guest = house.join().await?;
    guest.send("echo", &Payload::Binary(BYTES.into()), Some(8)).await?;
    match guest.read().await? {
        Heard::Ack { id: 8, result: Ok(Payload::Binary(bytes)) } => same(&bytes[..], BYTES),
        other => Err(fail(format!("{other:?}"))),
    }
}

async fn garbage(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let mut guest = house.join().await?;
    // A small generator with a fixed start: what fails once fails again.
    let mut state = 0x2545_f491_u32;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    for _ in 0..200 {
        let mut bytes: Vec<u8> = (0..random()).map(|_| random()).collect();
        // Never a whole answer: those are taken in silence.
        if let Some(kind) = bytes.first_mut().filter(|kind| **kind == 2) {
            *kind = 3;
        }
        guest.raw(Frame::binary(bytes)).await?;
        guest.read().await?;
    }
    same(guest.value("hello", Value::Null).await?, json!("hello"))
}

async fn no_binary(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let _guest = house.join().await?;
    let emitted = house.client()?.emit_payload("bytes", &Payload::Binary(BYTES.into()));
    if house.shows(crate::door::Need::Binary) {
        return Ok(emitted?);
    }
    same(emitted.map_err(|error| error.kind()), Err(narthex_core::ErrorKind::Unsupported))
}

async fn late_ack(kit: Kit<'_>) -> Outcome {
    async fn asks(State(probe): State<Probe>, client: Client) -> Result<Json<Value>, narthex_core::Error> {
        probe.note("asked");
        client.emit_with_ack("q", &1, std::time::Duration::from_secs(30)).await.map(Json)
    }
    let house = kit.serve(Gateway::new().on("asks", asks)).await?;
    let mut guest = house.join().await?;
    for id in [0, 1, 2, u64::MAX] {
        guest.answer(id, json!("unasked")).await?;
    }
    guest.request("asks", Value::Null, 1).await?;
    let id = guest.asked("q").await?;
    guest.answer(id.wrapping_add(1), json!("wrong")).await?;
    guest.answer(id, json!("right")).await?;
    guest.answer(id, json!("again")).await?;
    same(soon(guest.answer_to(1)).await??, Ok(json!("right")))?;
    ensure(house.stats().bad_frames == 0, "no answer is a bad frame")
}

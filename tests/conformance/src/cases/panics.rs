//! A panic ends the call that it happened in, and nothing else.

use futures_util::{StreamExt, stream};
use narthex_core::{CloseReason, Denied, Emit, Failed, Gateway, Handler, State, Streamed};
use serde_json::{Value, json};

use super::list;
use crate::kit::{Guest, House, Kit, Outcome, Probe, ensure, message_of, same};

list! {
    handler: "a panic in a handler, at once or later, is answered \"Internal server error\"", [], [];
    guard: "a panic in a guard refuses the message", [], [];
    filter: "a panic in a filter is answered \"Internal server error\"", [], [];
    stream_panics: "a panic in a stream ends the stream with an error", [], [];
    connecting: "a panic in on_connect refuses that client alone", [], [];
    disconnecting: "a panic in an on_disconnect hook does not keep the others from running", [], [];
}

/// Both clients are still served.
async fn unharmed(house: &House, guest: &mut Guest, other: &mut Guest, panics: u64) -> Outcome {
    same(guest.value("hello", Value::Null).await?, json!("hello"))?;
    same(other.value("hello", Value::Null).await?, json!("hello"))?;
    same(house.stats().panics, panics)
}

/// A panic that no hook prints: it is meant.
fn blow_up() -> ! {
    std::panic::resume_unwind(Box::new("a secret"))
}

const INTERNAL: &str = "Internal server error";

async fn handler(kit: Kit<'_>) -> Outcome {
    async fn at_once() {
        blow_up()
    }
    async fn later() {
        tokio::task::yield_now().await;
        blow_up()
    }
    let gateway = Gateway::new().on("at once", at_once).on("later", later).on("beside", later.concurrent(2));
    let house = kit.serve(gateway).await?;
    let (mut guest, mut other) = (house.join().await?, house.join().await?);
    for event in ["at once", "later", "beside"] {
        same(guest.error(event, Value::Null).await?, INTERNAL)?;
        guest.emit(event, Value::Null).await?;
        same(message_of(&guest.expect("exception").await?), INTERNAL)?;
    }
    unharmed(&house, &mut guest, &mut other, 6).await
}

async fn guard(kit: Kit<'_>) -> Outcome {
    async fn guarded(State(probe): State<Probe>) {
        probe.note("passed");
    }
    async fn broken() -> Result<(), Denied> {
        blow_up()
    }
    let mut house = kit.serve(Gateway::new().on("guarded", guarded.guard(broken))).await?;
    let (mut guest, mut other) = (house.join().await?, house.join().await?);
    same(guest.error("guarded", Value::Null).await?, INTERNAL)?;
    same(house.notes.rest(), Vec::<String>::new())?;
    unharmed(&house, &mut guest, &mut other, 1).await
}

async fn filter(kit: Kit<'_>) -> Outcome {
    async fn fails() -> Result<(), Denied> {
        Err(Denied::bad_request("no"))
    }
    async fn broken(_: Denied, _: Failed) {
        blow_up()
    }
    let house = kit.serve(Gateway::new().on("fails", fails).filter(broken)).await?;
    let (mut guest, mut other) = (house.join().await?, house.join().await?);
    same(guest.error("fails", Value::Null).await?, INTERNAL)?;
    unharmed(&house, &mut guest, &mut other, 1).await
}

async fn stream_panics(kit: Kit<'_>) -> Outcome {
    async fn broken() -> Streamed {
        let items = stream::iter(0..3).map(|n| if n == 2 { blow_up() } else { Emit::new("n", &n) });
        Streamed::new(items)
    }
    let house = kit.serve(Gateway::new().on("broken", broken)).await?;
    let (mut guest, mut other) = (house.join().await?, house.join().await?);
    same(guest.error("broken", Value::Null).await?, INTERNAL)?;
    same((guest.expect("n").await?, guest.expect("n").await?), (json!(0), json!(1)))?;
    unharmed(&house, &mut guest, &mut other, 1).await
}

async fn connecting(kit: Kit<'_>) -> Outcome {
    async fn broken(State(probe): State<Probe>) {
        probe.note("connecting");
        probe.pass().await;
        blow_up()
    }
    async fn leaves(State(probe): State<Probe>) {
        probe.note("left");
    }
    let mut house = kit.serve(Gateway::new().on_connect(broken).on_disconnect(leaves)).await?;
    let guest = house.arrive().await?;
    house.notes.expect(&["connecting"]).await?;
    house.probe.open(1);
    let goodbye = guest.goodbye().await?;
    if house.shows(crate::door::Need::CloseCodes) {
        same(goodbye, Some((1008, INTERNAL.to_owned())))?;
    }
    ensure(house.hub()?.is_empty(), "nobody is connected")?;
    same(house.end().await?, Vec::<String>::new())
}

async fn disconnecting(kit: Kit<'_>) -> Outcome {
    async fn broken(_: CloseReason) {
        blow_up()
    }
    async fn leaves(State(probe): State<Probe>) {
        probe.note("left");
    }
    let mut house = kit.serve(Gateway::new().on_disconnect(broken).on_disconnect(leaves)).await?;
    house.join().await?.abort();
    house.notes.expect(&["left"]).await?;
    house.join().await?.close(1000, "").await?;
    house.notes.expect(&["left"]).await
}

//! Slow readers hurt only themselves.

use narthex_core::{Client, CloseReason, Gateway, Limits, Overflow, State};
use serde_json::{Value, json};

use super::list;
use crate::{
    door::Need,
    kit::{Guest, Heard, House, Kit, Outcome, Probe, ensure, fail, same},
};

list! {
    disconnect: "a reader that is too slow is disconnected with 1013, and nobody else notices", [9 15], [];
    drop_newest: "with drop newest, a slow reader misses the latest and stays", [9], [];
    drop_oldest: "with drop oldest, a slow reader misses the earliest and stays", [9], [];
    stuck: "a peer that takes no bytes is let go after a bounded time", [13 14], [];
}

async fn left(State(probe): State<Probe>, reason: CloseReason) {
    probe.note(format!("{reason:?}"));
}

/// More than the buffers of any transport: frames of 32 KiB.
const MOST: u64 = 4096;

struct Party {
    house: House,
    slow: Guest,
    quick: Guest,
    client: Client,
}

async fn party(kit: Kit<'_>, policy: Overflow) -> Outcome<Party> {
    let limits = Limits::default().outbox(8, 8 * 1024 * 1024).overflow(policy);
    let house = kit.serve_within(Gateway::new().on_disconnect(left), limits).await?;
    let slow = house.join().await?;
    let client = house.client()?;
    let quick = house.join().await?;
    Ok(Party { house, slow, quick, client })
}

impl Party {
    /// Broadcasts until it is enough; the quick reader must receive all of it. Gives how many were sent.
    async fn flood(&mut self, enough: impl Fn(&Client) -> bool) -> Outcome<u64> {
        let (hub, padding) = (self.house.hub()?, "x".repeat(32 * 1024));
        for n in 0..MOST {
            hub.emit("n", &(n, &padding))?;
            same(&self.quick.expect("n").await?[0], &json!(n))?;
            if enough(&self.client) {
                return Ok(n + 1);
            }
        }
        Err(fail("the slow reader's outbox never filled"))
    }

    /// The numbers that the slow reader gets until its next question is answered.
    async fn read_on(&mut self) -> Outcome<Vec<u64>> {
        let mut numbers = Vec::new();
        self.slow.request("hello", Value::Null, 0).await?;
        loop {
            match self.slow.read().await? {
                Heard::Ack { .. } => return Ok(numbers),
                heard => {
                    let (_, data) = heard.into_event().ok_or_else(|| fail("no event"))?;
                    numbers.extend(data[0].as_u64());
                }
            }
        }
    }
}

async fn disconnect(kit: Kit<'_>) -> Outcome {
    let mut party = party(kit, Overflow::Disconnect).await?;
    party.flood(Client::is_closed).await?;
    let (heard, goodbye) = party.slow.hear_out().await?;
    for (n, heard) in heard.into_iter().enumerate() {
        same(heard.into_event().map(|(_, data)| data[0].clone()), Some(json!(n)))?;
    }
    if party.house.shows(Need::CloseCodes) {
        same(goodbye.map(|(code, _)| code), Some(1013))?;
    }
    party.house.notes.expect(&["Overflow"]).await?;
    same(party.house.stats().overflowed, 1)?;
    same(party.quick.value("hello", Value::Null).await?, json!("hello"))
}

async fn drop_newest(kit: Kit<'_>) -> Outcome {
    let mut party = party(kit, Overflow::DropNewest).await?;
    let sent = party.flood(|client| client.outbox_dropped() >= 3).await?;
    let numbers = party.read_on().await?;
    let kept = sent - party.client.outbox_dropped();
    same(numbers, (0..kept).collect::<Vec<_>>())?;
    same(party.house.stats().dropped, 3)?;
    same(party.read_on().await?, Vec::<u64>::new())
}

async fn drop_oldest(kit: Kit<'_>) -> Outcome {
    let mut party = party(kit, Overflow::DropOldest).await?;
    let sent = party.flood(|client| client.outbox_dropped() >= 3).await?;
    let numbers = party.read_on().await?;
    same(numbers.len() as u64, sent - party.client.outbox_dropped())?;
    ensure(numbers.is_sorted_by(|a, b| a < b), "they come in order")?;
    same((numbers.first(), numbers.last()), (Some(&0), Some(&(sent - 1))))?;
    same(party.read_on().await?, Vec::<u64>::new())
}

async fn stuck(kit: Kit<'_>) -> Outcome {
    let mut party = party(kit, Overflow::DropNewest).await?;
    party.flood(|client| client.outbox_dropped() >= 1).await?;
    party.house.notes.next().await?;
    same(party.house.hub()?.len(), 1)?;
    same(party.quick.value("hello", Value::Null).await?, json!("hello"))
}

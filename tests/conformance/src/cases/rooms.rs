//! Rooms: whom a broadcast reaches.

use narthex_core::{Client, Gateway, Hub, Json, Limits};
use serde_json::{Value, json};

use super::list;
use crate::kit::{Guest, Heard, House, Kit, Outcome, fail, json as read, same};

list! {
    in_and_out: "a room reaches who joined it, and nobody who left", [], [];
    sender: "a client's own broadcast leaves it out, the hub's does not", [], [];
    except: "an excepted client receives nothing", [], [];
    twice: "a client in two addressed rooms receives once", [], [];
    users: "a user's name reaches all clients of the user", [], [];
    moved: "a target's clients may be moved and made to leave together", [15], [];
    crowd: "each of many senders' events arrive in order, and so do the answers among them", [9], [];
    order: "one sender's broadcasts arrive in order, between its direct messages", [9], [];
}

async fn join(client: Client, Json(room): Json<String>) -> Result<(), narthex_core::Error> {
    client.join(&room)
}

async fn leave(client: Client, Json(room): Json<String>) {
    client.leave(&room);
}

async fn say(client: Client, Json(room): Json<String>) -> Result<usize, narthex_core::Error> {
    client.to(&room).emit("said", &room)
}

async fn call(hub: Hub, Json(room): Json<String>) -> Result<usize, narthex_core::Error> {
    hub.to(&room).emit("said", &room)
}

async fn echo(Json(n): Json<u64>) -> u64 {
    n
}

async fn name(client: Client, Json(name): Json<String>) {
    client.set_user(&name);
}

struct Three {
    house: House,
    guests: [Guest; 3],
}

async fn three(kit: Kit<'_>) -> Outcome<Three> {
    let gateway =
        Gateway::new().on("join", join).on("leave", leave).on("say", say).on("call", call).on("name", name);
    let house = kit.serve(gateway).await?;
    let guests = [house.join().await?, house.join().await?, house.join().await?];
    Ok(Three { house, guests })
}

impl Three {
    /// What each of the three has received until now.
    async fn received(&mut self) -> Outcome<[Vec<Value>; 3]> {
        self.house.hub()?.emit("end", &0)?;
        let mut all = [Vec::new(), Vec::new(), Vec::new()];
        for (guest, received) in self.guests.iter_mut().zip(&mut all) {
            loop {
                match guest.event().await? {
                    (event, _) if event == "end" => break,
                    (_, data) => received.push(data),
                }
            }
        }
        Ok(all)
    }
}

async fn in_and_out(kit: Kit<'_>) -> Outcome {
    let mut three = three(kit).await?;
    let [ada, bob, eve] = &mut three.guests;
    for guest in [&mut *ada, &mut *bob] {
        guest.value("join", json!("tea")).await?;
        guest.value("join", json!("tea")).await?;
    }
    same(eve.value("call", json!("tea")).await?, json!(2))?;
    bob.value("leave", json!("tea")).await?;
    same(eve.value("call", json!("tea")).await?, json!(1))?;
    same(eve.value("call", json!("nobody's")).await?, json!(0))?;
    same(three.house.hub()?.rooms(), ["tea"])?;
    let tea = json!("tea");
    same(three.received().await?, [vec![tea.clone(), tea.clone()], vec![tea], vec![]])
}

async fn sender(kit: Kit<'_>) -> Outcome {
    let mut three = three(kit).await?;
    for guest in &mut three.guests {
        guest.value("join", json!("tea")).await?;
    }
    same(three.guests[0].value("say", json!("tea")).await?, json!(2))?;
    same(three.guests[1].value("call", json!("tea")).await?, json!(3))?;
    let counts = three.received().await?.map(|received| received.len());
    same(counts, [1, 2, 2])
}

async fn except(kit: Kit<'_>) -> Outcome {
    let mut three = three(kit).await?;
    let hub = three.house.hub()?;
    let ids: Vec<_> = hub.clients().iter().map(Client::id).collect();
    same(hub.except(ids[0]).emit("said", &1)?, 2)?;
    same(hub.all().except(ids[0]).except(ids[2]).emit("said", &2)?, 1)?;
    same(three.received().await?, [vec![], vec![json!(1), json!(2)], vec![json!(1)]])
}

async fn twice(kit: Kit<'_>) -> Outcome {
    let mut three = three(kit).await?;
    for (guest, rooms) in three.guests.iter_mut().zip([&["a", "b"][..], &["b"], &["c"]]) {
        for room in rooms {
            guest.value("join", json!(room)).await?;
        }
    }
    same(three.house.hub()?.to("a").to("b").emit("said", &1)?, 2)?;
    let counts = three.received().await?.map(|received| received.len());
    same(counts, [1, 1, 0])
}

async fn users(kit: Kit<'_>) -> Outcome {
    let mut three = three(kit).await?;
    for (guest, name) in three.guests.iter_mut().zip(["ada", "ada", "bob"]) {
        guest.value("name", json!(name)).await?;
    }
    let hub = three.house.hub()?;
    same((hub.user("ada").emit("said", &1)?, hub.user("nobody").emit("said", &2)?), (2, 0))?;
    three.guests[1].value("name", json!("bob")).await?;
    same(hub.user("bob").emit("said", &3)?, 2)?;
    same(three.received().await?, [vec![json!(1)], vec![json!(1), json!(3)], vec![json!(3)]])
}

async fn moved(kit: Kit<'_>) -> Outcome {
    let mut three = three(kit).await?;
    three.guests[0].value("join", json!("a")).await?;
    three.guests[1].value("join", json!("a")).await?;
    let hub = three.house.hub()?;
    hub.to("a").join("b")?;
    hub.to("a").leave("a");
    same((hub.to("a").clients().len(), hub.to("b").clients().len()), (0, 2))?;
    hub.to("b").emit("said", &"last")?;
    hub.to("b").disconnect(4000, "moved");
    let [ada, bob, mut eve] = three.guests;
    for guest in [ada, bob] {
        let (heard, goodbye) = guest.hear_out().await?;
        same(heard.len(), 1)?;
        if three.house.shows(crate::door::Need::CloseCodes) {
            same(goodbye, Some((4000, "moved".to_owned())))?;
        }
    }
    same(eve.value("hello", Value::Null).await?, json!("hello"))
}

async fn order(kit: Kit<'_>) -> Outcome {
    let mut three = three(kit).await?;
    let hub = three.house.hub()?;
    let clients = hub.clients();
    for n in 0..60 {
        match n % 3 {
            0 => drop(hub.emit("n", &n)?),
            1 => clients.iter().try_for_each(|client| client.emit("n", &n))?,
            _ => drop(hub.all().emit("n", &n)?),
        }
    }
    let wanted: Vec<_> = (0..60).map(Value::from).collect();
    same(three.received().await?, [wanted.clone(), wanted.clone(), wanted])
}

/// Senders on threads of their own, each beside the others and beside the client's own messages.
async fn crowd(kit: Kit<'_>) -> Outcome {
    const SENDERS: u64 = 4;
    const EACH: u64 = 150;
    let limits = Limits::default().outbox(10_000, 10_000_000);
    let house = kit.serve_within(Gateway::new().on("join", join).on("echo", echo), limits).await?;
    let mut guest = house.join().await?;
    guest.value("join", json!("tea")).await?;
    let hub = house.hub()?;
    let client = house.client()?;
    let senders = (0..SENDERS).map(|sender| {
        let (hub, client) = (hub.clone(), client.clone());
        std::thread::spawn(move || {
            (0..EACH).try_for_each(|n| match n % 3 {
                0 => client.emit("n", &(sender, n)),
                1 => hub.to("tea").emit("n", &(sender, n)).map(drop),
                _ => hub.emit("n", &(sender, n)).map(drop),
            })
        })
    });
    let senders: Vec<_> = senders.collect();
    let mut events = vec![Vec::new(); SENDERS as usize];
    let mut answers = Vec::new();
    let ask = async {
        for id in 0..EACH {
            guest.request("echo", json!(id), id).await?;
        }
        Ok(())
    };
    let hear = async {
        for _ in 0..(SENDERS + 1) * EACH {
            match guest.read().await? {
                Heard::Event { payload, .. } => {
                    let (sender, n): (usize, u64) = payload.parse().map_err(|e| fail(e.to_string()))?;
                    events.get_mut(sender).ok_or_else(|| fail("an unknown sender"))?.push(n);
                }
                Heard::Ack { id, result: Ok(value) } => {
                    same(read(&value), json!(id))?;
                    answers.push(id);
                }
                other => return Err(fail(format!("{other:?} was not asked for"))),
            }
        }
        Ok(())
    };
    tokio::try_join!(ask, hear)?;
    for sender in senders {
        sender.join().map_err(|_| fail("a sender panicked"))??;
    }
    same(answers, (0..EACH).collect::<Vec<_>>())?;
    events.into_iter().try_for_each(|events| same(events, (0..EACH).collect::<Vec<_>>()))
}

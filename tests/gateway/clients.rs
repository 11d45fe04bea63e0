use std::time::{Duration, SystemTime};

use narthex_core::{Client, ClientId, Error, ErrorKind, Gateway, Hub, Json, Limits, Server, TestServer};
use serde_json::{Value, json};

use super::served;

#[tokio::test(start_paused = true)]
async fn data_of_a_client_is_kept_by_type_and_belongs_to_it_alone() {
    #[derive(Clone)]
    struct Count(u32);
    async fn count(client: Client) -> u32 {
        let next = client.data::<Count>().map_or(1, |count| count.0 + 1);
        client.set_data(Count(next));
        next
    }
    let mut one = served(Gateway::new().on("count", count)).await;
    let mut two = one.server.connect().await.unwrap();
    assert_eq!(one.ask("count", Value::Null).await, json!(1));
    assert_eq!(one.ask("count", Value::Null).await, json!(2));
    assert_eq!(two.ask::<u32>("count", &0).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_found_by_its_id_and_its_user() {
    async fn login(client: Client, Json(name): Json<String>) -> Json<(ClientId, Option<String>)> {
        client.set_user(&name);
        Json((client.id(), client.user().map(|user| user.to_string())))
    }
    let mut served = served(Gateway::new().on("login", login)).await;
    let answer = served.ask("login", json!("ada")).await;
    assert_eq!(answer[1], "ada");
    let id: ClientId = answer[0].as_str().unwrap().parse().unwrap();
    let hub = served.server.hub("/").unwrap();
    let client = hub.get(id).unwrap();
    assert!(hub.user("ada").clients().iter().eq([&client]));
    assert!(client.connected_at() <= SystemTime::now());
    served.client.close(1000, "");
    served.client.closed().await;
    served.server.drain().await.unwrap();
    assert!(hub.get(id).is_none() && hub.user("ada").clients().is_empty() && hub.is_empty());
}

#[tokio::test(start_paused = true)]
async fn rooms_obey_their_bounds_and_names() {
    async fn join(client: Client, Json(room): Json<String>) -> Result<usize, Error> {
        client.join(&room)?;
        Ok(client.rooms().len())
    }
    let server =
        Server::new(Gateway::new().on("join", join)).limits(Limits::default().rooms_per_client(2).rooms(3));
    let server = TestServer::of(server).await.unwrap();
    let (mut one, mut two) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    for (room, count) in [("a", 1), ("a", 1), ("ß", 2)] {
        assert_eq!(one.ask::<usize>("join", room).await.unwrap(), count);
    }
    let refused = one.ask::<usize>("join", "c").await.unwrap_err();
    assert_eq!(refused.to_string(), "the client is in too many rooms");
    assert_eq!(two.ask::<usize>("join", "c").await.unwrap(), 1);
    assert_eq!(two.ask::<usize>("join", "d").await.unwrap_err().to_string(), "there are too many rooms");
    for room in ["", "a\u{7}", &"ß".repeat(65)] {
        assert!(two.ask::<usize>("join", room).await.unwrap_err().to_string().contains("name"), "{room:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_is_freed_with_its_last_client() {
    async fn join(client: Client) -> Result<bool, Error> {
        client.join("tea")?;
        Ok(client.is_in("tea"))
    }
    let mut served =
        served(Gateway::new().on("join", join).on("hub", async |hub: Hub| Json(hub.rooms()))).await;
    assert_eq!(served.ask("join", Value::Null).await, json!(true));
    assert_eq!(served.ask("hub", Value::Null).await, json!(["tea"]));
    served.server.hub("/").unwrap().to("tea").leave("tea");
    assert_eq!(served.ask("hub", Value::Null).await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn stats_count_what_the_bounds_did() {
    async fn never() {
        std::future::pending::<()>().await;
    }
    use narthex_core::Handler;
    let mut served = served(Gateway::new().on("never", never.concurrent(1))).await;
    assert_eq!(served.server.stats().clients, 1);
    served.client.emit("never", &0).await.unwrap();
    assert_eq!(served.refused("never", Value::Null).await, "Overloaded");
    served.client.send_frame(narthex_core::Frame::text("nope")).await.unwrap();
    served.client.expect("exception").await.unwrap();
    let stats = served.server.stats();
    assert_eq!((stats.overloaded, stats.bad_frames, stats.panics, stats.refused), (1, 1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn side_calls_and_json_depth_are_bounded_as_told() {
    use narthex_core::Handler;
    async fn never() {
        std::future::pending::<()>().await;
    }
    let gateway = Gateway::new().on("never", never.concurrent(100)).on("echo", async |v: Json<Value>| v);
    let server = Server::new(gateway).limits(Limits::default().side_tasks(2).json_depth(3));
    let server = TestServer::of(server).await.unwrap();
    let mut client = server.connect().await.unwrap();
    client.emit("never", &0).await.unwrap();
    client.emit("never", &0).await.unwrap();
    assert_eq!(client.ask::<Value>("never", &0).await.unwrap_err().to_string(), "Overloaded");
    assert_eq!(client.ask::<Value>("echo", &json!([[1]])).await.unwrap(), json!([[1]]));
    client.emit("echo", &json!([[[1]]])).await.unwrap();
    assert_eq!(client.expect("exception").await.unwrap()["message"], "The message is nested too deep");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_not_answered_fails_when_its_time_is_over() {
    async fn ask(client: Client) -> Result<Json<Value>, Error> {
        client.emit_with_ack("q", &1, Duration::from_secs(5)).await.map(Json)
    }
    let mut served = served(Gateway::new().on("ask", ask)).await;
    assert_eq!(served.refused("ask", Value::Null).await, "the client did not answer in time");
    let question = served.client.next().await.unwrap();
    assert_eq!((question.event.as_str(), question.ack.is_some()), ("q", true));
    served.client.answer(question.ack.unwrap(), &"late").await.unwrap();
    let client = served.server.hub("/").unwrap().clients().pop().unwrap();
    let answer = client.emit_with_ack::<u8>("q", &2, Duration::from_secs(5));
    let reply = async {
        let question = served.client.next().await.unwrap();
        served.client.answer(question.ack.unwrap(), &"no number").await.unwrap();
    };
    let (answer, ()) = tokio::join!(answer, reply);
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Encode);
}

#[tokio::test(start_paused = true)]
async fn a_volatile_event_is_dropped_where_anything_waits() {
    async fn flood(client: Client, hub: Hub) -> Json<(bool, bool, usize, usize)> {
        let first = client.emit_volatile("v", &1).is_ok();
        let second = client.emit_volatile("v", &2).is_ok();
        let missed = hub.all().volatile().emit("v", &3).unwrap_or_default();
        let reached = hub.all().emit("v", &4).unwrap_or_default();
        Json((first, second, missed, reached))
    }
    let mut served = served(Gateway::new().on("flood", flood)).await;
    assert_eq!(served.ask("flood", Value::Null).await, json!([true, false, 0, 1]));
    assert_eq!(served.server.stats().dropped, 1);
}

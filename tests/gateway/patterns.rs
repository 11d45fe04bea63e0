use narthex_core::{Event, EventName, Frame, Gateway, Guard, IntoVerdict, Json, Path, Pattern, TestServer};
use serde_json::{Value, json};

use super::{refusal, served};

fn says(text: &'static str) -> impl narthex_core::Handler<(fn() -> &'static str,)> {
    move || async move { text }
}

#[tokio::test(start_paused = true)]
async fn a_name_goes_before_a_pattern_and_a_narrow_pattern_before_a_wide_one() {
    let gateway = Gateway::new()
        .on("room.{id}.{what}", says("widest"))
        .on("room.{id}.msg", says("wide"))
        .on("room.lobby.msg", says("name"));
    let mut served = served(gateway).await;
    for (event, handler) in [("room.lobby.msg", "name"), ("room.7.msg", "wide"), ("room.7.typing", "widest")]
    {
        assert_eq!(served.ask(event, Value::Null).await, json!(handler), "{event}");
    }
    for event in ["room.7", "room..msg", "room.7.msg.more", "room", ""] {
        served.client.ask_value(event, &0).await.unwrap_or(Err(Value::Null)).unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn the_handler_sees_the_event_as_it_came_and_the_parameters_decoded_as_text() {
    async fn which(name: EventName, Path(id): Path<String>) -> Json<(String, String)> {
        Json((name.to_string(), id))
    }
    let mut served = served(Gateway::new().on("room.{id}.msg", which)).await;
    assert_eq!(served.ask("room.a%20b.msg", Value::Null).await, json!(["room.a%20b.msg", "a%20b"]));
}

#[tokio::test(start_paused = true)]
async fn a_structural_pattern_matches_objects_with_at_least_its_members() {
    let gateway = Gateway::new()
        .on(Pattern::json(json!({"channel": "messages"})), says("any"))
        .on(Pattern::json(json!({"channel": "messages", "type": "group"})), says("group"));
    let mut served = served(gateway).await;
    for (event, answer) in [
        (r#"{"type":"group","channel":"messages"}"#, Ok(json!("group"))),
        (r#"{"channel":"messages","type":"direct"}"#, Ok(json!("any"))),
        (r#"{"channel":"other"}"#, Err("Unknown event")),
    ] {
        served.client.send_frame(Frame::text(format!(r#"{{"event":{event},"id":1}}"#))).await.unwrap();
        // The frame's id is that of the question which follows.
        let asked = served.client.ask_value("nobody", &0).await.unwrap();
        let asked = asked.map_err(|error| error["message"].as_str().unwrap_or_default().to_owned());
        assert_eq!(asked, answer.map_err(str::to_owned), "{event}");
        served.client = served.server.connect().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn patterns_that_no_event_could_tell_apart_are_refused() {
    for (one, two) in [("a", "a"), ("room.{id}", "room.{name}"), ("{x}.y", "{z}.y")] {
        let why = refusal(Gateway::new().on(one, says("1")).on(two, says("2"))).await;
        assert!(why.contains(one) && why.contains(two) && why.contains("two handlers"), "{why}");
    }
    let object = || Pattern::json(json!({"a": 1}));
    let why = refusal(Gateway::new().on(object(), says("1")).on(object(), says("2"))).await;
    assert!(why.contains("two handlers"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn names_that_cannot_be_registered_are_refused_with_the_reason() {
    let long = "x".repeat(129);
    for (name, reason) in [
        ("", "empty"),
        (long.as_str(), "128"),
        ("a\nb", "control"),
        ("a.{id", "whole segment"),
        ("a.x{id}", "whole segment"),
        ("{}", "parameter names"),
        ("{a}.{a}", "parameter names"),
    ] {
        let error = TestServer::new(Gateway::new().on(name, says("1"))).await.unwrap_err();
        let why = format!("{error:?}");
        assert!(why.contains(reason), "{name:?}: {why}");
    }
    for value in [json!({}), json!([1]), json!("text")] {
        let why = refusal(Gateway::new().on(Pattern::json(value), says("1"))).await;
        assert!(why.contains("an object with members"), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_socket_io_keeps_for_itself_are_refused() {
    for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] {
        let why = refusal(Gateway::new().on(name, says("1"))).await;
        assert!(why.contains(name) && why.contains("reserved"), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_registered_pattern_and_the_metadata_are_there_for_layers_and_guards() {
    #[derive(Clone)]
    struct Role(&'static str);
    struct Seen(String);
    impl narthex_core::FromEvent for Seen {
        type Rejection = narthex_core::Denied;
        async fn from_event(event: &mut Event) -> Result<Self, Self::Rejection> {
            let role = event.metadata().get::<Role>().map_or("none", |role| role.0);
            Ok(Self(format!("{} {role}", event.pattern().unwrap_or("fallback"))))
        }
    }
    async fn seen(Seen(seen): Seen) -> String {
        seen
    }
    fn is_guard<M>(guard: impl Guard<M>) -> impl Guard<M> {
        guard
    }
    async fn nothing(_: Seen) -> impl IntoVerdict + use<> {}
    use narthex_core::Handler;
    let gateway = Gateway::new()
        .on("room.{id}", seen.metadata(Role("admin")).guard(is_guard(nothing)))
        .on("plain", seen)
        .fallback(seen);
    let mut served = served(gateway).await;
    assert_eq!(served.ask("room.7", Value::Null).await, json!("room.{id} admin"));
    assert_eq!(served.ask("plain", Value::Null).await, json!("plain none"));
    assert_eq!(served.ask("else", Value::Null).await, json!("fallback none"));
}

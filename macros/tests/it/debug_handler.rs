//! `#[debug_handler]` changes nothing.

use narthex::{Client, Denied, Gateway, IntoReply, Json, State, TestServer, debug_handler};

#[debug_handler]
async fn greet(
    client: Client,
    Json(name): Json<String>,
    State(word): State<&'static str>,
) -> Result<String, Denied> {
    if name.is_empty() {
        return Err(Denied::bad_request(format!("{word} whom, {}?", client.adapter())));
    }
    Ok(format!("{word}, {name}"))
}

#[debug_handler]
async fn nothing() {}

/// A type without a name can be looked at by the builder alone.
#[debug_handler]
async fn anything(Json(number): Json<u8>) -> impl IntoReply + use<> {
    number
}

#[tokio::test]
async fn a_checked_handler_is_the_handler() {
    let gateway =
        Gateway::new().state("hello").on("greet", greet).on("nothing", nothing).on("anything", anything);
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(client.ask::<String>("greet", "Ada").await.unwrap(), "hello, Ada");
    let refused = client.ask::<String>("greet", "").await.unwrap_err();
    assert!(refused.to_string().contains("hello whom, memory?"), "{refused}");
    client.ask::<()>("nothing", &()).await.unwrap();
    assert_eq!(client.ask::<u8>("anything", &7).await.unwrap(), 7);
}

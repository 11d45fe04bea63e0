//! The end of a token, and newer ones.

use std::time::Duration;

use narthex_core::{CloseReason, Gateway, TestClient, TestServer};
use narthex_middleware::auth::{CookieKeys, CookieLayer, MemoryCookieStore};
use serde_json::{Value, json};
use tokio::time::{Instant, advance};

use super::{ada, bearer, jwt, now, secret, server, sign, who, with};

const EXPIRED: CloseReason =
    CloseReason::Disconnected { code: 4401, text: std::borrow::Cow::Borrowed("token expired") };

/// How long the server leaves a client open, in seconds of the paused clock.
async fn life(mut client: TestClient) -> u64 {
    let begin = Instant::now();
    assert_eq!(client.closed().await, Some(EXPIRED));
    begin.elapsed().as_secs()
}

async fn refused(client: &mut TestClient, payload: &Value) -> String {
    client.ask::<()>("refresh", payload).await.unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_client_is_closed_when_its_token_ends() {
    let server = server(jwt(secret())).await;
    let client = server.connect_with(bearer(&sign(&ada(100)))).await.unwrap();
    assert!((95..=101).contains(&life(client).await));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_accepted_within_the_leeway_ends_with_it() {
    let server = server(jwt(secret()).leeway(Duration::from_secs(60))).await;
    let ended = sign(&with(ada(0), "exp", json!(now() - 10)));
    let client = server.connect_with(bearer(&ended)).await.unwrap();
    assert!((40..=51).contains(&life(client).await));
}

#[tokio::test(start_paused = true)]
async fn a_newer_token_keeps_a_client_and_brings_new_claims() {
    let server = server(jwt(secret())).await;
    for as_object in [true, false] {
        let mut client = server.connect_with(bearer(&sign(&ada(100)))).await.unwrap();
        let newer = sign(&with(ada(1000), "name", json!("Countess")));
        let payload = if as_object { json!({ "token": newer }) } else { json!(newer) };
        client.ask::<()>("refresh", &payload).await.unwrap();
        advance(Duration::from_secs(200)).await;
        assert_eq!(who(&mut client).await, "ada Countess");
        assert!((790..=801).contains(&life(client).await), "and is closed when that ends");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_refused_changes_nothing() {
    let server = server(jwt(secret())).await;
    let mut client = server.connect_with(bearer(&sign(&ada(100)))).await.unwrap();
    let eve = sign(&with(with(ada(1000), "sub", json!("eve")), "name", json!("Eve")));
    assert_eq!(refused(&mut client, &json!({ "token": eve })).await, "The token is for somebody else");
    let ended = sign(&with(ada(0), "exp", json!(now() - 100)));
    assert_eq!(refused(&mut client, &json!(ended)).await, "The token has expired");
    assert_eq!(refused(&mut client, &json!("a.b.c")).await, "The token is not valid");
    for junk in [json!(null), json!(7), json!({}), json!({ "token": 7 }), json!([])] {
        assert_eq!(refused(&mut client, &junk).await, "The payload does not have the expected shape");
    }
    assert_eq!(who(&mut client).await, "ada Ada");
    assert!((95..=101).contains(&life(client).await));
}

#[tokio::test(start_paused = true)]
async fn who_came_without_a_token_has_none_to_refresh() {
    let server = server(jwt(secret()).optional()).await;
    let mut nobody = server.connect().await.unwrap();
    assert_eq!(refused(&mut nobody, &json!(sign(&ada(100)))).await, "There is no token to refresh");
    assert_eq!(who(&mut nobody).await, "nobody");
}

#[tokio::test(start_paused = true)]
async fn with_a_token_and_a_cookie_a_client_is_closed_when_the_first_of_them_ends() {
    let keys = CookieKeys::new("a secret for cookies that nobody else has").unwrap();
    for cookie_outside in [true, false] {
        let store = MemoryCookieStore::new().lifetime(Duration::from_secs(500));
        let value = keys.sign(&store.insert("ada", ()).unwrap());
        let (token, cookie) = (jwt(secret()), CookieLayer::new("sid", keys.clone(), store));
        let gateway = Gateway::new().on("refresh", token.refresh());
        let gateway = match cookie_outside {
            true => gateway.handshake_layer(cookie).handshake_layer(token),
            false => gateway.handshake_layer(token).handshake_layer(cookie),
        };
        let server = TestServer::new(gateway).await.unwrap();
        let both = || {
            let mut request = bearer(&sign(&ada(100)));
            request.headers_mut().insert("cookie", format!("sid={value}").parse().unwrap());
            request
        };
        let client = server.connect_with(both()).await.unwrap();
        assert!((95..=101).contains(&life(client).await), "the token ends first");
        let mut client = server.connect_with(both()).await.unwrap();
        client.ask::<()>("refresh", &json!(sign(&ada(1000)))).await.unwrap();
        assert!((490..=501).contains(&life(client).await), "the cookie ends before the newer token");
    }
}

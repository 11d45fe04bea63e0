//! Which tokens let in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use jsonwebtoken::{Algorithm, Header};
use narthex_core::{BoxError, Client, DeniedKind, Extension, Gateway, TestServer};
use narthex_middleware::auth::{Claims, JwtKey, KeySource};
use serde_json::json;

use super::{
    Member, SECRET, ada, bearer, invalid, jwt, now, refusal, secret, server, sign, sign_as, who, with,
};

fn part(json: &serde_json::Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_valid_token_brings_its_claims_and_the_principal() {
    let gateway = Gateway::new()
        .on("claims", |Extension(claims): Extension<Claims<Member>>| async move { claims.name.clone() })
        .on("principal", |client: Client| async move { client.handshake().principal().map(str::to_owned) })
        .handshake_layer(jwt(secret()));
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect_with(bearer(&sign(&ada(60)))).await.unwrap();
    assert_eq!(client.ask::<String>("claims", &()).await.unwrap(), "Ada");
    assert_eq!(client.ask::<String>("principal", &()).await.unwrap(), "ada");
}

#[tokio::test(start_paused = true)]
async fn who_has_no_token_is_asked_for_one() {
    let server = server(jwt(secret())).await;
    let nothing = Request::get("/").body(()).unwrap();
    let expected = (401, "A token is needed".to_owned(), Some("Bearer".to_owned()));
    assert_eq!(refusal(&server, nothing).await, expected);
    let elsewhere = Request::get(format!("/?token={}", sign(&ada(60)))).body(()).unwrap();
    assert_eq!(refusal(&server, elsewhere).await, expected, "a place that is not looked at");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_valid_is_refused_whatever_is_wrong_with_it() {
    let server = server(jwt(secret())).await;
    let good = sign(&ada(60));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let body = signed.rsplit_once('.').unwrap().1;
    let header = |json| part(&json);
    let crit = json!({ "alg": "HS256", "crit": ["exp"] });
    let own = format!("{}.{body}", header(crit));
    let own_signature = jsonwebtoken::crypto::sign(
        own.as_bytes(),
        &jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes()),
        Algorithm::HS256,
    );
    let own = format!("{own}.{}", own_signature.unwrap());
    let tokens = [
        ("no token at all", "abc".to_owned()),
        ("two parts", signed.to_owned()),
        ("four parts", format!("{good}.{signature}")),
        ("empty parts", "..".to_owned()),
        ("no signature", format!("{signed}.")),
        ("another signature", format!("{signed}.{}", sign(&ada(61)).rsplit_once('.').unwrap().1)),
        ("a header that is no JSON", format!("{}.{body}.{signature}", URL_SAFE_NO_PAD.encode("x"))),
        ("alg none", format!("{}.{body}.", header(json!({ "alg": "none" })))),
        ("alg none with a signature", format!("{}.{body}.{signature}", header(json!({ "alg": "none" })))),
        ("another algorithm", sign_as(&Header::new(Algorithm::HS512), &ada(60), SECRET)),
        ("another key", sign_as(&Header::new(Algorithm::HS256), &ada(60), "a secret of somebody else's")),
        ("an extension that must be understood", own),
        ("no end", sign(&json!({ "sub": "ada", "name": "Ada" }))),
        ("an end that is a string", sign(&with(ada(60), "exp", json!((now() + 60).to_string())))),
        ("an end that is null", sign(&with(ada(60), "exp", json!(null)))),
        ("an end before 1970", sign(&with(ada(60), "exp", json!(-1)))),
        ("an end after all clocks", sign(&with(ada(60), "exp", json!(u64::MAX)))),
        ("an end of another size", sign(&with(ada(60), "exp", json!(1e300)))),
        ("no subject", sign(&json!({ "exp": now() + 60, "name": "Ada" }))),
        ("a subject that is a number", sign(&with(ada(60), "sub", json!(7)))),
        ("an empty subject", sign(&with(ada(60), "sub", json!("")))),
        ("a start that is a string", sign(&with(ada(60), "nbf", json!("now")))),
        ("an audience that nobody named", sign(&with(ada(60), "aud", json!("others")))),
        ("claims of another shape", sign(&with(ada(60), "name", json!(["Ada"])))),
    ];
    for (what, token) in tokens {
        assert_eq!(refusal(&server, bearer(&token)).await, invalid("The token is not valid"), "{what}");
    }
    assert!(server.connect_with(bearer(&good)).await.is_ok(), "the one they are made of is good");
}

#[tokio::test(start_paused = true)]
async fn times_are_compared_with_the_leeway() {
    let ended = |ago: u64| sign(&with(ada(0), "exp", json!(now() - ago)));
    let begins = |ahead: u64| sign(&with(ada(300), "nbf", json!(now() + ahead)));
    for (leeway, within, beyond) in [(None, 20, 40), (Some(2), 0, 10), (Some(3600), 50, 70)] {
        let layer = jwt(secret());
        let server = server(match leeway {
            Some(leeway) => layer.leeway(Duration::from_secs(leeway)),
            None => layer,
        })
        .await;
        assert!(server.connect_with(bearer(&ended(within))).await.is_ok(), "{leeway:?}");
        assert_eq!(refusal(&server, bearer(&ended(beyond))).await, invalid("The token has expired"));
        assert!(server.connect_with(bearer(&begins(within))).await.is_ok(), "{leeway:?}");
        let early = refusal(&server, bearer(&begins(beyond))).await;
        assert_eq!(early, invalid("The token is not valid yet"));
    }
}

#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

#[async_trait]
impl KeySource for Counting {
    async fn key(&self, _: Option<&str>) -> Result<Option<JwtKey>, BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Some(secret()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_9_kb_is_refused_unread_however_good_it_is() {
    let keys = Counting::default();
    let server = server(jwt(keys.clone())).await;
    let long = sign(&with(ada(60), "padding", json!("x".repeat(6900))));
    assert!(long.len() > 9 * 1024 && long.len() < 10 * 1024, "{}", long.len());
    assert_eq!(refusal(&server, bearer(&long)).await, invalid("The token is too long"));
    assert_eq!(keys.0.load(Ordering::Relaxed), 0);
    let shorter = sign(&with(ada(60), "padding", json!("x".repeat(5900))));
    assert!(shorter.len() > 7 * 1024 && shorter.len() <= 8 * 1024, "{}", shorter.len());
    assert!(server.connect_with(bearer(&shorter)).await.is_ok());
    assert_eq!(keys.0.load(Ordering::Relaxed), 1);
    let mut client = server.connect_with(bearer(&sign(&ada(60)))).await.unwrap();
    let refused = client.ask::<()>("refresh", &long).await.unwrap_err();
    assert_eq!(refused.to_string(), "The token is too long");
}

#[tokio::test(start_paused = true)]
async fn issuer_and_audience_are_demanded_where_they_are_named() {
    let layer = jwt(secret()).issuer("https://a.example").issuer("https://b.example").audience("chat");
    let server = server(layer).await;
    let from = |iss: &str, aud: serde_json::Value| sign(&with(with(ada(60), "iss", json!(iss)), "aud", aud));
    for good in [from("https://a.example", json!("chat")), from("https://b.example", json!(["x", "chat"]))] {
        assert!(server.connect_with(bearer(&good)).await.is_ok());
    }
    for bad in [
        sign(&ada(60)),
        sign(&with(ada(60), "iss", json!("https://a.example"))),
        sign(&with(ada(60), "aud", json!("chat"))),
        from("https://c.example", json!("chat")),
        from("https://a.example", json!("mail")),
        from("https://a.example", json!([])),
    ] {
        assert_eq!(refusal(&server, bearer(&bad)).await, invalid("The token is not valid"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_optional_token_may_be_missing_but_not_bad() {
    let server = server(jwt(secret()).optional()).await;
    let mut nobody = server.connect().await.unwrap();
    assert_eq!(who(&mut nobody).await, "nobody");
    let mut member = server.connect_with(bearer(&sign(&ada(60)))).await.unwrap();
    assert_eq!(who(&mut member).await, "ada Ada");
    assert_eq!(refusal(&server, bearer("a.b.c")).await, invalid("The token is not valid"));
    assert_eq!(refusal(&server, bearer("ä")).await, invalid("The credentials are malformed"));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_claims_refuses_a_client_without() {
    let gateway = Gateway::new()
        .on("name", |member: Claims<Member>| async move { member.name.clone() })
        .handshake_layer(jwt(secret()).optional());
    let server = TestServer::new(gateway).await.unwrap();
    let mut nobody = server.connect().await.unwrap();
    let refused = nobody.ask::<String>("name", &()).await.unwrap_err();
    assert_eq!(refused.to_string(), "A token is needed");
}

#[tokio::test(start_paused = true)]
async fn no_debug_output_shows_a_token_or_a_secret() {
    let layer = jwt(secret());
    let token = sign(&ada(60));
    let claims = narthex_middleware::auth::Credentials::bearer().find(&bearer(&token)).unwrap().unwrap();
    let request: narthex_middleware::auth::RefreshRequest =
        serde_json::from_value(json!({ "token": token })).unwrap();
    let shown = format!("{layer:?} {:?} {claims:?} {request:?}", secret());
    assert!(!shown.contains(SECRET) && !shown.contains(&token), "{shown}");
    let gateway = Gateway::new()
        .on("debug", |claims: Claims<Member>| async move { format!("{claims:?}") })
        .handshake_layer(layer);
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect_with(bearer(&token)).await.unwrap();
    let shown: String = client.ask("debug", &()).await.unwrap();
    assert!(shown.contains("ada") && !shown.contains(&token), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_a_message_brings_is_verified_as_one_of_a_handshake() {
    let layer = jwt(secret());
    let claims = layer.verify(&sign(&ada(60))).await.unwrap();
    assert_eq!((claims.subject(), claims.name.as_str()), ("ada", "Ada"));
    let foreign = sign_as(&Header::new(Algorithm::HS256), &ada(60), "a secret that somebody else knows");
    let ended = sign(&with(ada(0), "exp", json!(now() - 3600)));
    let long = "x".repeat(10_000);
    for (token, why) in
        [(foreign.as_str(), "not valid"), (&ended, "has expired"), ("", "not valid"), (&long, "too long")]
    {
        let denied = layer.verify(token).await.unwrap_err();
        assert_eq!(denied.kind(), DeniedKind::Unauthorized);
        assert!(denied.message().contains(why), "{}", denied.message());
    }
}

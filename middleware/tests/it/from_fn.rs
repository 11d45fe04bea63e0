use http::{Request, StatusCode};
use narthex_core::{Denied, Extension, Gateway, Handshake, TestServer};
use narthex_middleware::from_fn::{self, HandshakeNext, HandshakeRequest, HandshakeResponse};
use serde_json::{Value, json};

#[derive(Clone)]
struct Tenant(String);

async fn tenant(mut request: HandshakeRequest, next: HandshakeNext) -> Result<HandshakeResponse, Denied> {
    let Some(tenant) = request.headers().get("x-tenant").and_then(|value| value.to_str().ok()) else {
        return Err(Denied::not_found("Who?"));
    };
    if tenant == "bad" {
        return Err(std::io::Error::other("a secret").into());
    }
    let tenant = Tenant(tenant.to_owned());
    request.extensions_mut().insert(tenant);
    Ok(next.run(request).await)
}

fn of(tenant: &str) -> Request<()> {
    Request::get("/").header("x-tenant", tenant).body(()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_handshake_layer_puts_data_in_for_handlers_and_refuses_with_a_status() {
    let whose = |Extension(Tenant(tenant)): Extension<Tenant>| async { tenant };
    let gateway = Gateway::new().handshake_layer(from_fn::handshake(tenant)).on("whose", whose);
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect_with(of("acme")).await.unwrap();
    assert_eq!(client.ask::<String>("whose", &()).await.unwrap(), "acme");
    for (request, status, message) in [
        (Request::new(()), StatusCode::NOT_FOUND, "Who?"),
        (of("bad"), StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
    ] {
        let refusal = server.connect_with(request).await.unwrap_err();
        assert_eq!(refusal.status(), status);
        let body: Value = serde_json::from_slice(refusal.body()).unwrap();
        assert_eq!(body, json!({ "status": "error", "message": message }));
    }
    assert_eq!(server.stats().refused, 2);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_layer_that_says_yes_by_itself_lets_nobody_in() {
    let yes = from_fn::handshake(async |_: HandshakeRequest, _: HandshakeNext| HandshakeResponse::default());
    let server = TestServer::new(Gateway::new().handshake_layer(yes)).await.unwrap();
    let refusal = server.connect_with(Request::new(())).await.unwrap_err();
    assert_eq!(refusal.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_layer_that_panics_refuses_and_says_nothing_of_it() {
    let panics = from_fn::handshake(async |_: HandshakeRequest, _: HandshakeNext| -> HandshakeResponse {
        panic!("a secret")
    });
    let server = TestServer::new(Gateway::new().handshake_layer(panics)).await.unwrap();
    let refusal = server.connect_with(Request::new(())).await.unwrap_err();
    assert_eq!(refusal.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!String::from_utf8_lossy(refusal.body()).contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn handshake_layers_run_in_the_order_in_which_they_are_added() {
    let note = |name: &'static str| {
        from_fn::handshake(move |mut request: HandshakeRequest, next: HandshakeNext| async move {
            request.headers_mut().append("x-seen", name.parse().unwrap());
            next.run(request).await
        })
    };
    let seen = |handshake: Handshake| async move {
        let headers = handshake.headers();
        let seen = headers.get_all("x-seen").iter().map(|value| value.to_str().unwrap());
        seen.collect::<Vec<_>>().join(" ")
    };
    let gateway =
        Gateway::new().handshake_layer(note("first")).handshake_layer(note("second")).on("seen", seen);
    let server = TestServer::new(gateway).await.unwrap();
    let mut client = server.connect().await.unwrap();
    assert_eq!(client.ask::<String>("seen", &()).await.unwrap(), "first second");
}

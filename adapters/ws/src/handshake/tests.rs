//! The opening handshake, request by request.

use std::sync::Arc;

use http::{HeaderMap, Request, StatusCode, Version, header, request::Parts};
use narthex_core::{Envelope, ErrorKind, JsonEnvelope, Nest};

use super::{Opening, Protocols, Refusal};

fn request(change: impl FnOnce(&mut Parts)) -> Parts {
    let (mut parts, ()) = Request::get("/chat")
        .header("host", "a.example")
        .header("upgrade", "websocket")
        .header("connection", "keep-alive, Upgrade")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(())
        .unwrap()
        .into_parts();
    change(&mut parts);
    parts
}

fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut Parts) {
    move |parts| {
        parts.headers.insert(name, value.parse().unwrap());
    }
}

fn refusal(change: impl FnOnce(&mut Parts)) -> Refusal {
    Opening::check(&request(change)).unwrap_err()
}

#[test]
fn the_example_of_the_rfc_is_accepted() {
    let response = Opening::check(&request(|_| ())).unwrap().accept::<()>(&HeaderMap::new(), None);
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert!(!response.headers().contains_key("sec-websocket-protocol"));
}

#[test]
fn headers_of_layers_go_on_the_101_but_cannot_forge_the_handshake() {
    let mut extra = HeaderMap::new();
    extra.insert("x-request-id", "7".parse().unwrap());
    extra.append(header::SET_COOKIE, "a=1".parse().unwrap());
    extra.append(header::SET_COOKIE, "b=2".parse().unwrap());
    extra.insert(header::SEC_WEBSOCKET_PROTOCOL, "forged".parse().unwrap());
    extra.insert(header::SEC_WEBSOCKET_EXTENSIONS, "permessage-deflate".parse().unwrap());
    extra.insert(header::CONTENT_LENGTH, "5".parse().unwrap());
    let response = Opening::check(&request(|_| ())).unwrap().accept::<()>(&extra, Some("chosen"));
    let headers = response.headers();
    assert_eq!(headers["x-request-id"], "7");
    assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
    assert_eq!(headers["sec-websocket-protocol"], "chosen");
    assert!(!headers.contains_key("sec-websocket-extensions"));
    assert!(!headers.contains_key("content-length"));
}

#[test]
fn a_layer_may_name_a_sub_protocol_that_was_offered_where_no_envelope_is_chosen() {
    let named = |offers: &'static str, layer: &[&'static str], chosen: Option<&'static str>| {
        let mut extra = HeaderMap::new();
        for name in layer {
            extra.append(header::SEC_WEBSOCKET_PROTOCOL, name.parse().unwrap());
        }
        let opening = Opening::check(&request(set("sec-websocket-protocol", offers))).unwrap();
        let response = opening.accept::<()>(&extra, chosen);
        let mut names = response.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
        let name = names.next().map(|name| name.to_str().unwrap().to_owned());
        assert!(names.next().is_none());
        name
    };
    assert_eq!(named("bearer, abc", &["bearer"], None).as_deref(), Some("bearer"));
    assert_eq!(named("bearer, abc", &["bearer"], Some("json")).as_deref(), Some("json"));
    assert_eq!(named("abc", &["bearer"], None), None);
    assert_eq!(named("bearer, abc", &["bearer, abc"], None), None);
    assert_eq!(named("bearer, abc", &["bearer", "abc"], None), None);
    assert_eq!(named("bearer, abc", &[], None), None);
}

#[test]
fn what_is_no_handshake_is_refused() {
    assert_eq!(refusal(|parts| parts.method = http::Method::POST), Refusal::Method);
    assert_eq!(refusal(|parts| parts.version = Version::HTTP_10), Refusal::HttpVersion);
    assert_eq!(refusal(set("upgrade", "h2c")), Refusal::NoUpgrade);
    assert_eq!(refusal(set("connection", "keep-alive")), Refusal::NoUpgrade);
    assert_eq!(refusal(set("connection", "upgrades")), Refusal::NoUpgrade);
    let no_host = |parts: &mut Parts| drop(parts.headers.remove("host"));
    assert!(matches!(refusal(no_host), Refusal::Bad(_)));
    for version in ["12", "13, 8", "", "8"] {
        assert_eq!(refusal(set("sec-websocket-version", version)), Refusal::WebSocketVersion);
    }
    let response = Refusal::WebSocketVersion.response();
    assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(response.headers()["sec-websocket-version"], "13");
}

#[test]
fn tokens_are_found_in_any_case_and_in_any_line() {
    let spread = |parts: &mut Parts| {
        parts.headers.insert("connection", "keep-alive".parse().unwrap());
        parts.headers.append("connection", "x ,UPGRADE".parse().unwrap());
        parts.headers.insert("upgrade", "h2c, WebSocket".parse().unwrap());
    };
    assert!(Opening::check(&request(spread)).is_ok());
}

#[test]
fn the_key_is_16_bytes_in_base64() {
    for key in [
        "",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZR==",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25jZQ==AAAA",
        "dGhlIHNhbXBsZSBub25jZSE=",
        "dGhlIHNhbXBsZSBub25j_Q==",
        "c2hvcnQ=",
    ] {
        assert!(matches!(refusal(set("sec-websocket-key", key)), Refusal::Bad(_)), "{key:?}");
    }
    let twice = |parts: &mut Parts| {
        parts.headers.append("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
    };
    assert!(matches!(refusal(twice), Refusal::Bad(_)));
}

#[test]
fn the_clients_first_known_offer_wins_and_nothing_else_is_named() {
    let json: Arc<dyn Envelope> = Arc::new(JsonEnvelope);
    let nest: Arc<dyn Envelope> = Arc::new(Nest);
    let (json_name, nest_name) = (json.name(), nest.name());
    let protocols = Protocols::new(&[json, nest]).unwrap();
    let choose = |offers: &[&str]| {
        let mut headers = HeaderMap::new();
        for offer in offers {
            headers.append("sec-websocket-protocol", offer.parse().unwrap());
        }
        let chosen = protocols.choose(&headers);
        (chosen.envelope.name(), chosen.name)
    };
    assert_eq!(choose(&[]), (json_name, None));
    assert_eq!(choose(&["unknown, bearer.abc"]), (json_name, None));
    assert_eq!(choose(&[nest_name]), (nest_name, Some(nest_name)));
    assert_eq!(choose(&["unknown", &format!("{nest_name}, {json_name}")]), (nest_name, Some(nest_name)));
}

#[test]
fn envelopes_have_names_of_their_own() {
    let twice: [Arc<dyn Envelope>; 2] = [Arc::new(Nest), Arc::new(Nest)];
    assert_eq!(Protocols::new(&twice).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(Protocols::new(&[]).unwrap_err().kind(), ErrorKind::Config);
}

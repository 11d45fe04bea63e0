//! Where a token is found.

use http::Request;
use narthex_core::{AuthPayload, DeniedKind, RawJson};
use narthex_middleware::auth::{Credentials, MAX_TOKEN, Tickets};
use serde_json::{Value, json};

fn request(uri: &str, headers: &[(&str, &str)]) -> Request<()> {
    let request = Request::get(uri);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
}

fn auth(payload: &Value) -> Request<()> {
    let mut request = request("/", &[]);
    request.extensions_mut().insert(AuthPayload(RawJson::new(payload).unwrap()));
    request
}

fn everywhere() -> Credentials {
    Credentials::default().cookie("sid").query("token")
}

/// The token, or why there is none.
fn find(credentials: &Credentials, request: &Request<()>) -> Result<Option<String>, String> {
    match credentials.find(request) {
        Ok(token) => Ok(token.map(|token| token.as_str().to_owned())),
        Err(denied) => {
            assert_eq!(denied.kind(), DeniedKind::Unauthorized);
            Err(denied.message().to_owned())
        }
    }
}

fn found(request: &Request<()>) -> Result<Option<String>, String> {
    find(&everywhere(), request)
}

fn some(token: &str) -> Result<Option<String>, String> {
    Ok(Some(token.to_owned()))
}

fn malformed() -> Result<Option<String>, String> {
    Err("The credentials are malformed".to_owned())
}

#[test]
fn the_scheme_of_the_header_is_in_any_case_and_others_are_not_ours() {
    for value in ["Bearer a.b-c_d~e+f/g==", "bearer a.b-c_d~e+f/g==", "BEARER   a.b-c_d~e+f/g== "] {
        let request = request("/", &[("authorization", value)]);
        assert_eq!(found(&request), some("a.b-c_d~e+f/g=="), "{value}");
    }
    for value in ["Basic YTpi", "Bearerabc", ""] {
        assert_eq!(found(&request("/", &[("authorization", value)])), Ok(None), "{value}");
    }
}

#[test]
fn a_header_that_is_malformed_is_refused_and_not_passed_over() {
    for value in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer ä", "Bearer =", "Bearer a=b"] {
        let with_another = request("/?token=good", &[("authorization", value)]);
        assert_eq!(found(&with_another), malformed(), "{value}");
    }
    let twice = request("/", &[("authorization", "Bearer a"), ("authorization", "Bearer a")]);
    assert_eq!(found(&twice), malformed());
}

#[test]
fn a_cookie_is_found_by_its_whole_name() {
    for value in ["sid=abc", "a=b; sid=abc; sidx=no", "xsid=no;sid=abc", "sid=abc; sid=abc"] {
        assert_eq!(found(&request("/", &[("cookie", value)])), some("abc"), "{value}");
    }
    assert_eq!(found(&request("/", &[("cookie", "a=b"), ("cookie", "sid=abc")])), some("abc"));
    assert_eq!(found(&request("/", &[("cookie", "SID=abc; sidx=b; sid")])), Ok(None));
    assert_eq!(found(&request("/", &[("cookie", "sid=")])), malformed());
    assert_eq!(found(&request("/", &[("cookie", "sid=a b")])), malformed());
}

#[test]
fn a_parameter_is_found_in_the_query_and_decoded() {
    for uri in ["/?token=abc", "/?a=b&token=abc", "/?token=%61bc", "/?token=abc&token=abc"] {
        assert_eq!(found(&request(uri, &[])), some("abc"), "{uri}");
    }
    assert_eq!(found(&request("/?tokens=abc&xtoken=b#", &[])), Ok(None));
    for uri in ["/?token", "/?token=", "/?token=%ff", "/?token=a%20b"] {
        assert_eq!(found(&request(uri, &[])), malformed(), "{uri}");
    }
}

#[test]
fn the_sub_protocol_behind_bearer_is_a_token() {
    for value in ["bearer, abc", "bearer,abc", "json, bearer, abc", "bearer, abc, json"] {
        let request = request("/", &[("sec-websocket-protocol", value)]);
        let token = everywhere().find(&request).unwrap().unwrap();
        assert_eq!((token.as_str(), token.is_subprotocol()), ("abc", true), "{value}");
    }
    let lines = [("sec-websocket-protocol", "bearer"), ("sec-websocket-protocol", "abc")];
    assert_eq!(found(&request("/", &lines)), some("abc"));
    assert_eq!(found(&request("/", &[("sec-websocket-protocol", "json, abc")])), Ok(None));
    assert_eq!(found(&request("/", &[("sec-websocket-protocol", "bearer")])), malformed());
    let by_header = request("/", &[("authorization", "Bearer abc")]);
    assert!(!everywhere().find(&by_header).unwrap().unwrap().is_subprotocol());
}

#[test]
fn a_member_of_the_auth_payload_is_a_token() {
    assert_eq!(found(&auth(&json!({ "token": "abc", "x": 1 }))), some("abc"));
    for none in [json!({}), json!({ "token": null }), json!(null), json!(["token"]), json!("token")] {
        assert_eq!(found(&auth(&none)), Ok(None), "{none}");
    }
    for bad in
        [json!({ "token": 7 }), json!({ "token": {} }), json!({ "token": "" }), json!({ "token": "ä" })]
    {
        assert_eq!(found(&auth(&bad)), malformed(), "{bad}");
    }
    let elsewhere = Credentials::none().auth_payload("jwt");
    assert_eq!(find(&elsewhere, &auth(&json!({ "token": "abc" }))), Ok(None));
    assert_eq!(find(&elsewhere, &auth(&json!({ "jwt": "abc" }))), some("abc"));
}

#[test]
fn places_that_are_not_named_are_not_looked_at() {
    let uri = "/?token=query";
    let request = request(uri, &[("authorization", "Bearer header"), ("cookie", "sid=cookie")]);
    assert_eq!(find(&Credentials::none(), &request), Ok(None));
    assert_eq!(find(&Credentials::default(), &request), some("header"));
    assert_eq!(find(&Credentials::none().cookie("sid"), &request), some("cookie"));
    assert_eq!(find(&Credentials::none().query("token"), &request), some("query"));
}

#[test]
fn two_places_that_disagree_are_refused_and_two_that_agree_are_one() {
    let disagree = Err("The credentials disagree".to_owned());
    for (uri, headers) in [
        ("/?token=a", vec![("authorization", "Bearer b")]),
        ("/?token=a&token=b", vec![]),
        ("/", vec![("cookie", "sid=a; sid=b")]),
        ("/", vec![("sec-websocket-protocol", "bearer, a, bearer, b")]),
        ("/", vec![("cookie", "sid=a"), ("sec-websocket-protocol", "bearer, b")]),
    ] {
        assert_eq!(found(&request(uri, &headers)), disagree, "{uri} {headers:?}");
    }
    let agree = [("authorization", "Bearer a"), ("sec-websocket-protocol", "bearer, a"), ("cookie", "sid=a")];
    let token = everywhere().find(&request("/?token=a", &agree)).unwrap().unwrap();
    assert!(token.is_subprotocol(), "the answer must name it all the same");
}

#[test]
fn a_token_may_have_8_kib_in_every_place() {
    let token = |len: usize| "a".repeat(len);
    for (len, expected) in
        [(MAX_TOKEN, some(&token(MAX_TOKEN))), (MAX_TOKEN + 1, Err("The token is too long".to_owned()))]
    {
        let token = token(len);
        assert_eq!(found(&request("/", &[("authorization", &format!("Bearer {token}"))])), expected);
        assert_eq!(found(&request("/", &[("cookie", &format!("sid={token}"))])), expected);
        assert_eq!(found(&request(&format!("/?token={token}"), &[])), expected);
        assert_eq!(
            found(&request("/", &[("sec-websocket-protocol", &format!("bearer, {token}"))])),
            expected
        );
        assert_eq!(found(&auth(&json!({ "token": token }))), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_ticket_stands_for_its_token_once() {
    let tickets = Tickets::new();
    let credentials = Credentials::bearer().ticket("t", &tickets);
    let ticket = tickets.issue("abc").unwrap();
    let by_ticket = request(&format!("/?t={ticket}"), &[]);
    assert_eq!(find(&credentials, &by_ticket), some("abc"));
    assert_eq!(find(&credentials, &by_ticket), Err("The ticket is not valid".to_owned()));
    let other = tickets.issue("abc").unwrap();
    let disagreeing = request(&format!("/?t={other}"), &[("authorization", "Bearer other")]);
    assert_eq!(find(&credentials, &disagreeing), Err("The credentials disagree".to_owned()));
}

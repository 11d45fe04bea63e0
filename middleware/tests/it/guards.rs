//! Roles and scopes.

use narthex_core::{Client, Denied, Gateway, Guard, Handler, TestClient, TestServer};
use narthex_middleware::{
    auth::Claims,
    guards::{Authority, authorized, roles, scopes},
};
use serde_json::Value;

#[derive(Clone, Debug)]
struct Member {
    roles: &'static [&'static str],
    scopes: &'static [&'static str],
}

impl Authority for Member {
    fn has_role(&self, role: &str) -> bool {
        assert_ne!(role, "panic", "a role that cannot be looked up");
        self.roles.contains(&role)
    }

    fn has_scope(&self, scope: &str) -> bool {
        self.scopes.contains(&scope)
    }
}

async fn done() -> &'static str {
    "done"
}

/// A client of whom `on_connect` knows this, with its server.
async fn client(gateway: Gateway, member: Option<Member>) -> (TestServer, TestClient) {
    let gateway = gateway.guard(authorized::<Member>()).on_connect(move |client: Client| {
        let member = member.clone();
        async move {
            if let Some(member) = member {
                client.set_data(member);
            }
        }
    });
    let server = TestServer::new(gateway).await.unwrap();
    let client = server.connect().await.unwrap();
    (server, client)
}

fn gateway() -> Gateway {
    Gateway::new()
        .on("open", done)
        .on("staff", done.metadata(roles(["admin", "editor"])))
        .on("nobody", done.metadata(roles::<&str>([])))
        .on("write", done.metadata(scopes(["read", "write"])))
        .on("both", done.metadata(roles(["admin"])).metadata(scopes(["write".to_owned()])))
        .on("panic", done.metadata(roles(["panic"])))
}

async fn answers(client: &mut TestClient) -> Vec<String> {
    let mut answers = Vec::new();
    for event in ["open", "staff", "nobody", "write", "both"] {
        let answer = client.ask::<String>(event, &()).await;
        answers.push(answer.unwrap_or_else(|refused| refused.to_string()));
    }
    answers
}

const NO: &str = "Forbidden resource";

#[tokio::test(start_paused = true)]
async fn one_role_of_those_asked_for_is_enough_and_all_scopes_are_needed() {
    for (roles, scopes, expected) in [
        (&[][..], &[][..], ["done", NO, NO, NO, NO]),
        (&["editor"], &["read"], ["done", "done", NO, NO, NO]),
        (&["admin"], &["write"], ["done", "done", NO, NO, "done"]),
        (&["other"], &["read", "write", "more"], ["done", NO, NO, "done", NO]),
    ] {
        let (_server, mut client) = client(gateway(), Some(Member { roles, scopes })).await;
        assert_eq!(answers(&mut client).await, expected, "{roles:?} {scopes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_who_nothing_is_known_may_do_only_what_asks_for_nothing() {
    let (_server, mut client) = client(gateway(), None).await;
    let no = "Unauthorized";
    assert_eq!(answers(&mut client).await, ["done", no, no, no, no]);
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_does_not_say_its_gateway_says() {
    let gateway = Gateway::new()
        .metadata(roles(["admin"]))
        .on("gateways", done)
        .on("own", done.metadata(roles(["editor"])));
    let (_server, mut client) = client(gateway, Some(Member { roles: &["editor"], scopes: &[] })).await;
    assert_eq!(client.ask::<String>("gateways", &()).await.unwrap_err().to_string(), NO);
    assert_eq!(client.ask::<String>("own", &()).await.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_panics_opens_nothing() {
    let (_server, mut client) = client(gateway(), Some(Member { roles: &[], scopes: &[] })).await;
    let refused = client.ask::<String>("panic", &()).await.unwrap_err();
    assert_eq!(refused.to_string(), "Internal server error");
    assert_eq!(client.ask::<String>("open", &()).await.unwrap(), "done");
}

/// What a handler behind this guard answers to a client that came without a token.
async fn behind<M>(guard: impl Guard<M>) -> String {
    let server = TestServer::new(Gateway::new().on("e", done.guard(guard))).await.unwrap();
    let mut client = server.connect().await.unwrap();
    client.ask("e", &()).await.unwrap_or_else(|refused| refused.to_string())
}

async fn no() -> bool {
    false
}

async fn fails() -> Result<(), Denied> {
    Err(Denied::internal("the list of the banned cannot be read"))
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_fails_beside_one_that_says_no_opens_nothing_by_being_turned_around() {
    assert_eq!(behind(no.or(no).not()).await, "done");
    assert_eq!(behind(fails.or(no).not()).await, "Forbidden resource");
    assert_eq!(behind(no.or(fails).not()).await, "Internal server error");
    assert_eq!(behind(fails.or(no).or(no).not()).await, "Forbidden resource");
    assert_eq!(behind(fails.or(no).not().not().not()).await, "Forbidden resource");
}

#[tokio::test(start_paused = true)]
async fn a_guard_whose_claims_are_not_there_opens_nothing_by_being_turned_around() {
    async fn banned(claims: Claims<Value>) -> bool {
        claims.subject() == "eve"
    }
    assert_eq!(behind(banned).await, "A token is needed");
    assert_eq!(behind(banned.not()).await, "A token is needed");
    assert_eq!(behind(banned.not().not().not()).await, "A token is needed");
    assert_eq!(behind(banned.or(no).not()).await, "Forbidden resource");
}

//! A server and its first client.

use narthex_core::{Error, ErrorKind, Gateway, TestClient, TestServer};
use serde_json::Value;

pub(super) struct Served {
    pub(super) server: TestServer,
    pub(super) client: TestClient,
}

pub(super) async fn served(gateway: Gateway) -> Served {
    served_at(gateway, "/").await
}

pub(super) async fn served_at(gateway: Gateway, path: &str) -> Served {
    let server = TestServer::new(gateway).await.unwrap();
    let client = server.connect_to(path).await.unwrap();
    Served { server, client }
}

impl Served {
    /// The answer to a question, as JSON.
    pub(super) async fn ask(&mut self, event: &str, data: Value) -> Value {
        self.client.ask(event, &data).await.unwrap()
    }

    /// The words with which a question is refused.
    pub(super) async fn refused(&mut self, event: &str, data: Value) -> String {
        let error = self.client.ask::<Value>(event, &data).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error:?}");
        error.to_string()
    }
}

/// Why a gateway cannot be served.
pub(super) async fn refusal(gateway: Gateway) -> String {
    let error: Error = TestServer::new(gateway).await.expect_err("it was served");
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    error.to_string()
}

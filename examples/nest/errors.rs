//! Exceptions, and payloads that do not fit.

use futures_util::stream;
use garde::Validate;
use narthex::middleware::filters;
use narthex::middleware::validation::{Invalid, Valid};
use narthex::{Denied, Emit, Failed, Gateway, Json, Streamed};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An observable that fails with a `WsException('test')`.
pub(crate) fn error() -> Gateway {
    Gateway::new().namespace("/error").filter(filters::nest()).on("push", async || {
        let items: [Result<(), Denied>; 1] = [Err(Denied::bad_request("test"))];
        Streamed::new(stream::iter(items))
    })
}

/// What `ValidationPipe` checks: the type, and the rules.
#[derive(Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
struct Push {
    #[garde(length(chars, max = 100))]
    string_prop: String,
}

/// A filter that fails itself.
pub(crate) fn validation() -> Gateway {
    Gateway::new()
        .namespace("/validation")
        .filter(throws_again)
        .on("push", |Valid(push): Valid<Push>| async move { Emit::new("pop", &push) })
}

/// A filter that throws what it was given: it is logged, and the client reads "Internal server error".
async fn throws_again(denied: Denied, _: Failed) -> Denied {
    let invalid = denied.source().and_then(|source| source.downcast_ref::<Invalid>());
    let faults = invalid.map_or_else(Default::default, |invalid| {
        invalid
            .faults()
            .iter()
            .map(|fault| format!("{}: {}", fault.path(), fault.message()))
            .collect::<Vec<_>>()
    });
    Denied::internal(faults.join(", "))
}

/// Without a pipe, anything goes.
pub(crate) fn no_validation() -> Gateway {
    Gateway::new()
        .namespace("/no-validation")
        .on("push", |Json(data): Json<Value>| async move { Emit::new("pop", &data) })
}

//! Errors as an event `error`.

use std::{
    error::Error,
    future::{Ready, ready},
};

use narthex_core::{Denied, Emit, Failed, Payload, Reply};
use serde::Serialize;

/// Errors as the event `error` with `status` and `message`. Who asked for an answer gets the error as its answer too.
///
/// A [`Denied::json`] is sent as it is. [`ErrorEvent`] has the options.
///
/// ```
/// use narthex_core::Gateway;
/// use narthex_middleware::filters;
///
/// let gateway = Gateway::new().filter(filters::error_event());
/// ```
pub fn error_event() -> impl Fn(Denied, Failed) -> Ready<Reply> + Clone + Send + Sync + 'static {
    ErrorEvent::new().build()
}

/// The options of [`error_event`].
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "options are nothing until the filter is built"]
pub struct ErrorEvent {
    development: bool,
}

impl ErrorEvent {
    /// Without detail.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what is otherwise only logged: the kind of the failure and the texts of its source and that one's sources. They tell a
    /// client how the server is made: never turn this on where strangers come.
    pub fn development(mut self, on: bool) -> Self {
        self.development = on;
        self
    }

    /// The filter, for `.filter(…)`.
    pub fn build(self) -> impl Fn(Denied, Failed) -> Ready<Reply> + Clone + Send + Sync + 'static {
        move |denied, failed| ready(self.reply(denied, &failed))
    }

    fn reply(self, denied: Denied, failed: &Failed) -> Reply {
        let event = Reply::emit(self.emit(&denied));
        if failed.asked {
            return Reply::many(vec![event, Reply::error(denied)]);
        }
        super::log(&denied);
        event
    }

    fn emit(self, denied: &Denied) -> Emit {
        if !self.development {
            return Emit::payload("error", denied.payload());
        }
        let body = denied.payload();
        let Payload::Json(body) = body else { return Emit::payload("error", body) };
        let mut detail = Vec::new();
        let mut source = denied.source().map(|source| source as &dyn Error);
        while let Some(error) = source {
            detail.push(error.to_string());
            source = error.source();
        }
        let kind = format!("{:?}", denied.kind());
        let error = serde_json::from_slice(body.as_bytes()).unwrap_or_default();
        Emit::new("error", &Detailed { error, kind: &kind, detail: &detail })
    }
}

#[derive(Serialize)]
struct Detailed<'a> {
    #[serde(flatten)]
    error: serde_json::Map<String, serde_json::Value>,
    kind: &'a str,
    detail: &'a [String],
}

//! Errors as an event `error`.

use std::future::{Ready, ready};

use narthex_core::{Denied, Emit, Failed, Reply};
use serde_json::{Map, Value};

use super::causes;

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
    /// client how the server is made: never turn this on where strangers come. The filter warns in the log when it is built so. An
    /// answer never has them.
    pub fn development(mut self, on: bool) -> Self {
        self.development = on;
        self
    }

    /// The filter, for `.filter(…)`.
    pub fn build(self) -> impl Fn(Denied, Failed) -> Ready<Reply> + Clone + Send + Sync + 'static {
        if self.development {
            tracing::warn!("clients are told the causes of their errors: this is for development alone");
        }
        move |denied, _| ready(self.reply(denied))
    }

    fn reply(self, denied: Denied) -> Reply {
        Reply::many(vec![Reply::emit(self.emit(&denied)), Reply::error_ack(denied)])
    }

    fn emit(self, denied: &Denied) -> Emit {
        if !self.development {
            return Emit::payload("error", denied.payload());
        }
        let body = denied.payload();
        // Only an object has room for more; its own fields stay.
        let Ok(mut error) = body.parse::<Map<String, Value>>() else { return Emit::payload("error", body) };
        let detail: Vec<_> = causes(denied).map(|cause| Value::from(cause.to_string())).collect();
        error.entry("kind").or_insert_with(|| format!("{:?}", denied.kind()).into());
        error.entry("detail").or_insert_with(|| detail.into());
        Emit::new("error", &error)
    }
}

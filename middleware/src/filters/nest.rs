//! Errors as NestJS gateways send them.

use std::future::{Ready, ready};

use narthex_core::{Denied, DeniedKind, Emit, Failed, Payload, Reply};
use serde::Serialize;
use serde_json::value::RawValue;

/// Errors as NestJS gateways send them: the event `exception` with `status`, `message` and
/// `cause: {pattern, data}`, and no error ack: who asked for an answer gets one without data.
///
/// A [`Denied::json`] is sent as it is. Unlike in NestJS, refusals carry their public message; unexpected errors are
/// "Internal server error" in both. [`NestFilter`] has the options.
///
/// ```
/// use narthex_core::Gateway;
/// use narthex_middleware::filters;
///
/// let gateway = Gateway::new().filter(filters::nest());
/// ```
pub fn nest() -> impl Fn(Denied, Failed) -> Ready<Reply> + Clone + Send + Sync + 'static {
    NestFilter::new().build()
}

/// The options of [`nest`].
#[derive(Clone, Copy, Debug)]
#[must_use = "options are nothing until the filter is built"]
pub struct NestFilter {
    cause: bool,
    hide: bool,
}

impl Default for NestFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl NestFilter {
    /// With `cause`, and with the public messages of refusals.
    pub fn new() -> Self {
        Self { cause: true, hide: false }
    }

    /// Leaves `cause` out, as `includeCause: false` does.
    pub fn without_cause(mut self) -> Self {
        self.cause = false;
        self
    }

    /// Says "Internal server error" for payloads that do not fit, as NestJS does for failed validation. This goes by kind: a
    /// handler's own `BadRequest` is hidden too, one with a body included.
    pub fn hiding_bad_requests(mut self) -> Self {
        self.hide = true;
        self
    }

    /// The filter, for `.filter(…)`.
    pub fn build(self) -> impl Fn(Denied, Failed) -> Ready<Reply> + Clone + Send + Sync + 'static {
        move |denied, failed| ready(self.reply(&denied, &failed))
    }

    fn reply(self, denied: &Denied, failed: &Failed) -> Reply {
        super::log(denied);
        let hidden = self.hide && denied.kind() == DeniedKind::BadRequest;
        if let Some(body) = denied.body().filter(|_| denied.kind() != DeniedKind::Internal && !hidden) {
            return Reply::emit(Emit::payload("exception", Payload::Json(body.clone())));
        }
        let message = if hidden { "Internal server error" } else { denied.message() };
        let cause = self.cause.then(|| Cause { pattern: failed.event.as_str(), data: data(&failed.payload) });
        Reply::emit(Emit::new("exception", &Exception { status: "error", message, cause }))
    }
}

#[derive(Serialize)]
struct Exception<'a> {
    status: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause<'a>>,
}

#[derive(Serialize)]
struct Cause<'a> {
    pattern: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

/// The payload as it came, several arguments as a list; bytes have no JSON form and are left out.
fn data(payload: &Payload) -> Option<&RawValue> {
    let json = match payload {
        Payload::Json(json) => json,
        Payload::Args(args) if args.attachments().is_empty() => args.json(),
        _ => return None,
    };
    serde_json::from_slice(json.as_bytes()).ok()
}

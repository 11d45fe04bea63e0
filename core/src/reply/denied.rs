//! Refusals and failures that a client is told.

use std::{
    borrow::Cow,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Serialize;

use crate::{
    error::{BoxError, Error},
    message::{Payload, RawJson},
};

/// What kind of failure a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeniedKind {
    /// The message is not what the handler takes.
    BadRequest,
    /// Nobody knows who the client is.
    Unauthorized,
    /// The client may not do this.
    Forbidden,
    /// There is no such event, or no such thing.
    NotFound,
    /// It took too long.
    Timeout,
    /// It does not go with what is there.
    Conflict,
    /// It is larger than allowed.
    TooLarge,
    /// It came too often.
    TooManyRequests,
    /// Something unexpected failed. The client never reads what.
    Internal,
    /// This door or envelope cannot do it.
    Unsupported,
    /// The client has too much in progress, or the server is going away.
    Overloaded,
}

impl DeniedKind {
    /// The HTTP status that a refused handshake gets (RFC 9110 section 15).
    pub fn status(self) -> http::StatusCode {
        use http::StatusCode as S;
        match self {
            Self::BadRequest => S::BAD_REQUEST,
            Self::Unauthorized => S::UNAUTHORIZED,
            Self::Forbidden => S::FORBIDDEN,
            Self::NotFound => S::NOT_FOUND,
            Self::Timeout => S::REQUEST_TIMEOUT,
            Self::Conflict => S::CONFLICT,
            Self::TooLarge => S::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests => S::TOO_MANY_REQUESTS,
            Self::Internal => S::INTERNAL_SERVER_ERROR,
            Self::Unsupported => S::NOT_IMPLEMENTED,
            Self::Overloaded => S::SERVICE_UNAVAILABLE,
        }
    }

    /// Its name in `snake_case`, for logs and the labels of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Timeout => "timeout",
            Self::Conflict => "conflict",
            Self::TooLarge => "too_large",
            Self::TooManyRequests => "too_many_requests",
            Self::Internal => "internal",
            Self::Unsupported => "unsupported",
            Self::Overloaded => "overloaded",
        }
    }
}

/// A refusal or a failure that answers the message that caused it.
///
/// The client reads the public message alone. Any [`std::error::Error`] becomes one of kind
/// [`Internal`](DeniedKind::Internal) by `?`: its text is logged, and the client reads
/// "Internal server error".
pub struct Denied(Box<Inner>);

struct Inner {
    kind: DeniedKind,
    message: Cow<'static, str>,
    body: Option<RawJson>,
    source: Option<BoxError>,
    /// Somebody has logged it, or is about to.
    logged: AtomicBool,
}

/// What a client reads of anything unexpected.
const INTERNAL: &str = "Internal server error";

impl Denied {
    /// A failure with the sentence that the client reads.
    pub fn new(kind: DeniedKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            body: None,
            source: None,
            logged: AtomicBool::new(false),
        }))
    }

    /// The message is not what the handler takes.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DeniedKind::BadRequest, message)
    }

    /// Nobody knows who the client is.
    pub fn unauthorized(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DeniedKind::Unauthorized, message)
    }

    /// The client may not do this.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DeniedKind::Forbidden, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DeniedKind::NotFound, message)
    }

    /// The client has too much in progress, or the server is going away.
    pub fn overloaded() -> Self {
        Self::new(DeniedKind::Overloaded, "Overloaded")
    }

    /// Something unexpected failed. `source` is logged; the client reads "Internal server error".
    pub fn internal(source: impl Into<BoxError>) -> Self {
        Self::new(DeniedKind::Internal, INTERNAL).with_source(source)
    }

    /// A failure whose whole body is `body`, as it is.
    ///
    /// A value that cannot be written as JSON becomes an internal failure.
    pub fn json<T: Serialize + ?Sized>(kind: DeniedKind, body: &T) -> Self {
        match RawJson::new(body) {
            Ok(json) => {
                let mut denied = Self::new(kind, "see the body");
                denied.0.body = Some(json);
                denied
            }
            Err(error) => Self::internal(error),
        }
    }

    /// The same with the error that caused it, for logs and filters.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> DeniedKind {
        self.0.kind
    }

    /// The sentence that the client reads; for an internal failure always "Internal server error".
    pub fn message(&self) -> &str {
        match self.0.kind {
            DeniedKind::Internal => INTERNAL,
            _ => &self.0.message,
        }
    }

    /// The body given to [`Denied::json`].
    pub fn body(&self) -> Option<&RawJson> {
        self.0.body.as_ref()
    }

    /// The error that caused it.
    pub fn source(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }

    /// Whether this failure is still to be logged: it is unexpected (kind [`Internal`](DeniedKind::Internal)), and nobody
    /// has asked before. Who is told so logs it. The core does so at the end, for what no layer has asked about.
    pub fn claim_log(&self) -> bool {
        self.0.kind == DeniedKind::Internal && !self.0.logged.swap(true, Ordering::Relaxed)
    }

    /// Logs what a client is not told, once.
    pub(crate) fn log(&self) {
        if self.claim_log() {
            match self.source() {
                Some(source) => tracing::error!(error = %source, "a call failed"),
                None => tracing::error!("a call failed"),
            }
        }
    }

    /// What goes on the wire: `{"status":"error","message":…}`, or the body.
    pub fn payload(&self) -> Payload {
        #[derive(Serialize)]
        struct Wire<'a> {
            status: &'static str,
            message: &'a str,
        }
        let body = match &self.0.body {
            Some(body) if self.0.kind != DeniedKind::Internal => Some(body.clone()),
            _ => RawJson::new(&Wire { status: "error", message: self.message() }).ok(),
        };
        Payload::Json(body.unwrap_or_else(RawJson::null))
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Denied {
    fn from(error: E) -> Self {
        let error: BoxError = Box::new(error);
        match error.downcast::<Error>() {
            Ok(error) => Self::from_core(*error),
            Err(error) => Self::internal(error),
        }
    }
}

impl Denied {
    /// What our own operations fail with is fit for the client where it is the client's doing.
    fn from_core(error: Error) -> Self {
        use crate::error::ErrorKind as K;
        let kind = match error.kind() {
            K::InvalidName => DeniedKind::BadRequest,
            K::Limit => DeniedKind::TooManyRequests,
            K::Unsupported => DeniedKind::Unsupported,
            K::Timeout => DeniedKind::Timeout,
            _ => return Self::internal(error),
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}

impl fmt::Debug for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Denied");
        debug.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_unexpected_error_stays_here() {
        let denied = Denied::from(std::io::Error::other("secret"));
        assert_eq!(denied.kind(), DeniedKind::Internal);
        let Payload::Json(wire) = denied.payload() else { panic!() };
        assert_eq!(&wire.as_bytes()[..], br#"{"status":"error","message":"Internal server error"}"#);
        assert!(format!("{denied:?}").contains("secret"));
    }

    #[test]
    fn a_name_that_is_too_long_is_the_clients_doing() {
        let error = crate::message::check_name("").unwrap_err();
        assert_eq!(Denied::from(error).kind(), DeniedKind::BadRequest);
    }
}

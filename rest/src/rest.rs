//! The builder, and the events that it registers.

use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use narthex_core::{BoxError, Gateway};
use tower::{Service, ServiceExt};

use crate::{
    answer::Answer,
    headers::Rules,
    request::{Asking, METHODS, make},
};

/// How long a request may take, where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The largest body of a request, and of a response, in bytes.
const LARGEST: usize = 64 * 1024;
const LARGEST_RESPONSE: usize = 1024 * 1024;

/// What calls the service; its response's body may have so many bytes.
type Call = Arc<dyn Fn(Request<Full<Bytes>>, usize) -> BoxFuture<'static, Answer> + Send + Sync>;

/// An HTTP service behind the events `get`, `post`, `put`, `patch`, `delete`, `options` and `head` of a gateway: see [the crate](crate).
#[derive(Clone)]
#[must_use = "a service is served by the gateway that it is put on"]
pub struct Rest {
    call: Call,
    options: Options,
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) most: usize,
    most_of_response: usize,
    timeout: Duration,
    pub(crate) headers: Rules,
    pub(crate) prefixes: Vec<String>,
    pub(crate) trim: bool,
    pub(crate) inherit_query: bool,
}

impl Rest {
    /// Drives a service: an axum `Router`, or any tower service of HTTP requests. Each request has a clone of its own, whose readiness is
    /// awaited.
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let call: Call = Arc::new(move |request, most| {
            let service = service.clone();
            let run = async move {
                match service.oneshot(request).await.map_err(Into::<BoxError>::into) {
                    Ok(response) => Answer::of(response, most).await,
                    Err(error) => Answer::of_error(&error),
                }
            };
            Box::pin(AssertUnwindSafe(run).catch_unwind().map(|answer| {
                answer.unwrap_or_else(|_| {
                    // The panic's own text has gone to the panic hook.
                    tracing::error!("a service panicked");
                    Answer::failed(StatusCode::INTERNAL_SERVER_ERROR)
                })
            }))
        });
        let options = Options {
            most: LARGEST,
            most_of_response: LARGEST_RESPONSE,
            timeout: TIMEOUT,
            headers: Rules::default(),
            prefixes: Vec::new(),
            trim: false,
            inherit_query: false,
        };
        Self { call, options }
    }

    /// The largest body of a request, in bytes; 64 KiB where nothing is said. A larger one is answered 413. The door's own bound on
    /// messages comes first.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.options.most = bytes;
        self
    }

    /// The largest body of a response, in bytes; 1 MiB where nothing is said. A larger one is answered 500.
    pub fn max_response(mut self, bytes: usize) -> Self {
        self.options.most_of_response = bytes;
        self
    }

    /// How long a request may take; 30 s where nothing is said. After that it is answered 504, and dropped.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.options.timeout = time;
        self
    }

    /// Lets messages say a header that the handshake has fixed. Without it they cannot: a message would be somebody else's.
    ///
    /// Fixed is what the handshake came with, `Accept-Language` excepted, and whether or not it did: `Cookie`, `Host`, `Origin`,
    /// `Referer`, `Authorization`, `Sec-*`, and what proxies say of a request (`Forwarded`, `Via`, `X-Forwarded-*`, `X-Real-Ip` and
    /// their like). A message that says one all the same is served, without it.
    pub fn allow_header(mut self, name: HeaderName) -> Self {
        self.options.headers.allowed.push(name);
        self
    }

    /// Keeps messages from saying a header: one that a proxy of yours puts in for some requests and takes out of all others, whose
    /// word a message would be taken for.
    pub fn fix_header(mut self, name: HeaderName) -> Self {
        self.options.headers.fixed.push(name);
        self
    }

    /// A prefix that is taken off the path, where it is there, once: `/api`.
    pub fn strip_prefix(mut self, prefix: impl AsRef<str>) -> Self {
        self.options.prefixes.push(format!("/{}", prefix.as_ref().trim_matches('/')));
        self
    }

    /// Takes slashes off the end of paths.
    pub fn trim_slashes(mut self) -> Self {
        self.options.trim = true;
        self
    }

    /// Puts the handshake's query before that of each URL, which wins; of several values of one name the last one stays.
    pub fn inherit_query(mut self) -> Self {
        self.options.inherit_query = true;
        self
    }

    /// Registers the events on a gateway.
    pub fn on(self, gateway: Gateway) -> Gateway {
        let Self { call, options } = self;
        let options = Arc::new(options);
        METHODS.into_iter().fold(gateway, |gateway, name| {
            let method = Method::from_bytes(name.to_ascii_uppercase().as_bytes()).unwrap_or_default();
            let (call, options) = (Arc::clone(&call), Arc::clone(&options));
            gateway.on(name, move |asking: Asking| {
                let (call, options, method) = (Arc::clone(&call), Arc::clone(&options), method.clone());
                async move { answer(&call, &options, &method, asking).await }
            })
        })
    }
}

async fn answer(call: &Call, options: &Options, method: &Method, asking: Asking) -> Answer {
    let request = match make(method, asking, options) {
        Ok(request) => request,
        Err(refusal) => return Answer::refused(refusal),
    };
    let answered = tokio::time::timeout(options.timeout, call(request, options.most_of_response)).await;
    answered.unwrap_or_else(|_| Answer::failed(StatusCode::GATEWAY_TIMEOUT))
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("options", &self.options).finish_non_exhaustive()
    }
}

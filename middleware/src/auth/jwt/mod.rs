//! JSON Web Tokens (RFC 7519) on the handshake.

mod claims;
mod jwk;
mod key;
mod layer;
mod refresh;
mod source;
mod verifier;

use std::{
    fmt,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use narthex_core::{Client, Denied, OnOpen, Principal};
use serde::de::DeserializeOwned;
use tower::Service;

use self::layer::Settings;
pub use self::{
    claims::Claims,
    key::JwtKey,
    layer::JwtLayer,
    refresh::RefreshRequest,
    source::{JwtKeys, KeySource},
};
use super::{
    credentials::{BEARER, Token},
    fault::{Fault, challenge, refusal},
};

/// The service of [`JwtLayer`].
pub struct Jwt<S, T> {
    inner: S,
    settings: Arc<Settings>,
    claims: PhantomData<fn() -> T>,
}

impl<S, T> Jwt<S, T> {
    fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings, claims: PhantomData }
    }
}

impl<S, T, In, Out> Service<Request<In>> for Jwt<S, T>
where
    S: Service<Request<In>, Response = Response<Out>> + Clone + Send + 'static,
    S::Future: Send,
    T: DeserializeOwned + Send + Sync + 'static,
    In: Send + 'static,
    Out: From<Bytes>,
{
    type Response = Response<Out>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Out>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<In>) -> Self::Future {
        let settings = Arc::clone(&self.settings);
        // What is ready is called; the clone has to become ready by itself.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let found = settings.credentials.search(&request);
        Box::pin(async move {
            let token = match found {
                Ok(Some(token)) => token,
                Ok(None) if settings.optional => return inner.call(request).await,
                Ok(None) => return Ok(refused(&Fault::NoToken.denied(), false)),
                Err(fault) => return Ok(refused(&fault.denied(), true)),
            };
            match settings.verifier.verify::<T>(token.as_str()).await {
                Ok(claims) => admit(&mut request, claims),
                Err(denied) => return Ok(refused(&denied, true)),
            }
            let mut response = inner.call(request).await?;
            name_subprotocol(&token, &mut response);
            Ok(response)
        })
    }
}

/// Puts in what handlers take, and what is done with the client once it is open.
fn admit<T: Send + Sync + 'static, In>(request: &mut Request<In>, claims: Claims<T>) {
    let extensions = request.extensions_mut();
    extensions.insert(Principal(claims.subject_arc()));
    extensions.insert(claims.clone());
    OnOpen::add(extensions, move |client: &Client| claims.take_effect(client));
}

fn refused<Out: From<Bytes>>(denied: &Denied, brought_one: bool) -> Response<Out> {
    let mut response = refusal(denied);
    if response.status() == http::StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge(brought_one));
    }
    response
}

fn name_subprotocol<Out>(token: &Token, response: &mut Response<Out>) {
    if token.is_subprotocol() && !response.status().is_client_error() && !response.status().is_server_error()
    {
        let name = HeaderValue::from_static(BEARER);
        response.headers_mut().entry(header::SEC_WEBSOCKET_PROTOCOL).or_insert(name);
    }
}

impl<S: Clone, T> Clone for Jwt<S, T> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.settings))
    }
}

impl<S: fmt::Debug, T> fmt::Debug for Jwt<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}

//! Signed cookies on the handshake.

mod identity;
mod keys;
mod layer;
mod memory;
mod store;

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use narthex_core::{Client, Denied, OnOpen, Principal};
use tower::Service;

use self::layer::Settings;
pub use self::{
    identity::CookieIdentity, keys::CookieKeys, layer::CookieLayer, memory::MemoryCookieStore,
    store::CookieStore,
};
use super::{
    fault::{Fault, refusal},
    fields::cookies,
};

/// The service of [`CookieLayer`].
pub struct Cookie<S, C> {
    inner: S,
    settings: Arc<Settings<C>>,
    optional: bool,
}

impl<S, C> Cookie<S, C> {
    fn new(inner: S, settings: Arc<Settings<C>>, optional: bool) -> Self {
        Self { inner, settings, optional }
    }
}

impl<C: CookieStore> Settings<C> {
    /// The id in the request's cookie; `None` where there is no cookie.
    fn find<B>(&self, request: &Request<B>) -> Result<Option<String>, Fault> {
        let mut found = None;
        for value in cookies(request.headers(), &self.name) {
            let id = self.keys.verify(value.map_err(|_| Fault::Cookie)?).ok_or(Fault::Cookie)?;
            match &found {
                Some(other) if *other != id => return Err(Fault::Disagreeing),
                _ => found = Some(id),
            }
        }
        Ok(found)
    }

    async fn load(&self, id: &str) -> Result<CookieIdentity<C::Data>, Denied> {
        let loaded = self.store.load(id).await.map_err(Denied::internal)?;
        loaded.filter(|identity| !identity.has_ended()).ok_or_else(|| Fault::Cookie.denied())
    }
}

impl<S, C, In, Out> Service<Request<In>> for Cookie<S, C>
where
    S: Service<Request<In>, Response = Response<Out>> + Clone + Send + 'static,
    S::Future: Send,
    C: CookieStore,
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
        let (settings, optional) = (Arc::clone(&self.settings), self.optional);
        // What is ready is called; the clone has to become ready by itself.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let found = settings.find(&request);
        Box::pin(async move {
            let id = match found {
                Ok(Some(id)) => id,
                Ok(None) if optional => return inner.call(request).await,
                Ok(None) => return Ok(refusal(&Fault::NoCookie.denied())),
                Err(fault) => return Ok(refusal(&fault.denied())),
            };
            match settings.load(&id).await {
                Ok(identity) => admit(&mut request, identity),
                Err(denied) => return Ok(refusal(&denied)),
            }
            inner.call(request).await
        })
    }
}

/// Puts in what handlers take, and what is done with the client once it is open.
fn admit<T: Send + Sync + 'static, In>(request: &mut Request<In>, identity: CookieIdentity<T>) {
    let extensions = request.extensions_mut();
    extensions.insert(Principal(identity.subject_arc()));
    extensions.insert(identity.clone());
    OnOpen::add(extensions, move |client: &Client| identity.take_effect(client));
}

impl<S: Clone, C> Clone for Cookie<S, C> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.settings), self.optional)
    }
}

impl<S: fmt::Debug, C> fmt::Debug for Cookie<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}

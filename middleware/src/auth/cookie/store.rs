//! Where identities are kept.

use std::sync::Arc;

use async_trait::async_trait;
use narthex_core::BoxError;

use super::CookieIdentity;

/// Where the identities behind cookies are kept: a [`MemoryCookieStore`](super::MemoryCookieStore), or a database of
/// yours.
///
/// 1. A store MUST answer `None` for an id that it does not know, or not any more: the peer is answered 401.
/// 2. Its errors are its own failures: the error is logged, and the peer is answered 500.
/// 3. It MAY take its time: the handshake's timeout bounds it. It MUST be cancel safe.
#[async_trait]
pub trait CookieStore: Send + Sync + 'static {
    /// What is known of who a cookie is of.
    type Data: Send + Sync + 'static;

    /// Who the cookie with this id is of. The id's signature has been verified.
    ///
    /// # Errors
    /// Where the store cannot say.
    async fn load(&self, id: &str) -> Result<Option<CookieIdentity<Self::Data>>, BoxError>;
}

#[async_trait]
impl<C: CookieStore + ?Sized> CookieStore for Arc<C> {
    type Data = C::Data;

    async fn load(&self, id: &str) -> Result<Option<CookieIdentity<C::Data>>, BoxError> {
        (**self).load(id).await
    }
}

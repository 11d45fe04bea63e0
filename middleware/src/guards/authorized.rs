//! The guard that reads what a handler asks for.

use std::{
    borrow::Cow,
    future::{Ready, ready},
    sync::Arc,
};

use narthex_core::{Denied, Extension, Metadata};

use super::Authority;

/// The roles of which a client needs one, as metadata: [`roles`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(Arc<[Cow<'static, str>]>);

/// The scopes of which a client needs all, as metadata: [`scopes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Arc<[Cow<'static, str>]>);

/// Asks for one of these roles, as metadata of a handler or a gateway. Of no roles nobody has one.
pub fn roles<R: Into<Cow<'static, str>>>(roles: impl IntoIterator<Item = R>) -> Roles {
    Roles(roles.into_iter().map(Into::into).collect())
}

/// Asks for all of these scopes, as metadata of a handler or a gateway.
pub fn scopes<S: Into<Cow<'static, str>>>(scopes: impl IntoIterator<Item = S>) -> Scopes {
    Scopes(scopes.into_iter().map(Into::into).collect())
}

impl Roles {
    fn allow(&self, authority: &impl Authority) -> bool {
        self.0.iter().any(|role| authority.has_role(role))
    }
}

impl Scopes {
    fn allow(&self, authority: &impl Authority) -> bool {
        self.0.iter().all(|scope| authority.has_scope(scope))
    }
}

/// What a handler asks for, where it does.
type Asked<D> = Option<Metadata<D>>;

type Verdict = Ready<Result<(), Denied>>;

/// A guard that lets pass who has what the handler asks for: one of its [`roles`], and all of its [`scopes`]. What the handler
/// does not say, its gateway says; what asks for nothing is open to all.
///
/// `A` is what says who the client is: an extension of the handshake, or what was put on the client since, such as
/// `Claims<T>` of `auth`. Where roles or scopes are asked for, a client without it is refused with `Unauthorized`, and
/// one without the authority with `Forbidden` ("Forbidden resource").
///
/// ```
/// use narthex_core::{Gateway, Handler};
/// use narthex_middleware::guards::{Authority, authorized, roles};
///
/// #[derive(Clone)]
/// struct Member {
///     admin: bool,
/// }
///
/// impl Authority for Member {
///     fn has_role(&self, role: &str) -> bool {
///         self.admin && role == "admin"
///     }
/// }
///
/// async fn purge() {}
/// async fn look() {}
///
/// let gateway = Gateway::new()
///     .guard(authorized::<Member>())
///     .on("purge", purge.metadata(roles(["admin"])))
///     .on("look", look);
/// ```
pub fn authorized<A>()
-> impl Fn(Asked<Roles>, Asked<Scopes>, Option<Extension<A>>) -> Verdict + Clone + Send + Sync + 'static
where
    A: Authority + Clone + Send + Sync + 'static,
{
    |roles: Asked<Roles>, scopes: Asked<Scopes>, who: Option<Extension<A>>| {
        if roles.is_none() && scopes.is_none() {
            return ready(Ok(()));
        }
        let Some(Extension(authority)) = who else {
            return ready(Err(Denied::unauthorized("Unauthorized")));
        };
        let by_role = roles.is_none_or(|Metadata(roles)| roles.allow(&authority));
        let by_scope = scopes.is_none_or(|Metadata(scopes)| scopes.allow(&authority));
        ready(match by_role && by_scope {
            true => Ok(()),
            false => Err(Denied::forbidden("Forbidden resource")),
        })
    }
}

//! Access: who may send what. A controller says it for all of its routes, a route for itself.

use std::convert::Infallible;

use narthex::{Attach, Denied, Event, Extension, FromEvent, Metadata, State};

use crate::service::Websocket;
use crate::user::User;
use crate::wire::Request;

/// What is asked of whoever sends a message. What a route does not say, its controller says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    login: Option<Login>,
    role: Option<Option<&'static str>>,
    two_factor: Option<bool>,
    belongs_to: Option<Option<&'static str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    Needed,
    Forbidden,
    Whatever,
}

impl Access {
    /// Nothing is said.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Users only.
    pub(crate) fn logged_in(mut self) -> Self {
        self.login = Some(Login::Needed);
        self
    }

    /// Nobody who is logged in.
    pub(crate) fn not_logged_in(mut self) -> Self {
        self.login = Some(Login::Forbidden);
        self
    }

    /// Users with a role.
    pub(crate) fn role(mut self, role: &'static str) -> Self {
        self.role = Some(Some(role));
        self
    }

    /// Users who have logged in with two factors.
    pub(crate) fn two_factor(mut self) -> Self {
        self.two_factor = Some(true);
        self
    }

    /// The user whose id this param of the message is.
    pub(crate) fn belongs_to(mut self, param: &'static str) -> Self {
        self.belongs_to = Some(Some(param));
        self
    }

    /// A route's own, beside what its controller says.
    pub(crate) fn or(self, controller: &Self) -> Self {
        Self {
            login: self.login.or(controller.login),
            role: self.role.or(controller.role),
            two_factor: self.two_factor.or(controller.two_factor),
            belongs_to: self.belongs_to.or(controller.belongs_to),
        }
    }

    /// Whatever the controller asks for, this route does not.
    pub(crate) fn skip(mut self) -> Self {
        self.role.get_or_insert(None);
        self.two_factor.get_or_insert(false);
        self.belongs_to.get_or_insert(None);
        self.login.get_or_insert(Login::Whatever);
        self
    }

    fn check(&self, user: Option<&User>, request: &Request) -> Result<(), Denied> {
        let role = self.role.flatten();
        let owner = self.belongs_to.flatten();
        let two_factor = self.two_factor == Some(true);
        if self.login == Some(Login::Forbidden) && user.is_some() {
            return Err(Denied::forbidden("You need to be logged out to access this route."));
        }
        if self.login != Some(Login::Needed) && role.is_none() && owner.is_none() && !two_factor {
            return Ok(());
        }
        let Some(user) = user else {
            return Err(Denied::unauthorized("You need to be logged in to access this route."));
        };
        if role.is_some_and(|role| user.roles.iter().all(|own| own != role)) {
            return Err(Denied::forbidden("You do not have the role that this route needs."));
        }
        if two_factor && !user.two_factor {
            return Err(Denied::forbidden("You need to use two factors to access this route."));
        }
        if owner.is_some_and(|param| request.param(param) != Some(user.id.as_str())) {
            return Err(Denied::forbidden("This does not belong to you."));
        }
        Ok(())
    }
}

/// The guard of every route: who is it, by the message's own headers, and may they?
pub(crate) async fn guard(
    State(websocket): State<Websocket>,
    Extension(request): Extension<Request>,
    Metadata(access): Metadata<Access>,
) -> Result<Attach<CurrentUser>, Denied> {
    let user = websocket.users().find(request.header("authorization")).await?;
    access.check(user.as_ref(), &request)?;
    Ok(Attach(CurrentUser(user)))
}

/// Who sent the message, by its own headers. The handshake's user does not count.
#[derive(Clone, Debug)]
pub(crate) struct CurrentUser(pub(crate) Option<User>);

impl FromEvent for CurrentUser {
    type Rejection = Infallible;

    async fn from_event(event: &mut Event) -> Result<Self, Infallible> {
        Ok(event.extensions().get::<Self>().cloned().unwrap_or(Self(None)))
    }
}

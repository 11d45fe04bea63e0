//! Controllers: routes with a common prefix, access and versions; and the gateway that is made of them.

use std::collections::BTreeMap;

use narthex::{Gateway, Handler, HandlerDef};
use semver::Version;

use crate::access::{self, Access};
use crate::versions::{Range, Versions, choose};

/// The versions of a controller that does not say any.
const LATEST: &[Range] = &["^latest"];

/// Routes that belong together.
pub(crate) struct Controller {
    pub(crate) name: &'static str,
    prefix: &'static str,
    allow_orphan: bool,
    versions: &'static [Range],
    access: Access,
    routes: Vec<Route>,
}

/// One event, with its handler.
struct Route {
    event: &'static str,
    handler: HandlerDef,
    versions: Option<&'static [Range]>,
    access: Access,
}

impl Controller {
    pub(crate) fn new(name: &'static str) -> Self {
        let access = Access::new();
        Self { name, prefix: "", allow_orphan: false, versions: LATEST, access, routes: Vec::new() }
    }

    /// What all its events begin with.
    pub(crate) fn prefix(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// The server starts without it too.
    pub(crate) fn allow_orphan(mut self) -> Self {
        self.allow_orphan = true;
        self
    }

    /// Which versions it is for, where a route does not say.
    pub(crate) fn versions(mut self, versions: &'static [Range]) -> Self {
        self.versions = versions;
        self
    }

    /// Who may use it, where a route does not say.
    pub(crate) fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// A route for all that the controller is for.
    pub(crate) fn on<T>(self, event: &'static str, handler: impl Handler<T>) -> Self {
        self.guarded(event, Access::new(), handler)
    }

    /// A route with access of its own.
    pub(crate) fn guarded<T>(
        mut self,
        event: &'static str,
        access: Access,
        handler: impl Handler<T>,
    ) -> Self {
        let handler = handler.into_def();
        self.routes.push(Route { event, handler, versions: None, access });
        self
    }

    /// A route for some versions.
    pub(crate) fn versioned<T>(
        mut self,
        event: &'static str,
        versions: &'static [Range],
        handler: impl Handler<T>,
    ) -> Self {
        let (handler, access) = (handler.into_def(), Access::new());
        self.routes.push(Route { event, handler, versions: Some(versions), access });
        self
    }
}

/// Why the controllers cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("The websocket event \"{event}\" has been defined more than once{versions}.")]
    Twice { event: String, versions: String },
    #[error(
        "Error initializing websocket service.\nFound orphaned controllers:\n{0}\nDid you forget to add them to your websocketControllers array?"
    )]
    Orphans(String),
    #[error("the event \"{event}\" is for versions that are none")]
    Versions { event: String, source: semver::Error },
}

/// Checks that every declared controller is served, but for those that may be left out.
///
/// # Errors
/// The orphans.
pub(crate) fn check_orphans(declared: &[Controller], served: &[Controller]) -> Result<(), SetupError> {
    let is_orphan =
        |one: &&Controller| !one.allow_orphan && served.iter().all(|other| other.name != one.name);
    let orphans: Vec<_> = declared.iter().filter(is_orphan).map(|one| format!("  - {}", one.name)).collect();
    if orphans.is_empty() { Ok(()) } else { Err(SetupError::Orphans(orphans.join("\n"))) }
}

/// Puts the routes of all controllers on a gateway.
///
/// # Errors
/// Events that are defined twice for a version, and versions that are none.
pub(crate) fn mount(
    gateway: Gateway,
    served: Vec<Controller>,
    versions: &Versions,
) -> Result<Gateway, SetupError> {
    let mut events: BTreeMap<String, Vec<(Vec<Version>, HandlerDef)>> = BTreeMap::new();
    for controller in served {
        for route in controller.routes {
            let event = format!("{}{}", controller.prefix, route.event);
            let of = versions.of(route.versions.unwrap_or(controller.versions));
            let of = of.map_err(|source| SetupError::Versions { event: event.clone(), source })?;
            let access = route.access.or(&controller.access);
            let handlers = events.entry(event.clone()).or_default();
            let overlap = handlers.iter().flat_map(|(other, _)| other).find(|version| of.contains(version));
            if let Some(version) = overlap {
                let versions = if versions.are_several() {
                    format!(" for version \"{version}\"")
                } else {
                    String::new()
                };
                return Err(SetupError::Twice { event, versions });
            }
            handlers.push((of, route.handler.guard(access::guard).metadata(access)));
        }
    }
    Ok(events.into_iter().fold(gateway, |gateway, (event, handlers)| {
        let (versions, handlers): (Vec<_>, Vec<_>) = handlers.into_iter().unzip();
        gateway.on(event, HandlerDef::choose(handlers, choose(versions)))
    }))
}

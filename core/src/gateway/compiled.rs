//! From gateways as users write them to namespaces as they run.

use std::sync::Arc;

use http::{Extensions, request::Parts};

use super::{
    Gateway, HandshakeRoute, Namespace, config,
    namespace::{Hook, Hubs, run_connect_guards},
    registry::{Entry, Registered, Registry},
    same_addresses,
};
use crate::{
    client::Params,
    error::Result,
    extract::{Call, Matched, Needs},
    filter::FilterFn,
    guard::Checks,
    handler::{HandlerDef, LayerFn, Order, PatternKind, Route, Segments, guarded},
    limits::Limits,
    reply::{Denied, Reply},
    room::HubInner,
    stats::Counters,
};

/// What the server puts around all gateways.
#[derive(Default)]
pub(crate) struct Global {
    pub(crate) layers: Vec<LayerFn>,
    pub(crate) guards: Checks,
    pub(crate) filter: Option<FilterFn>,
    pub(crate) states: Extensions,
}

pub(crate) struct Compiler {
    global: Global,
    /// The server's layers, made once; innermost, the event's gateway is called.
    stack: Option<Call>,
    limits: Arc<Limits>,
    counters: Arc<Counters>,
    next_id: usize,
}

impl Compiler {
    pub(crate) fn new(global: Global, limits: Arc<Limits>, counters: Arc<Counters>) -> Self {
        let stack = stack(&global.layers, |matched| matched.gateway.clone());
        Self { global, stack, limits, counters, next_id: 0 }
    }

    /// Compiles all gateways: those on one path pattern become one namespace, in registration order.
    pub(crate) fn compile(mut self, gateways: Vec<Gateway>) -> Result<Vec<Arc<Namespace>>> {
        let mut by_pattern: Vec<(Segments, Vec<Gateway>)> = Vec::new();
        for gateway in gateways {
            let segments = check_path(&gateway.namespace)?;
            match by_pattern.iter_mut().find(|(other, _)| other.same_shape(&segments)) {
                Some((other, _)) if *other != segments => {
                    let why = format!(
                        "the namespace {:?} differs from another in parameter names only",
                        gateway.namespace
                    );
                    return Err(config(why));
                }
                Some((_, group)) => group.push(gateway),
                None => by_pattern.push((segments, vec![gateway])),
            }
        }
        // The more literal parts, the more specific: `/game/lobby` goes before `/game/{id}`.
        by_pattern.sort_by_key(|(segments, _)| std::cmp::Reverse(segments.literals()));
        let group = by_pattern.into_iter().map(|(segments, group)| self.namespace(segments, group));
        group.collect()
    }

    fn namespace(&mut self, segments: Segments, gateways: Vec<Gateway>) -> Result<Arc<Namespace>> {
        let pattern: Box<str> = gateways[0].namespace.as_str().into();
        let listen = same_addresses(&gateways)?;
        let hubs =
            Hubs::new(&pattern, segments.is_literal(), Arc::clone(&self.limits), Arc::clone(&self.counters));
        let mut registered = Vec::new();
        let filter = gateways.iter().find_map(|gateway| gateway.filter.clone());
        let (mut on_init, mut on_connect, mut on_disconnect) = (Vec::new(), Vec::new(), Vec::new());
        let (mut connect_guards, mut handshake_layers) = (Vec::new(), Vec::new());
        for (place, gateway) in gateways.into_iter().enumerate() {
            let states = self.states(&gateway);
            let matched = Arc::new(Matched { states: Arc::clone(&states), ..Matched::default() });
            let name = gateway.namespace.clone();
            for (checks, hooks) in [
                (&gateway.on_init, &mut on_init),
                (&gateway.on_connect, &mut on_connect),
                (&gateway.on_disconnect, &mut on_disconnect),
                (&gateway.connect_guards, &mut connect_guards),
            ] {
                check_needs(&checks.needs, &states, &name, "a guard or hook")?;
                let hook = |check: &crate::guard::Check| Hook {
                    check: Arc::clone(check),
                    matched: Arc::clone(&matched),
                };
                hooks.extend(checks.checks.iter().map(hook));
            }
            let mut gateway = gateway;
            handshake_layers.append(&mut gateway.handshake_layers);
            registered.push(self.gateway(place, gateway, &states)?);
        }
        let innermost = HandshakeRoute::innermost(move |parts: Parts| {
            let guards = connect_guards.clone();
            Box::pin(async move {
                match parts.extensions.get::<Place>().cloned() {
                    Some(Place(place)) if !guards.is_empty() => {
                        run_connect_guards(guards, parts, place).await
                    }
                    _ => Ok(parts),
                }
            })
        });
        let handshake = handshake_layers.iter().rev().fold(innermost, |inner, layer| layer(inner));
        let unknown = self.unknown(filter);
        let registry = Registry::new(registered, unknown);
        Ok(Arc::new(Namespace {
            pattern,
            segments,
            listen,
            registry,
            handshake,
            on_init,
            on_connect,
            on_disconnect,
            hubs,
        }))
    }

    /// The server's states and the gateway's; the gateway's win.
    fn states(&self, gateway: &Gateway) -> Arc<Extensions> {
        let mut states = self.global.states.clone();
        states.extend(gateway.states.clone());
        Arc::new(states)
    }

    fn gateway(&mut self, place: usize, gateway: Gateway, states: &Arc<Extensions>) -> Result<Registered> {
        let name = gateway.namespace;
        check_needs(&gateway.guards.needs, states, &name, "a guard")?;
        check_needs(&self.global.guards.needs, states, &name, "a guard of the server")?;
        let frame = GatewayFrame {
            place,
            stack: stack(&gateway.layers, |matched| matched.handler.clone()),
            guards: gateway.guards,
            filter: gateway.filter,
            states: Arc::clone(states),
        };
        let mut registered = Registered::default();
        let mut seen: Vec<(Box<str>, PatternKind)> = Vec::new();
        for (pattern, def) in gateway.handlers {
            let (text, kind) = pattern.compile()?;
            if let Some((other, _)) =
                seen.iter().find(|(other, other_kind)| kind.same(&text, other_kind, other))
            {
                let why = format!(
                    "the namespace {name:?} has two handlers for the event {text:?} (the other is {other:?})"
                );
                return Err(config(why));
            }
            let entry = self.entry(&frame, Some(text.clone()), def, &name)?;
            seen.push((text.clone(), kind.clone()));
            match kind {
                PatternKind::Literal => registered.literals.push((text, entry)),
                PatternKind::Segments(segments) => registered.patterns.push((segments, entry)),
                PatternKind::Structural(object) => registered.structural.push((object, entry)),
            }
        }
        if gateway.fallbacks.len() > 1 {
            return Err(config(format!("the namespace {name:?} has two fallbacks in one gateway")));
        }
        for def in gateway.fallbacks {
            registered.fallbacks.push(self.entry(&frame, None, def, &name)?);
        }
        Ok(registered)
    }

    fn entry(
        &mut self,
        frame: &GatewayFrame,
        text: Option<Box<str>>,
        def: HandlerDef,
        name: &str,
    ) -> Result<Entry> {
        let parts = def.into_parts();
        let what =
            text.as_ref().map_or_else(|| "the fallback".to_owned(), |t| format!("the handler of {t:?}"));
        check_needs(&parts.needs, &frame.states, name, &what)?;
        let guards = self.global.guards.checks.iter().chain(&frame.guards.checks).chain(&parts.guards);
        let filter = parts.filter.or_else(|| frame.filter.clone()).or_else(|| self.global.filter.clone());
        let core = guarded(parts.call, guards.cloned().collect(), filter);
        let handler =
            parts.layers.iter().rev().fold(Route::from_call(core), |inner, layer| layer(inner)).into_call();
        let gateway = frame.stack.clone().unwrap_or_else(|| Arc::clone(&handler));
        let call = self.stack.clone().unwrap_or_else(|| Arc::clone(&gateway));
        let matched = Matched {
            pattern: text,
            metadata: parts.metadata,
            states: Arc::clone(&frame.states),
            handler: Some(handler),
            gateway: Some(gateway),
        };
        self.next_id += 1;
        Ok(Entry {
            call,
            matched: Arc::new(matched),
            order: parts.order,
            gateway: frame.place,
            id: self.next_id,
        })
    }

    /// Answers events that nobody is for; walks the server's layers and the namespace's filter.
    fn unknown(&self, filter: Option<FilterFn>) -> Entry {
        let call: Call = Arc::new(|_| Box::pin(async { Reply::error(Denied::not_found("Unknown event")) }));
        let call = guarded(call, Arc::new([]), filter.or_else(|| self.global.filter.clone()));
        let matched = Matched {
            handler: Some(Arc::clone(&call)),
            gateway: Some(Arc::clone(&call)),
            ..Matched::default()
        };
        let call = self.stack.clone().unwrap_or(call);
        Entry { call, matched: Arc::new(matched), order: Order::Serial, gateway: usize::MAX, id: usize::MAX }
    }
}

/// The concrete place of a handshake, for the connect guards: path, parameters, hub.
#[derive(Clone)]
pub(crate) struct Place(pub(crate) (Arc<str>, Option<Params>, Arc<HubInner>));

struct GatewayFrame {
    place: usize,
    stack: Option<Call>,
    guards: Checks,
    filter: Option<FilterFn>,
    states: Arc<Extensions>,
}

/// One shared stack of layers around a call that the event's registration names.
fn stack(layers: &[LayerFn], inner: fn(&Matched) -> Option<Call>) -> Option<Call> {
    if layers.is_empty() {
        return None;
    }
    let innermost: Call = Arc::new(move |event| match inner(&event.matched) {
        Some(call) => call(event),
        None => Box::pin(async { Reply::none() }),
    });
    Some(layers.iter().rev().fold(Route::from_call(innermost), |inner, layer| layer(inner)).into_call())
}

fn check_path(path: &str) -> Result<Segments> {
    let fits = path.starts_with('/')
        && path.len() <= 256
        && !path.contains(['?', '#'])
        && !path.chars().any(char::is_control);
    if !fits {
        return Err(config(format!("the namespace {path:?} must be a path that starts with '/'")));
    }
    Segments::parse(path, '/')
}

fn check_needs(needs: &Needs, states: &Extensions, namespace: &str, what: &str) -> Result<()> {
    match needs.missing(states) {
        None => Ok(()),
        Some(missing) => Err(config(format!(
            "{what} in the namespace {namespace:?} takes State<{missing}>, which was not given: add .state(value)"
        ))),
    }
}

/// Finds the namespace of a concrete path.
pub(crate) fn find_namespace<'a>(
    namespaces: &'a [Arc<Namespace>],
    path: &str,
) -> Option<(&'a Arc<Namespace>, Params)> {
    namespaces.iter().find_map(|namespace| Some((namespace, namespace.matches(path)?)))
}

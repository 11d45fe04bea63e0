//! From gateways as users write them to namespaces as they run.

use std::sync::Arc;

use futures_util::FutureExt;
use http::{Extensions, request::Parts};

use super::{
    Gateway, HandshakeLayerFn, HandshakeRoute, Namespace, config,
    namespace::{Hook, Hubs, run_connect_guards},
    registry::{Entry, Registered, Registry},
    rooms::{RoomGuards, RoomPattern},
    same_addresses,
};
use crate::{
    client::Params,
    error::Result,
    extract::{Call, Matched, Needs},
    filter::FilterFn,
    guard::{Check, Checks},
    handler::{HandlerDef, LayerFn, Order, PatternKind, Route, Segments, Surroundings, surrounded},
    message::DecodeErrorKind,
    reply::{Denied, DeniedKind, Reply},
    room::{Common, Doorkeeper, HubInner},
};

/// What the server puts around all gateways.
#[derive(Default)]
pub(crate) struct Global {
    pub(crate) layers: Vec<LayerFn>,
    pub(crate) handshake_layers: Vec<HandshakeLayerFn>,
    pub(crate) guards: Checks,
    pub(crate) connect_guards: Checks,
    pub(crate) on_connect: Checks,
    pub(crate) on_disconnect: Checks,
    pub(crate) filter: Option<FilterFn>,
    pub(crate) states: Extensions,
}

pub(crate) struct Compiler {
    global: Global,
    /// The server's layers, made once; innermost, the event's gateway is called.
    stack: Option<Call>,
    common: Common,
    next_id: usize,
}

impl Compiler {
    pub(crate) fn new(global: Global, common: Common) -> Self {
        let stack = stack(&global.layers, |matched| matched.gateway.clone());
        Self { global, stack, common, next_id: 0 }
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
        let filter = gateways.iter().find_map(|gateway| gateway.filter.clone());
        let mut registered = Vec::new();
        let mut hooks = Hooks::default();
        let of_server = self.of_server(&gateways[0]);
        hooks.add_first(&self.global, &of_server, &pattern)?;
        let mut handshake_layers = Vec::new();
        for (place, mut gateway) in gateways.into_iter().enumerate() {
            let states = self.states(&gateway);
            hooks.add(&gateway, &states)?;
            handshake_layers.append(&mut gateway.handshake_layers);
            registered.push(self.gateway(place, gateway, &states, filter.as_ref())?);
        }
        hooks.add_last(&self.global, &of_server, &pattern)?;
        let Hooks { on_init, on_connect, on_disconnect, connect_guards, rooms } = hooks;
        let doorkeeper = (!rooms.is_empty()).then(|| Arc::new(RoomGuards(rooms)) as Arc<dyn Doorkeeper>);
        let hubs = Hubs::new(&pattern, segments.is_literal(), self.common.clone(), doorkeeper);
        let innermost = HandshakeRoute::innermost(move |parts: Parts| {
            let guards = connect_guards.clone();
            Box::pin(async move {
                match parts.extensions.get::<Place>().cloned() {
                    Some(place) if !guards.is_empty() => run_connect_guards(guards, parts, place).await,
                    _ => Ok(parts),
                }
            })
        });
        let layers = self.global.handshake_layers.iter().chain(&handshake_layers);
        let handshake = layers.rev().fold(innermost, |inner, layer| layer(inner));
        let registry = Registry::new(registered, self.stack.clone());
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

    /// What the server's own guards and hooks see of a namespace: the server's states, and the metadata of its first gateway.
    fn of_server(&self, first: &Gateway) -> Arc<Matched> {
        let (states, metadata) = (Arc::new(self.global.states.clone()), first.metadata.clone());
        Arc::new(Matched { states, metadata, ..Matched::default() })
    }

    /// The server's states and the gateway's; the gateway's win.
    fn states(&self, gateway: &Gateway) -> Arc<Extensions> {
        let mut states = self.global.states.clone();
        states.extend(gateway.states.clone());
        Arc::new(states)
    }

    /// `filter` is for events that nobody is for: the first that a gateway of the namespace has.
    fn gateway(
        &mut self,
        place: usize,
        gateway: Gateway,
        states: &Arc<Extensions>,
        filter: Option<&FilterFn>,
    ) -> Result<Registered> {
        let name = gateway.namespace;
        check_needs(&gateway.guards.needs, states, &name, "a guard")?;
        check_needs(&self.global.guards.needs, states, &name, "a guard of the server")?;
        let frame = GatewayFrame {
            place,
            stack: stack(&gateway.layers, |matched| matched.handler.clone()),
            guards: gateway.guards,
            filter: gateway.filter,
            metadata: gateway.metadata,
            states: Arc::clone(states),
        };
        let mut registered = Registered::new(self.unknown(&frame, filter), self.unreadable(&frame));
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
        let filters = [&parts.filter, &frame.filter, &self.global.filter].into_iter().flatten();
        let surroundings = Surroundings {
            limits: parts.limits,
            guards: guards.cloned().collect(),
            filters: filters.cloned().collect(),
        };
        let core = surrounded(parts.call, surroundings);
        let handler =
            parts.layers.iter().rev().fold(Route::from_call(core), |inner, layer| layer(inner)).into_call();
        let mut metadata = frame.metadata.clone();
        metadata.extend(parts.metadata);
        let matched = Matched { pattern: text, metadata, ..frame.matched() };
        let needs = [&parts.needs, &frame.guards.needs, &self.global.guards.needs];
        let takes_ack = needs.iter().any(|needs| needs.takes_ack());
        Ok(Entry { takes_ack, ..self.dressed(frame, handler, matched, parts.order) })
    }

    /// Puts the layers of the gateway and the server around a handler.
    fn dressed(&mut self, frame: &GatewayFrame, handler: Call, matched: Matched, order: Order) -> Entry {
        let gateway = frame.stack.clone().unwrap_or_else(|| Arc::clone(&handler));
        let call = self.stack.clone().unwrap_or_else(|| Arc::clone(&gateway));
        let layers = self.stack.as_ref().or(frame.stack.as_ref()).cloned();
        let refused = layers.filter(|_| order != Order::Serial).map(|layers| {
            let refuse: Call = Arc::new(|_| async { Reply::error(Denied::overloaded()) }.boxed());
            let gateway = frame.stack.clone().unwrap_or_else(|| Arc::clone(&refuse));
            let refused = Matched { handler: Some(refuse), ..matched.instead(gateway) };
            (layers, Arc::new(refused))
        });
        let matched = Matched { handler: Some(handler), gateway: Some(gateway), ..matched };
        self.next_id += 1;
        Entry {
            call,
            matched: Arc::new(matched),
            order,
            takes_ack: false,
            refused,
            gateway: frame.place,
            id: self.next_id,
        }
    }

    /// Answers events that nobody is for, where no gateway has a fallback, behind the layers of the namespace's first
    /// gateway. Guards are for what is there.
    fn unknown(&mut self, frame: &GatewayFrame, filter: Option<&FilterFn>) -> Entry {
        let nobody: Call = Arc::new(|_| async { Reply::error(Denied::not_found("Unknown event")) }.boxed());
        let filters = [filter, self.global.filter.as_ref()].into_iter().flatten();
        let surroundings = Surroundings { filters: filters.cloned().collect(), ..Surroundings::default() };
        let call = surrounded(nobody, surroundings);
        self.dressed(frame, call, frame.matched(), Order::Serial)
    }

    /// Answers frames that could not be read. Layers see them, guards and filters do not: there is no message.
    fn unreadable(&mut self, frame: &GatewayFrame) -> Entry {
        let call: Call = Arc::new(|event| {
            let kind = match event.unreadable().map(|error| error.kind) {
                Some(DecodeErrorKind::TooDeep) => DeniedKind::TooLarge,
                _ => DeniedKind::BadRequest,
            };
            let text = event.unreadable().map_or("The message cannot be read", |error| error.message);
            Box::pin(async move { Reply::error(Denied::new(kind, text)) })
        });
        self.dressed(frame, call, frame.matched(), Order::Serial)
    }
}

/// The concrete place of a handshake, for the connect guards.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) adapter: &'static str,
    pub(crate) path: Arc<str>,
    pub(crate) params: Option<Params>,
    pub(crate) hub: Arc<HubInner>,
}

struct GatewayFrame {
    place: usize,
    stack: Option<Call>,
    guards: Checks,
    filter: Option<FilterFn>,
    metadata: Extensions,
    states: Arc<Extensions>,
}

impl GatewayFrame {
    fn matched(&self) -> Matched {
        Matched { metadata: self.metadata.clone(), states: Arc::clone(&self.states), ..Matched::default() }
    }
}

/// The hooks and connect guards of a namespace.
#[derive(Default)]
struct Hooks {
    on_init: Vec<Hook>,
    on_connect: Vec<Hook>,
    on_disconnect: Vec<Hook>,
    connect_guards: Vec<Hook>,
    rooms: Vec<(RoomPattern, Hook)>,
}

impl Hooks {
    /// What the server runs before its gateways.
    fn add_first(&mut self, global: &Global, matched: &Arc<Matched>, name: &str) -> Result<()> {
        extend(&mut self.on_connect, &global.on_connect, matched, name)?;
        extend(&mut self.connect_guards, &global.connect_guards, matched, name)
    }

    fn add(&mut self, gateway: &Gateway, states: &Arc<Extensions>) -> Result<()> {
        let name = &gateway.namespace;
        let (states, metadata) = (Arc::clone(states), gateway.metadata.clone());
        let matched = Arc::new(Matched { states, metadata, ..Matched::default() });
        extend(&mut self.on_init, &gateway.on_init, &matched, name)?;
        extend(&mut self.on_connect, &gateway.on_connect, &matched, name)?;
        extend(&mut self.on_disconnect, &gateway.on_disconnect, &matched, name)?;
        extend(&mut self.connect_guards, &gateway.connect_guards, &matched, name)?;
        for (room, checks) in &gateway.room_guards {
            let (pattern, mut hooks) = (RoomPattern::parse(room)?, Vec::new());
            extend(&mut hooks, checks, &matched, name)?;
            self.rooms.extend(hooks.into_iter().map(|hook| (pattern.clone(), hook)));
        }
        Ok(())
    }

    /// What the server runs after its gateways.
    fn add_last(&mut self, global: &Global, matched: &Arc<Matched>, name: &str) -> Result<()> {
        extend(&mut self.on_disconnect, &global.on_disconnect, matched, name)
    }
}

fn extend(hooks: &mut Vec<Hook>, checks: &Checks, matched: &Arc<Matched>, name: &str) -> Result<()> {
    check_needs(&checks.needs, &matched.states, name, "a guard or hook")?;
    let hook = |check: &Check| Hook { check: Arc::clone(check), matched: Arc::clone(matched) };
    hooks.extend(checks.checks.iter().map(hook));
    Ok(())
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

//! The registry of one namespace: which handlers an event is for.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::FixedState;
use serde_json::{Map, Value};

use crate::{
    client::Params,
    extract::{Call, Matched},
    handler::{Order, Segments, structural_event, structural_match},
    message::EventName,
};

/// One registered handler with its whole stack.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) call: Call,
    pub(crate) matched: Arc<Matched>,
    pub(crate) order: Order,
    /// Whether the handler, or a guard of it, takes the ack.
    pub(crate) takes_ack: bool,
    /// Answers messages that there is no room for, behind the layers; `None` where they always wait, or there is no layer.
    pub(crate) refused: Option<(Call, Arc<Matched>)>,
    /// The gateway's place in the namespace.
    pub(crate) gateway: usize,
    /// Tells the handlers of a namespace apart.
    pub(crate) id: usize,
}

/// The handlers that an event is for, in registration order: one for each gateway of the namespace at most.
#[derive(Default)]
pub(crate) struct Registry {
    /// By the bytes of the name. The server chooses what is in here, so a hash without a secret will do.
    literals: HashMap<Box<[u8]>, Arc<[Entry]>, FixedState>,
    /// There are neither patterns nor structural events.
    only_literals: bool,
    /// Of each gateway, the most specific first.
    patterns: Vec<Vec<(Segments, Entry)>>,
    structural: Vec<Vec<(Map<String, Value>, Entry)>>,
    fallbacks: Arc<[Entry]>,
    /// For frames that could not be read.
    unreadable: Arc<[Entry]>,
    /// The server's layers; innermost, the event's gateway is called.
    layers: Option<Call>,
}

/// What one gateway has registered.
pub(crate) struct Registered {
    pub(crate) literals: Vec<(Box<str>, Entry)>,
    pub(crate) patterns: Vec<(Segments, Entry)>,
    pub(crate) structural: Vec<(Map<String, Value>, Entry)>,
    pub(crate) fallbacks: Vec<Entry>,
    /// For events that nobody is for.
    unknown: Entry,
    unreadable: Entry,
}

impl Registered {
    pub(crate) fn new(unknown: Entry, unreadable: Entry) -> Self {
        Self {
            literals: Vec::new(),
            patterns: Vec::new(),
            structural: Vec::new(),
            fallbacks: Vec::new(),
            unknown,
            unreadable,
        }
    }
}

/// What an event matched.
pub(crate) enum Found<'a> {
    /// The entries of a literal name, or the fallbacks.
    Plain(&'a [Entry]),
    /// Entries with the parameters that their patterns found.
    Params(Vec<(Entry, Option<Params>)>),
}

impl Found<'_> {
    pub(crate) fn first(&self) -> Option<&Entry> {
        match self {
            Self::Plain(entries) => entries.first(),
            Self::Params(entries) => entries.first().map(|(entry, _)| entry),
        }
    }

    /// Whether any of them takes the ack.
    pub(crate) fn takes_ack(&self) -> bool {
        match self {
            Self::Plain(entries) => entries.iter().any(|entry| entry.takes_ack),
            Self::Params(entries) => entries.iter().any(|(entry, _)| entry.takes_ack),
        }
    }
}

impl Registry {
    /// Joins the gateways of one namespace. The first one's `unknown` answers where no gateway has a fallback.
    pub(crate) fn new(gateways: Vec<Registered>, layers: Option<Call>) -> Self {
        let mut literals: HashMap<Box<[u8]>, Vec<Entry>> = HashMap::new();
        let mut registry = Self::default();
        let mut fallbacks = Vec::new();
        let mut first = None;
        for mut gateway in gateways {
            for (name, entry) in gateway.literals {
                literals.entry(name.into_boxed_bytes()).or_default().push(entry);
            }
            gateway.patterns.sort_by_key(|(segments, _)| std::cmp::Reverse(segments.literals()));
            gateway.structural.sort_by_key(|(object, _)| std::cmp::Reverse(object.len()));
            registry.patterns.push(gateway.patterns);
            registry.structural.push(gateway.structural);
            fallbacks.append(&mut gateway.fallbacks);
            first.get_or_insert((gateway.unknown, gateway.unreadable));
        }
        let (unknown, unreadable) = first.unzip();
        if fallbacks.is_empty() {
            fallbacks.extend(unknown);
        }
        registry.unreadable = unreadable.into_iter().collect();
        registry.layers = layers;
        registry.literals = literals.into_iter().map(|(name, entries)| (name, entries.into())).collect();
        registry.fallbacks = fallbacks.into();
        registry.only_literals =
            registry.patterns.iter().all(Vec::is_empty) && registry.structural.iter().all(Vec::is_empty);
        registry
    }

    /// The server's layers, where there are any.
    pub(crate) fn layers(&self) -> Option<&Call> {
        self.layers.as_ref()
    }

    /// Who answers a frame that could not be read.
    pub(crate) fn unreadable(&self) -> Found<'_> {
        Found::Plain(&self.unreadable)
    }

    pub(crate) fn find(&self, event: &EventName) -> Found<'_> {
        let literal = self.literals.get(event.as_bytes());
        if self.only_literals {
            return Found::Plain(literal.unwrap_or(&self.fallbacks));
        }
        match literal {
            // A gateway that has the name does not look at its patterns; another gateway may.
            Some(entries) if self.patterns.len() == 1 => Found::Plain(entries),
            _ => self.find_patterns(event, literal.map_or(&[], |entries| entries)),
        }
    }

    fn find_patterns(&self, event: &EventName, literal: &[Entry]) -> Found<'_> {
        let object = structural_event(event);
        let mut found: Vec<(Entry, Option<Params>)> = literal.iter().map(|e| (e.clone(), None)).collect();
        for (gateway, (patterns, structural)) in self.patterns.iter().zip(&self.structural).enumerate() {
            if literal.iter().any(|entry| entry.gateway == gateway) {
                continue;
            }
            let by_name = patterns.iter().find_map(|(segments, entry)| {
                let params = segments.matches(event.as_str(), |part| Some(part.to_owned()))?;
                Some((entry.clone(), Some(params)))
            });
            let by_shape = || {
                let object = object.as_ref()?;
                let (_, entry) = structural.iter().find(|(pattern, _)| structural_match(pattern, object))?;
                Some((entry.clone(), None))
            };
            found.extend(by_name.or_else(by_shape));
        }
        if found.is_empty() {
            return Found::Plain(&self.fallbacks);
        }
        found.sort_by_key(|(entry, _)| entry.id);
        Found::Params(found)
    }
}

//! Room guards: who may join which room.

use std::{any::Any, sync::Arc};

use super::{
    config,
    namespace::{Hook, HookEvent},
};
use crate::{
    client::{Client, Params},
    error::Result,
    extract::RoomName,
    message::check_name,
    reply::Denied,
    room::Doorkeeper,
};

/// A room's name with at most one parameter: `lobby`, `team:{id}`, `{room}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomPattern {
    prefix: Box<str>,
    /// The parameter's name, and what comes behind it.
    rest: Option<(Arc<str>, Box<str>)>,
}

impl RoomPattern {
    /// # Errors
    /// Kind `Config` for a text that is no room's name, for two parameters, and for one without a name.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        check_name(text).map_err(|error| config(format!("{text:?} names no room: {error}")))?;
        let unfit =
            || config(format!("the room {text:?} may have one parameter with a name, such as {{id}}"));
        let Some((prefix, rest)) = text.split_once('{') else {
            return if text.contains('}') {
                Err(unfit())
            } else {
                Ok(Self { prefix: text.into(), rest: None })
            };
        };
        let (name, suffix) = rest.split_once('}').ok_or_else(unfit)?;
        if name.is_empty() || [prefix, name, suffix].iter().any(|part| part.contains(['{', '}'])) {
            return Err(unfit());
        }
        Ok(Self { prefix: prefix.into(), rest: Some((name.into(), suffix.into())) })
    }

    /// The parameter, where there is one; `None` where the room's name does not fit. A parameter is never empty.
    fn matches(&self, room: &str) -> Option<Option<Params>> {
        let rest = room.strip_prefix(&*self.prefix)?;
        let Some((name, suffix)) = &self.rest else { return rest.is_empty().then_some(None) };
        let value = rest.strip_suffix(&**suffix).filter(|value| !value.is_empty())?;
        Some(Some([(Arc::clone(name), value.to_owned())].into()))
    }
}

/// The room guards of a namespace, in the order in which they were added.
pub(crate) struct RoomGuards(pub(crate) Vec<(RoomPattern, Hook)>);

impl Doorkeeper for RoomGuards {
    fn guards(&self, room: &str) -> bool {
        self.0.iter().any(|(pattern, _)| pattern.matches(room).is_some())
    }
}

impl RoomGuards {
    /// Every guard whose pattern the room fits must let the client pass.
    async fn judge(&self, client: &Client, room: &str) -> Result<(), Denied> {
        let place = HookEvent::of(client, "join", None);
        for (pattern, hook) in &self.0 {
            let Some(params) = pattern.matches(room) else { continue };
            let mut event = place.event(Arc::clone(&hook.matched));
            event.params = params;
            event.extensions_mut().insert(RoomName(room.into()));
            (hook.check)(event).await.1?;
        }
        Ok(())
    }
}

impl Client {
    /// Joins a room where the room's guards let it ([`Gateway::room_guard`](crate::Gateway::room_guard)): for rooms that
    /// a client asks for by name. A room without guards is joined as by [`join`](Self::join); one that the client is in
    /// already stays so, and its guards are not asked.
    ///
    /// Cancel safe: dropped, the client has joined or it has not.
    ///
    /// # Errors
    /// What a guard refuses with, and those of [`join`](Self::join).
    pub async fn ask_to_join(&self, room: &str) -> Result<(), Denied> {
        check_name(room)?;
        if self.is_in(room) {
            return Ok(());
        }
        let doorkeeper = self.hub_inner().doorkeeper().cloned();
        let guards = doorkeeper.as_deref().map(|keeper| keeper as &dyn Any);
        if let Some(guards) = guards.and_then(<dyn Any>::downcast_ref::<RoomGuards>) {
            guards.judge(self, room).await?;
        }
        self.join_unguarded(room)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, room: &str) -> Option<String> {
        let params = RoomPattern::parse(pattern).unwrap().matches(room)?;
        Some(params.map_or_else(String::new, |params| params[0].1.clone()))
    }

    #[test]
    fn a_pattern_is_a_name_with_one_parameter_at_most() {
        for (pattern, room, expected) in [
            ("lobby", "lobby", Some("")),
            ("lobby", "lobby2", None),
            ("team:{id}", "team:42", Some("42")),
            ("team:{id}", "team:4:2", Some("4:2")),
            ("team:{id}", "team:", None),
            ("team:{id}", "steam:42", None),
            ("{id}:staff", "team:staff", Some("team")),
            ("team:{id}:staff", "team:staff", None),
            ("{room}", "anything at all", Some("anything at all")),
        ] {
            assert_eq!(found(pattern, room).as_deref(), expected, "{pattern} {room}");
        }
        for bad in ["", "a{", "a}", "{}", "{a}{b}", "{a{b}}", "}{", "a\n"] {
            assert!(RoomPattern::parse(bad).is_err(), "{bad:?}");
        }
    }
}

//! Which events a handler is for, and which paths a namespace is for.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    client::Params,
    error::{Error, ErrorKind, Result},
    message::{EventName, check_name},
};

/// Which events a handler is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(PatternText);

#[derive(Clone, Debug, PartialEq)]
enum PatternText {
    Name(String),
    Json(Value),
}

impl Pattern {
    /// A name (`greet`), or a name with parameters between dots (`room.{id}.msg`).
    pub fn name(name: impl Into<String>) -> Self {
        Self(PatternText::Name(name.into()))
    }

    /// A structural pattern: an event that is a JSON object with at least these members.
    ///
    /// `Pattern::json(json!({"channel": "messages", "type": "group"}))` is for frames such as
    /// `{"event":{"channel":"messages","type":"group"},"data":…}`. On a door whose event must be a string it is for
    /// the object's JSON text.
    pub fn json(object: Value) -> Self {
        Self(PatternText::Json(object))
    }

    pub(crate) fn compile(self) -> Result<(Box<str>, PatternKind)> {
        match self.0 {
            PatternText::Name(name) => {
                check_name(&name)
                    .map_err(|e| config(format!("the event {name:?} cannot be registered")).with_source(e))?;
                if RESERVED.contains(&name.as_str()) {
                    let why =
                        format!("the event {name:?} is reserved by Socket.IO and would never arrive there");
                    return Err(config(why));
                }
                let kind = match Segments::parse(&name, '.')? {
                    segments if segments.is_literal() => PatternKind::Literal,
                    segments => PatternKind::Segments(segments),
                };
                Ok((name.into_boxed_str(), kind))
            }
            PatternText::Json(Value::Object(object)) if !object.is_empty() => {
                let text = Value::Object(object.clone()).to_string();
                if text.len() > crate::message::MAX_NAME_BYTES {
                    return Err(config(format!("the structural event {text} is longer than 128 bytes")));
                }
                Ok((text.into_boxed_str(), PatternKind::Structural(object)))
            }
            PatternText::Json(other) => {
                Err(config(format!("a structural event must be an object with members, not {other}")))
            }
        }
    }
}

/// Names that official Socket.IO clients never send or deliver.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

fn config(context: String) -> Error {
    Error::new(ErrorKind::Config, context)
}

/// Anything that names an event: a string or a [`Pattern`].
pub trait IntoPattern {
    /// The pattern.
    fn into_pattern(self) -> Pattern;
}

impl IntoPattern for Pattern {
    fn into_pattern(self) -> Pattern {
        self
    }
}

impl IntoPattern for &str {
    fn into_pattern(self) -> Pattern {
        Pattern::name(self)
    }
}

impl IntoPattern for String {
    fn into_pattern(self) -> Pattern {
        Pattern::name(self)
    }
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PatternKind {
    Literal,
    Segments(Segments),
    Structural(Map<String, Value>),
}

impl PatternKind {
    /// Whether no event could tell the two apart.
    pub(crate) fn same(&self, text: &str, other: &Self, other_text: &str) -> bool {
        match (self, other) {
            (Self::Literal, Self::Literal) => text == other_text,
            (Self::Segments(a), Self::Segments(b)) => a.same_shape(b),
            (Self::Structural(a), Self::Structural(b)) => a == b,
            _ => false,
        }
    }
}

/// Whether the object in `event` has at least the members of `pattern`.
pub(crate) fn structural_match(pattern: &Map<String, Value>, event: &Map<String, Value>) -> bool {
    pattern.iter().all(|(key, value)| event.get(key) == Some(value))
}

pub(crate) fn structural_event(name: &EventName) -> Option<Map<String, Value>> {
    // The name is bounded, so this parse is too.
    name.is_structural().then(|| serde_json::from_str(name.as_str()).ok()).flatten()
}

/// A literal or a parameter between two separators.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(Box<str>),
    Param(Arc<str>),
}

/// A text with parameters: an event pattern split at `.`, or a namespace path split at `/`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Segments {
    separator: char,
    segments: Box<[Literal]>,
}

impl Segments {
    /// # Errors
    /// Braces that are not a whole segment, and empty or repeated parameter names.
    pub(crate) fn parse(text: &str, separator: char) -> Result<Self> {
        let mut names = Vec::new();
        let segments = text.split(separator).map(|segment| {
            let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
                if segment.contains(['{', '}']) {
                    return Err(config(format!(
                        "in {text:?} a parameter must be a whole segment, such as {{id}}"
                    )));
                }
                return Ok(Literal::Text(segment.into()));
            };
            if name.is_empty() || name.contains(['{', '}']) || names.contains(&name) {
                return Err(config(format!(
                    "in {text:?} parameter names must be present, plain and different"
                )));
            }
            names.push(name);
            Ok(Literal::Param(name.into()))
        });
        let segments = segments.collect::<Result<Box<[_]>>>()?;
        Ok(Self { separator, segments })
    }

    pub(crate) fn is_literal(&self) -> bool {
        self.segments.iter().all(|s| matches!(s, Literal::Text(_)))
    }

    /// How many segments are literal: the more, the more specific.
    pub(crate) fn literals(&self) -> usize {
        self.segments.iter().filter(|s| matches!(s, Literal::Text(_))).count()
    }

    pub(crate) fn same_shape(&self, other: &Self) -> bool {
        let shape = |segments: &Self| -> Vec<Option<Box<str>>> {
            let text = |s: &Literal| if let Literal::Text(t) = s { Some(t.clone()) } else { None };
            segments.segments.iter().map(text).collect()
        };
        self.separator == other.separator && shape(self) == shape(other)
    }

    /// The parameters, where `text` fits. A parameter is never empty.
    pub(crate) fn matches(&self, text: &str, decode: impl Fn(&str) -> Option<String>) -> Option<Params> {
        let mut parts = text.split(self.separator);
        let mut params = Vec::new();
        for segment in &self.segments {
            let part = parts.next()?;
            match segment {
                Literal::Text(literal) if **literal == *part => {}
                Literal::Param(name) if !part.is_empty() => params.push((Arc::clone(name), decode(part)?)),
                _ => return None,
            }
        }
        parts.next().is_none().then(|| params.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn parameters_are_whole_segments() {
        let segments = Segments::parse("room.{id}.msg", '.').unwrap();
        let params = segments.matches("room.42.msg", plain).unwrap();
        assert_eq!((&*params[0].0, params[0].1.as_str()), ("id", "42"));
        for text in ["room..msg", "room.42", "room.42.msg.x", "Room.42.msg"] {
            assert!(segments.matches(text, plain).is_none(), "{text}");
        }
        for bad in ["a{b}", "{}", "{a}.{a}", "{a"] {
            assert!(Segments::parse(bad, '.').is_err(), "{bad}");
        }
    }

    #[test]
    fn a_structural_pattern_wants_its_members_and_allows_more() {
        let (_, PatternKind::Structural(pattern)) =
            Pattern::json(serde_json::json!({"channel": "messages", "type": "group"})).compile().unwrap()
        else {
            panic!()
        };
        let event = |text: &str| structural_event(&EventName::new(text)).unwrap();
        assert!(structural_match(&pattern, &event(r#"{"type":"group","channel":"messages","x":1}"#)));
        assert!(!structural_match(&pattern, &event(r#"{"type":"group"}"#)));
        assert!(structural_event(&EventName::new("greet")).is_none());
    }

    #[test]
    fn names_that_never_arrive_are_refused() {
        for name in ["connect", "disconnect", ""] {
            assert_eq!(Pattern::name(name).compile().unwrap_err().kind(), ErrorKind::Config, "{name}");
        }
    }
}

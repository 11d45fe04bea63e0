//! Requests of clients: `{headers, query, params, body}`, all of them optional, and nothing else.

use std::sync::Arc;

use narthex::{Denied, Event, Extension, FromEvent, Payload};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::model::{Fault, Model, Shape, check};
use crate::wire::invalid;

/// One request, as the layer has read it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request(Arc<Fields>);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    headers: Option<Map<String, Value>>,
    query: Option<Map<String, Value>>,
    params: Option<Map<String, Value>>,
    body: Option<Value>,
}

impl Request {
    /// Reads the only argument of an event.
    ///
    /// # Errors
    /// `BadRequest`, with a paragraph for each fault.
    pub(crate) fn read(payload: &Payload) -> Result<Self, Denied> {
        if let Payload::Args(args) = payload {
            let only = args.json().parse::<Vec<IgnoredAny>>().is_ok_and(|args| args.len() == 1);
            let why =
                if only { "A message has no bytes in it." } else { "There should only be one message sent." };
            return Err(Denied::bad_request(why));
        }
        let value = match payload {
            Payload::Empty => None,
            payload => Some(payload.parse::<Value>().unwrap_or(Value::Null)),
        };
        let part = || Shape::any_object().optional();
        let shape = Shape::object([
            ("headers", part()),
            ("query", part()),
            ("params", part()),
            ("body", Shape::any().optional()),
        ]);
        let faults = check(&shape, value.as_ref(), "request");
        if !faults.is_empty() {
            return Err(invalid("websocket request", faults));
        }
        let fields = serde_json::from_value(value.unwrap_or_default()).map_err(Denied::internal)?;
        Ok(Self(Arc::new(fields)))
    }

    /// A header of the message, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.0.headers.as_ref()?;
        headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str()
    }

    /// A parameter of the message.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.0.params.as_ref()?.get(name)?.as_str()
    }

    async fn of(event: &mut Event) -> Result<Self, Denied> {
        Extension::from_event(event).await.map(|Extension(request)| request)
    }
}

/// The body, checked against its model: `Body<T>`, `Body<Option<T>>` where it may be absent, `Body<Vec<T>>` for an array.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: Model> FromEvent for Body<T> {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let request = Request::of(event).await?;
        typed(request.0.body.as_ref(), "body").map(Self)
    }
}

/// Headers, query and params are objects, each with a model.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident $field:ident;)*) => {
        $($(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name<T>(pub(crate) T);

        impl<T: Model> FromEvent for $name<T> {
            type Rejection = Denied;

            async fn from_event(event: &mut Event) -> Result<Self, Denied> {
                let request = Request::of(event).await?;
                let value = Value::Object(request.0.$field.clone().unwrap_or_default());
                typed(Some(&value), stringify!($field)).map(Self)
            }
        })*
    };
}

fields! {
    /// The message's own headers.
    HeaderFields headers;
    /// The message's query.
    QueryParams query;
    /// The message's path parameters.
    PathParams params;
}

fn typed<T: Model>(value: Option<&Value>, part: &str) -> Result<T, Denied> {
    let faults: Vec<Fault> = check(&T::shape(), value, part);
    if !faults.is_empty() {
        return Err(invalid(&format!("request {part}"), faults));
    }
    // The shape fits: what serde refuses still is a value that the type cannot hold.
    T::deserialize(value.unwrap_or(&Value::Null)).map_err(|error| {
        invalid(&format!("request {part}"), vec![format!("{part}: has a value that does not fit")])
            .with_source(error)
    })
}

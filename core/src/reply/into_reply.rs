//! What may be returned from a handler.

use std::{borrow::Cow, convert::Infallible};

use bytes::Bytes;
use serde::Serialize;

use super::{Denied, Emit, Reply};
use crate::message::Payload;

/// Anything that a handler may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a handler",
    label = "not a reply",
    note = "return `()`, a string, a number, `Json(value)`, `Bytes`, `Emit`, `Streamed`, an `Option` or a `Result<_, impl Into<Denied>>` of these"
)]
pub trait IntoReply: Send {
    /// Makes the reply.
    fn into_reply(self) -> Reply;
}

impl IntoReply for Reply {
    fn into_reply(self) -> Reply {
        self
    }
}

impl IntoReply for () {
    fn into_reply(self) -> Reply {
        Reply::none()
    }
}

impl IntoReply for Infallible {
    fn into_reply(self) -> Reply {
        match self {}
    }
}

impl IntoReply for Emit {
    fn into_reply(self) -> Reply {
        Reply::emit(self)
    }
}

impl IntoReply for Denied {
    fn into_reply(self) -> Reply {
        Reply::error(self)
    }
}

impl IntoReply for Payload {
    fn into_reply(self) -> Reply {
        Reply::value(self)
    }
}

impl IntoReply for Bytes {
    fn into_reply(self) -> Reply {
        Reply::value(Payload::Binary(self))
    }
}

impl<T: IntoReply> IntoReply for Option<T> {
    fn into_reply(self) -> Reply {
        self.map_or_else(Reply::none, T::into_reply)
    }
}

impl<T: IntoReply, E: Into<Denied> + Send> IntoReply for Result<T, E> {
    fn into_reply(self) -> Reply {
        match self {
            Ok(value) => value.into_reply(),
            Err(error) => Reply::error(error),
        }
    }
}

/// Writes a value as JSON; one that cannot be is an internal failure.
pub(crate) fn json_reply<T: Serialize + ?Sized>(value: &T) -> Reply {
    match Payload::json(value) {
        Ok(payload) => Reply::value(payload),
        Err(error) => Reply::error(error),
    }
}

macro_rules! plain {
    ($($type:ty)*) => {
        $(impl IntoReply for $type {
            fn into_reply(self) -> Reply {
                json_reply(&self)
            }
        })*
    };
}

plain!(String &'static str Cow<'static, str> bool u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64 serde_json::Value);

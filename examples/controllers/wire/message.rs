//! Messages of the server: answers, and what it sends by itself.

use std::borrow::Cow;

use narthex::{Client, Denied, Payload};
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::user::User;
use crate::wire::problem;

/// The event of an answer.
pub(crate) const RESPONSE: &str = "ws:response";

/// Whom a message is for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Recipient {
    All,
    User,
    Channel,
}

/// The envelope of everything that the server sends. What is `None` is not there.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) created_at: String,
    /// 1 for what is not kept.
    pub(crate) seq: u64,
    pub(crate) ok: bool,
    pub(crate) event: Cow<'static, str>,
    pub(crate) status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sender_user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sender_connection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Box<RawValue>>,
    pub(crate) recipient_type: Recipient,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient_id: Option<String>,
}

impl Message {
    pub(crate) fn new(event: impl Into<Cow<'static, str>>, to: Recipient, id: Option<String>) -> Self {
        Self {
            id: Uuid::now_v7(),
            created_at: now(),
            seq: 1,
            ok: true,
            event: event.into(),
            status: 200,
            sender_user_id: None,
            sender_connection_id: None,
            data: None,
            error: None,
            recipient_type: to,
            recipient_id: id,
        }
    }

    /// The answer of a handler that succeeded.
    pub(crate) fn answer(client: &Client, data: Option<&Payload>) -> Self {
        Self { data: data.and_then(raw), ..Self::to_user(client, RESPONSE) }
    }

    /// The answer to a request that failed.
    pub(crate) fn failure(client: &Client, denied: &Denied) -> Self {
        let status = denied.kind().status().as_u16();
        Self { ok: false, status, error: problem::of(denied), ..Self::to_user(client, RESPONSE) }
    }

    /// To one connection; it names the user, where one is connected.
    pub(crate) fn to_user(client: &Client, event: impl Into<Cow<'static, str>>) -> Self {
        Self::new(event, Recipient::User, User::connected(client).map(|user| user.id))
    }

    /// The same from a connection.
    pub(crate) fn from(mut self, sender: &Client) -> Self {
        self.sender_connection_id = Some(sender.id().to_string());
        self.sender_user_id = User::connected(sender).map(|user| user.id);
        self
    }

    /// The same with data.
    ///
    /// # Errors
    /// Where they have no form in JSON.
    pub(crate) fn with_data<T: Serialize + ?Sized>(mut self, data: &T) -> Result<Self, serde_json::Error> {
        self.data = Some(serde_json::value::to_raw_value(data)?);
        Ok(self)
    }
}

/// Bytes have no form in an envelope of JSON.
fn raw(payload: &Payload) -> Option<Box<RawValue>> {
    payload.parse().ok()
}

/// As `Date.prototype.toISOString` writes it.
fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let (date, time) = (now.date(), now.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

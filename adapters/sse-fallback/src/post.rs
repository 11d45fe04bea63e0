//! POST: what a client sends. DELETE: its goodbye.

use http::{HeaderMap, Response, StatusCode, request::Parts};
use narthex_core::{CloseReason, Frame, ReceiveError, Resumable};
use narthex_http::{HttpBody, Route, collect, text};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::{
    answer::{bare, going_away, json, too_many},
    batch::Form,
    claim::SEQ,
    door::Door,
    open::last_seen,
};

/// The longest reason of a goodbye, in bytes (as on a WebSocket, RFC 6455 section 5.5.1).
const MAX_REASON: usize = 123;

/// What a goodbye may say, in the query.
#[derive(Debug, Deserialize)]
struct Goodbye {
    #[serde(default = "no_code")]
    code: u16,
    #[serde(default)]
    reason: String,
}

fn no_code() -> u16 {
    1005
}

impl Goodbye {
    /// A code that a client may give (RFC 6455 section 7.4.1), or none.
    fn is_valid(&self) -> bool {
        matches!(self.code, 1000 | 1001 | 1005 | 3000..=4999) && self.reason.len() <= MAX_REASON
    }
}

impl Door {
    /// Takes a batch of messages, or none of it.
    pub(crate) async fn post(&self, route: &Route, head: &Parts, body: HttpBody) -> Response<HttpBody> {
        let entry = match self.find(route, head) {
            Ok(entry) => entry,
            Err(unknown) => return unknown,
        };
        let Some(form) = Form::of(&head.headers) else {
            let line = "Messages are application/json or application/x-ndjson";
            return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, line);
        };
        let Some(first) = first(&head.headers) else {
            return text(StatusCode::BAD_REQUEST, "X-Narthex-Seq is the number of the first message, from 1");
        };
        match last_seen(head) {
            Ok(Some(last_seen)) => entry.resumable.confirm(last_seen),
            Ok(None) => {}
            Err(answer) => return answer,
        }
        let body = match collect(body).await {
            Ok(body) => body,
            Err(error) => return error.response(),
        };
        match form.split(&body, &self.settings) {
            Ok(frames) => self.receive(&entry.resumable, first, frames).await,
            Err(fault) => {
                let (status, line) = fault.answer();
                text(status, line)
            }
        }
    }

    /// Hands a batch to the session. Where it is full, the client waits for its answer, for a bounded time.
    async fn receive(&self, session: &Resumable, first: u64, frames: Vec<Frame>) -> Response<HttpBody> {
        let deadline = Instant::now() + self.settings.post_patience;
        loop {
            match session.receive(first, frames.clone()) {
                Ok(seq) => return json(StatusCode::OK, format!(r#"{{"seq":{seq}}}"#)),
                Err(ReceiveError::Gap { expect }) => {
                    return json(StatusCode::CONFLICT, format!(r#"{{"expect":{expect}}}"#));
                }
                Err(ReceiveError::Full) => {
                    if timeout_at(deadline, session.has_room()).await.is_err() {
                        return too_many();
                    }
                }
                Err(_) if self.draining.is_cancelled() => return going_away(),
                Err(_) => return text(StatusCode::GONE, "The session has ended"),
            }
        }
    }

    /// Ends a session after what it was sent.
    pub(crate) fn leave(&self, route: &Route, head: &Parts) -> Response<HttpBody> {
        let entry = match self.find(route, head) {
            Ok(entry) => entry,
            Err(unknown) => return unknown,
        };
        let goodbye: Option<Goodbye> = serde_urlencoded::from_str(head.uri.query().unwrap_or_default()).ok();
        match goodbye.filter(Goodbye::is_valid) {
            Some(Goodbye { code, reason }) => {
                entry.resumable.leave(CloseReason::ClientClosed { code, text: reason });
                bare(StatusCode::NO_CONTENT)
            }
            None => text(StatusCode::BAD_REQUEST, "This is no code or no reason of a goodbye"),
        }
    }
}

/// The number of a batch's first message.
fn first(headers: &HeaderMap) -> Option<u64> {
    let mut numbers = headers.get_all(SEQ).iter();
    let number = numbers.next().filter(|_| numbers.next().is_none())?.to_str().ok()?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|number| digits && *number > 0)
}

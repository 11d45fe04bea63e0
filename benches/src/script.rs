//! What the generator sends and what it must get back, byte for byte.

use clap::ValueEnum;

use crate::Result;

/// Numbers start here so that they all have as many digits as [`SLOT`]: a message is its template, patched in place.
const FIRST: u64 = 1_000_000_000;
const SLOT: &str = "##########";

/// How the server under test answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reply {
    /// With the very bytes it got.
    Same,
    /// With an ack of the default envelope that carries the data it got.
    Ack,
    /// With an ack of the default envelope, whatever it carries; an error ack is refused.
    AnyAck,
}

/// One connection's messages: the default envelope with an increasing id, the same bytes for every server.
#[derive(Debug)]
pub(crate) struct Script {
    request: Template,
    reply: Template,
    exact: bool,
}

impl Script {
    /// Messages of exactly `size` bytes for event `echo`, told apart by `connection`.
    ///
    /// # Errors
    ///
    /// When `size` is too small for the envelope.
    pub(crate) fn echo(reply: Reply, size: usize, connection: usize) -> Result<Self> {
        // Keys in alphabetical order, so that a server that goes through a sorted map answers the same bytes.
        let data = |pad: &str| format!(r#"{{"from":{},"pad":"{pad}","seq":{SLOT}}}"#, 100_000 + connection);
        let request = |data: &str| format!(r#"{{"event":"echo","data":{data},"id":{SLOT}}}"#);
        let spare = size
            .checked_sub(request(&data("")).len())
            .ok_or_else(|| format!("{size} bytes are too few for the envelope"))?;
        let data = data(&"x".repeat(spare));
        Ok(Self::new(reply, request(&data), data))
    }

    /// Messages that ask to join the one room of the idle benchmark.
    pub(crate) fn join() -> Self {
        Self::new(
            Reply::AnyAck,
            format!(r#"{{"event":"join","data":{{"room":"bench"}},"id":{SLOT}}}"#),
            String::new(),
        )
    }

    fn new(reply: Reply, request: String, data: String) -> Self {
        let expected = match reply {
            Reply::Same => request.clone(),
            Reply::Ack => format!(r#"{{"ack":{SLOT},"data":{data}}}"#),
            Reply::AnyAck => format!(r#"{{"ack":{SLOT}"#),
        };
        let exact = reply != Reply::AnyAck;
        Self { request: Template::new(request), reply: Template::new(expected), exact }
    }

    /// The message number `n`.
    pub(crate) fn request(&mut self, n: u64) -> &[u8] {
        self.request.patch(n)
    }

    /// Checks the reply to message number `n`.
    ///
    /// # Errors
    ///
    /// When it is any other than the one expected now: a lost, doubled, reordered or changed reply.
    pub(crate) fn check(&mut self, n: u64, text: &[u8]) -> Result {
        let expected = self.reply.patch(n);
        let right = if self.exact {
            text == expected
        } else {
            text.starts_with(expected) && !text[expected.len()..].starts_with(br#","error""#)
        };
        if right {
            return Ok(());
        }
        let show = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        Err(format!("wrong reply\n  expected: {}\n  got:      {}", show(expected), show(text)).into())
    }
}

/// A text with places for a number.
#[derive(Debug)]
struct Template {
    bytes: Vec<u8>,
    slots: Vec<usize>,
}

impl Template {
    fn new(text: String) -> Self {
        let slots = text.match_indices(SLOT).map(|(at, _)| at).collect();
        Self { bytes: text.into_bytes(), slots }
    }

    fn patch(&mut self, n: u64) -> &[u8] {
        for &slot in &self.slots {
            let mut rest = FIRST + n;
            for byte in self.bytes[slot..slot + SLOT.len()].iter_mut().rev() {
                *byte = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_size_asked_for_and_is_json() {
        let mut script = Script::echo(Reply::Ack, 128, 3).unwrap();
        let request = script.request(7);
        assert_eq!(request.len(), 128);
        let value: serde_json::Value = serde_json::from_slice(request).unwrap();
        assert_eq!(value["id"], 1_000_000_007);
        let reply = serde_json::json!({ "ack": value["id"], "data": value["data"] });
        script.check(7, reply.to_string().as_bytes()).unwrap();
    }

    #[test]
    fn a_reply_out_of_order_is_refused() {
        let mut script = Script::echo(Reply::Same, 128, 0).unwrap();
        let second = script.request(1).to_vec();
        assert!(script.check(0, &second).is_err());
        assert!(script.check(1, &second).is_ok());
    }

    #[test]
    fn an_error_ack_to_a_join_is_refused() {
        let mut script = Script::join();
        assert!(script.check(0, br#"{"ack":1000000000,"data":null}"#).is_ok());
        assert!(script.check(0, br#"{"ack":1000000000,"error":{"status":"error"}}"#).is_err());
    }
}

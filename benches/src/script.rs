//! What the generator sends and what it must get back, byte for byte.

use std::error::Error;

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
        let request = |data: &str| format!(r#"{{"event":"echo","data":{data},"id":{SLOT}}}"#);
        let data = data(100_000 + connection, size, request)?;
        Ok(Self::new(reply, request(&data), data))
    }

    /// Messages that ask to join `room`.
    pub(crate) fn join(room: &str) -> Self {
        Self::new(
            Reply::AnyAck,
            format!(r#"{{"event":"join","data":{{"room":"{room}"}},"id":{SLOT}}}"#),
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
        Err(differs(expected, text))
    }
}

/// What one publisher of a room sends and what every member must get.
#[derive(Debug)]
pub(crate) struct Publication {
    request: Template,
    delivery: Template,
    ack: Template,
}

/// What stands before a publisher's number in a delivery.
const DELIVERY: &str = r#"{"event":"message","data":{"from":"#;
const DIGITS: usize = 6;

impl Publication {
    /// Messages for `room` that are delivered as `size` bytes. A server that answers with [`Reply::Same`] gets what it is to
    /// deliver, another one the event `publish` of the default envelope.
    ///
    /// # Errors
    ///
    /// When `size` is too small for the envelope.
    pub(crate) fn new(reply: Reply, size: usize, publisher: usize, room: &str) -> Result<Self> {
        let delivery = |data: &str| format!(r#"{{"event":"message","data":{data}}}"#);
        let data = data(publisher, size, delivery)?;
        let request = match reply {
            Reply::Same => delivery(&data),
            Reply::Ack | Reply::AnyAck => {
                format!(r#"{{"event":"publish","data":{{"room":"{room}","data":{data}}},"id":{SLOT}}}"#)
            }
        };
        let ack = format!(r#"{{"ack":{SLOT},"data":"#);
        Ok(Self {
            request: Template::new(request),
            delivery: Template::new(delivery(&data)),
            ack: Template::new(ack),
        })
    }

    /// The message number `n`.
    pub(crate) fn request(&mut self, n: u64) -> &[u8] {
        self.request.patch(n)
    }

    /// What every member gets of it.
    pub(crate) fn delivery(&mut self, n: u64) -> &[u8] {
        self.delivery.patch(n)
    }

    /// Checks the answer to message number `n`, which went to `members`.
    ///
    /// # Errors
    ///
    /// When it is any other.
    pub(crate) fn check_ack(&mut self, n: u64, members: usize, text: &[u8]) -> Result {
        let expected = [self.ack.patch(n), members.to_string().as_bytes(), b"}"].concat();
        if text == expected { Ok(()) } else { Err(differs(&expected, text)) }
    }

    /// The number of the publisher whose delivery `text` looks like.
    pub(crate) fn publisher(text: &[u8]) -> Option<usize> {
        let digits = text.get(DELIVERY.len()..DELIVERY.len() + DIGITS)?;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + usize::from(digit - b'0'))
        })
    }
}

/// Data of a message of `size` bytes, told apart by `from`; `message` puts it into its envelope.
fn data(from: usize, size: usize, message: impl Fn(&str) -> String) -> Result<String> {
    // Keys in alphabetical order, so that a server that goes through a sorted map answers the same bytes.
    let data = |pad: &str| format!(r#"{{"from":{from},"pad":"{pad}","seq":{SLOT}}}"#);
    let spare = size
        .checked_sub(message(&data("")).len())
        .ok_or_else(|| format!("{size} bytes are too few for the envelope"))?;
    Ok(data(&"x".repeat(spare)))
}

/// The error of a wrong reply.
pub(crate) fn differs(expected: &[u8], got: &[u8]) -> Box<dyn Error + Send + Sync> {
    let show = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    format!("wrong reply\n  expected: {}\n  got:      {}", show(expected), show(got)).into()
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
    fn a_delivery_has_the_size_asked_for_and_names_its_publisher() {
        let mut publication = Publication::new(Reply::Ack, 128, 100_003, "bench").unwrap();
        let delivery = publication.delivery(7).to_vec();
        assert_eq!(delivery.len(), 128);
        assert_eq!(Publication::publisher(&delivery), Some(100_003));
        let request: serde_json::Value = serde_json::from_slice(publication.request(7)).unwrap();
        let delivered: serde_json::Value = serde_json::from_slice(&delivery).unwrap();
        assert_eq!(delivered["data"], request["data"]["data"]);
    }

    #[test]
    fn an_ack_that_counts_other_members_is_refused() {
        let mut publication = Publication::new(Reply::Ack, 128, 100_000, "bench").unwrap();
        assert!(publication.check_ack(0, 1_000, br#"{"ack":1000000000,"data":1000}"#).is_ok());
        assert!(publication.check_ack(0, 1_000, br#"{"ack":1000000000,"data":999}"#).is_err());
        assert!(publication.check_ack(1, 1_000, br#"{"ack":1000000000,"data":1000}"#).is_err());
    }

    #[test]
    fn an_error_ack_to_a_join_is_refused() {
        let mut script = Script::join("bench");
        assert!(script.check(0, br#"{"ack":1000000000,"data":null}"#).is_ok());
        assert!(script.check(0, br#"{"ack":1000000000,"error":{"status":"error"}}"#).is_err());
    }
}

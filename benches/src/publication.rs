//! What a publisher sends, and what all members of its room get, byte for byte.

use crate::{
    Result,
    script::Reply,
    template::{Template, data, differs},
    turn::Turn,
};

/// What stands before a publisher's number in the data of a delivery.
const FROM: &str = r#"{"from":"#;
const DIGITS: usize = 6;

/// What one publisher of a room sends and what every member must get.
#[derive(Debug)]
pub(crate) struct Publication {
    request: Template,
    delivery: Template,
    ack: Template,
    acked: Turn,
    keeps_order: bool,
}

impl Publication {
    /// Messages for the `members` of `room` that are delivered as `size` bytes. A server that answers with [`Reply::Same`]
    /// gets what it is to deliver, another one the event `publish`.
    ///
    /// # Errors
    ///
    /// When `size` is too small for the envelope.
    pub(crate) fn new(
        reply: Reply,
        size: usize,
        publisher: usize,
        room: &str,
        members: usize,
    ) -> Result<Self> {
        let delivery = |data: &str| reply.event("message", data);
        let data = data(publisher, size, delivery)?;
        if Delivery::of(reply).publisher(delivery(&data).as_bytes()).is_none() {
            return Err(format!("{size} bytes are too few to name the publisher").into());
        }
        let request = match reply {
            Reply::Same => delivery(&data),
            _ => reply.request("publish", &format!(r#"{{"room":"{room}","data":{data}}}"#)),
        };
        Ok(Self {
            request: Template::new(request),
            delivery: Template::new(delivery(&data)),
            ack: Template::new(reply.answer("publish", &receipt(reply, members))),
            acked: Turn::default(),
            keeps_order: reply.keeps_order(),
        })
    }

    /// The same messages, but nobody answers them.
    ///
    /// # Errors
    ///
    /// When `size` is too small for the envelope.
    pub(crate) fn unanswered(reply: Reply, size: usize, publisher: usize, room: &str) -> Result<Self> {
        let published = Self::new(reply, size, publisher, room, 0)?;
        if reply == Reply::Same {
            return Ok(published);
        }
        let data = data(publisher, size, |data| reply.event("message", data))?;
        let request = reply.event("publish", &format!(r#"{{"room":"{room}","data":{data}}}"#));
        Ok(Self { request: Template::new(request), ..published })
    }

    /// Checks that `text` is what every member gets of message number `n`.
    ///
    /// # Errors
    ///
    /// When it is any other.
    pub(crate) fn check_delivery(&mut self, n: u64, text: &[u8]) -> Result {
        let expected = self.delivery.patch(n);
        if text == expected { Ok(()) } else { Err(differs(expected, text)) }
    }

    /// The message number `n`.
    pub(crate) fn request(&mut self, n: u64) -> &[u8] {
        self.request.patch(n)
    }

    /// What every member gets of it.
    pub(crate) fn delivery(&mut self, n: u64) -> &[u8] {
        self.delivery.patch(n)
    }

    /// The number of the message that `text` delivers to a member who has `heard` so far: the next one, unless the server
    /// keeps no order.
    pub(crate) fn number(&self, heard: &Turn, text: &[u8]) -> Option<u64> {
        if self.keeps_order { Some(heard.next()) } else { self.delivery.number(text) }
    }

    /// Checks the answer to the next message, or, where answers come in any order, to one that has none yet.
    ///
    /// # Errors
    ///
    /// When it is any other.
    pub(crate) fn check_ack(&mut self, text: &[u8]) -> Result {
        let n = if self.keeps_order { Some(self.acked.next()) } else { self.ack.number(text) };
        match n.filter(|n| self.acked.take(*n)) {
            Some(n) if text == self.ack.patch(n) => Ok(()),
            _ => Err(differs(self.ack.patch(self.acked.next()), text)),
        }
    }

    /// How many answers have come without a gap.
    pub(crate) fn acked(&self) -> u64 {
        self.acked.next()
    }
}

/// What a publisher reads: the number of members, but for plain socketioxide, which would have to go and count.
fn receipt(reply: Reply, members: usize) -> String {
    match reply {
        Reply::AnyPacket => "true".to_owned(),
        _ => members.to_string(),
    }
}

/// Tells deliveries of one wire from answers, and whose they are.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// What stands before the publisher's number.
    start: Vec<u8>,
}

impl Delivery {
    /// Deliveries as a server has them that answers so.
    pub(crate) fn of(reply: Reply) -> Self {
        let mut start = reply.event("message", FROM);
        start.truncate(start.find(FROM).map_or(0, |at| at + FROM.len()));
        Self { start: start.into_bytes() }
    }

    /// Whether `text` is one.
    pub(crate) fn is(&self, text: &[u8]) -> bool {
        text.starts_with(&self.start)
    }

    /// The number of the publisher whose delivery `text` looks like.
    pub(crate) fn publisher(&self, text: &[u8]) -> Option<usize> {
        let digits = text.strip_prefix(self.start.as_slice())?.get(..DIGITS)?;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + usize::from(digit - b'0'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(reply: Reply) -> Publication {
        Publication::new(reply, 128, 100_003, "bench", 1_000).unwrap()
    }

    #[test]
    fn a_delivery_has_the_size_asked_for_and_names_its_publisher() {
        for reply in [Reply::Same, Reply::Ack, Reply::Packet, Reply::AnyPacket, Reply::Event] {
            let mut publication = publication(reply);
            let delivery = publication.delivery(7).to_vec();
            assert_eq!(delivery.len(), 128);
            assert_eq!(Delivery::of(reply).publisher(&delivery), Some(100_003));
        }
    }

    #[test]
    fn a_delivery_carries_the_data_of_its_request() {
        let mut publication = publication(Reply::Ack);
        let delivered: serde_json::Value = serde_json::from_slice(publication.delivery(7)).unwrap();
        let request: serde_json::Value = serde_json::from_slice(publication.request(7)).unwrap();
        assert_eq!(delivered["data"], request["data"]["data"]);
    }

    #[test]
    fn an_ack_that_counts_other_members_is_refused() {
        let wrong = [br#"{"ack":1000000000,"data":999}"#.as_slice(), br#"{"ack":1000000001,"data":1000}"#];
        for text in wrong {
            assert!(publication(Reply::Ack).check_ack(text).is_err());
        }
        assert!(publication(Reply::Ack).check_ack(br#"{"ack":1000000000,"data":1000}"#).is_ok());
    }

    #[test]
    fn a_delivery_too_small_to_name_its_publisher_is_refused() {
        assert!(Publication::new(Reply::Ack, 64, 100_003, "bench", 1_000).is_err());
    }

    #[test]
    fn what_nobody_answers_is_delivered_all_the_same() {
        let mut publication = Publication::unanswered(Reply::Ack, 128, 100_003, "bench").unwrap();
        let request: serde_json::Value = serde_json::from_slice(publication.request(7)).unwrap();
        assert_eq!(request.get("id"), None);
        let delivery = serde_json::json!({ "event": "message", "data": request["data"]["data"] });
        let delivered: serde_json::Value = serde_json::from_slice(publication.delivery(7)).unwrap();
        assert_eq!(delivered, delivery);
    }

    #[test]
    fn acks_in_any_order_count_once_they_have_no_gap() {
        let mut publication = publication(Reply::AnyPacket);
        publication.check_ack(b"431000000001[true]").unwrap();
        assert_eq!(publication.acked(), 0);
        assert!(publication.check_ack(b"431000000001[true]").is_err());
        publication.check_ack(b"431000000000[true]").unwrap();
        assert_eq!(publication.acked(), 2);
    }
}

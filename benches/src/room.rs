//! A room as the generator sees it: what was said, and who has yet to hear it.

use std::cell::RefCell;

use tokio::sync::Notify;

use crate::{
    Result,
    publication::{Delivery, Publication},
    script::Reply,
    template::differs,
    turn::Turn,
};

/// Publishers are numbered from here on, so that all numbers have as many digits.
const FIRST: usize = 100_000;

/// One room and everything that is under way in it.
#[derive(Debug)]
pub(crate) struct Room {
    voices: RefCell<Vec<Voice>>,
    progress: Vec<Notify>,
    members: usize,
    pace: Pace,
    /// The number of the first publisher.
    first: usize,
    deliveries: Delivery,
}

/// How much of a publisher is under way at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Messages at most.
    pub(crate) window: u64,
    /// How many of them must be through before it says more: 1 to go on at once, the window for bursts.
    pub(crate) step: u64,
}

/// One publisher: what it says, and how far everybody has heard it.
#[derive(Debug)]
struct Voice {
    script: Publication,
    /// The messages under way, number `n` at `n % window`.
    said: Vec<Said>,
    sent: u64,
    heard: u64,
    writes: u64,
}

/// A message under way.
#[derive(Debug, Default)]
struct Said {
    expected: Vec<u8>,
    missing: usize,
}

/// How far one member has heard each publisher.
pub(crate) type Heard = Vec<Turn>;

impl Voice {
    /// Lets pass what everybody has heard; returns whether there was something.
    fn pass(&mut self, window: u64) -> bool {
        let before = self.heard;
        while self.heard < self.sent && self.said[(self.heard % window) as usize].missing == 0 {
            self.heard += 1;
        }
        before < self.heard
    }
}

impl Room {
    /// A room for `members` on a server that answers so, with publishers that each keep their `pace`.
    /// `script` makes a publisher's messages from its number.
    pub(crate) fn new(
        reply: Reply,
        members: usize,
        pace: Pace,
        publishers: std::ops::Range<usize>,
        script: impl Fn(usize) -> Result<Publication>,
    ) -> Result<Self> {
        let first = FIRST + publishers.start;
        let voices = publishers.map(|publisher| {
            let said = (0..pace.window).map(|_| Said::default()).collect();
            Ok(Voice { script: script(FIRST + publisher)?, said, sent: 0, heard: 0, writes: 0 })
        });
        let voices: Vec<Voice> = voices.collect::<Result<_>>()?;
        let progress = voices.iter().map(|_| Notify::new()).collect();
        let deliveries = Delivery::of(reply);
        Ok(Self { voices: RefCell::new(voices), progress, members, pace, first, deliveries })
    }

    /// The number of its first publisher.
    pub(crate) fn first(&self) -> usize {
        self.first
    }

    /// Where a member starts.
    pub(crate) fn nothing_heard(&self) -> Heard {
        vec![Turn::default(); self.progress.len()]
    }

    /// Hands to `send` what `publisher` may say now: up to message number `end`, no more than the window under way.
    pub(crate) fn say(&self, publisher: usize, end: u64, mut send: impl FnMut(&[u8])) {
        let voice = &mut self.voices.borrow_mut()[publisher];
        let until = end.min(voice.heard + self.pace.window);
        if until - voice.sent < self.pace.step.min(end - voice.sent) {
            return;
        }
        voice.writes += u64::from(voice.sent < until);
        while voice.sent < until {
            let said = &mut voice.said[(voice.sent % self.pace.window) as usize];
            said.missing = self.members;
            said.expected.clear();
            said.expected.extend_from_slice(voice.script.delivery(voice.sent));
            send(voice.script.request(voice.sent));
            voice.sent += 1;
        }
    }

    /// Whether `text` is a message of this room, not an answer.
    pub(crate) fn is_delivery(&self, text: &[u8]) -> bool {
        self.deliveries.is(text)
    }

    /// Checks what a member was sent: the next message of one of the publishers, or any that is under way where the server
    /// keeps no order.
    ///
    /// # Errors
    ///
    /// When it is any other: a lost, doubled, reordered or changed delivery.
    pub(crate) fn hear(&self, heard: &mut [Turn], text: &[u8]) -> Result {
        let mut voices = self.voices.borrow_mut();
        let number = self.deliveries.publisher(text).and_then(|number| number.checked_sub(self.first));
        let (Some(publisher), Some(voice)) = (number, number.and_then(|number| voices.get_mut(number)))
        else {
            return Err(differs(b"a message of a publisher of this room", text));
        };
        let heard = &mut heard[publisher];
        let number = voice.script.number(heard, text).filter(|number| *number < voice.sent);
        let Some(number) = number else {
            return Err(differs(b"nothing, all that was sent had been delivered", text));
        };
        let said = &mut voice.said[(number % self.pace.window) as usize];
        if text != said.expected || !heard.take(number) {
            return Err(differs(&said.expected, text));
        }
        said.missing -= 1;
        if voice.pass(self.pace.window) {
            self.progress[publisher].notify_one();
        }
        Ok(())
    }

    /// Checks an answer to what `publisher` has said.
    ///
    /// # Errors
    ///
    /// When it is another than the one expected.
    pub(crate) fn hear_ack(&self, publisher: usize, text: &[u8]) -> Result {
        self.voices.borrow_mut()[publisher].script.check_ack(text)
    }

    /// How many answers `publisher` has.
    pub(crate) fn acked(&self, publisher: usize) -> u64 {
        self.voices.borrow()[publisher].script.acked()
    }

    /// Waits until everybody has heard more of `publisher`.
    pub(crate) async fn progress(&self, publisher: usize) {
        self.progress[publisher].notified().await;
    }

    /// How many writes the publishers needed.
    pub(crate) fn writes(&self) -> u64 {
        self.voices.borrow().iter().map(|voice| voice.writes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    /// Two members and one publisher, who may have two messages under way.
    fn room() -> Room {
        paced(Reply::Same, 1)
    }

    fn paced(reply: Reply, step: u64) -> Room {
        let script = |publisher| Publication::new(reply, 128, publisher, "bench", 2);
        Room::new(reply, 2, Pace { window: 2, step }, 0..1, script).unwrap()
    }

    fn say(room: &Room, end: u64) -> Vec<Vec<u8>> {
        let mut said = Vec::new();
        room.say(0, end, |text| said.push(text.to_vec()));
        said
    }

    #[test]
    fn a_message_is_under_way_until_the_last_member_has_it() {
        let room = room();
        let (mut one, mut other) = (room.nothing_heard(), room.nothing_heard());
        let said = say(&room, 10);
        assert_eq!(said.len(), 2);
        room.hear(&mut one, &said[0]).unwrap();
        assert!(say(&room, 10).is_empty());
        room.hear(&mut other, &said[0]).unwrap();
        assert_eq!(say(&room, 10).len(), 1);
    }

    #[test]
    fn a_doubled_or_reordered_or_foreign_delivery_is_refused() {
        let room = room();
        let mut heard = room.nothing_heard();
        let said = say(&room, 2);
        assert!(room.hear(&mut heard, &said[1]).is_err());
        room.hear(&mut heard, &said[0]).unwrap();
        assert!(room.hear(&mut heard, &said[0]).is_err());
        room.hear(&mut heard, &said[1]).unwrap();
        assert!(room.hear(&mut heard, &said[1]).is_err());
        assert!(room.hear(&mut heard, br#"{"ack":1,"data":2}"#).is_err());
    }

    #[test]
    fn a_burst_waits_until_the_last_one_is_through() {
        let room = paced(Reply::Same, 2);
        let said = say(&room, 3);
        assert_eq!(said.len(), 2);
        let (mut one, mut other) = (room.nothing_heard(), room.nothing_heard());
        for text in &said {
            room.hear(&mut one, text).unwrap();
        }
        room.hear(&mut other, &said[0]).unwrap();
        assert!(say(&room, 4).is_empty());
        room.hear(&mut other, &said[1]).unwrap();
        assert_eq!(say(&room, 3).len(), 1, "the last burst may be shorter");
    }

    #[test]
    fn where_no_order_is_kept_each_delivery_still_comes_once() {
        let room = paced(Reply::AnyPacket, 1);
        let mut deliveries = Publication::new(Reply::AnyPacket, 128, FIRST, "bench", 2).unwrap();
        let mut heard = room.nothing_heard();
        assert!(room.hear(&mut heard, deliveries.delivery(0)).is_err(), "before it is said");
        say(&room, 2);
        room.hear(&mut heard, deliveries.delivery(1)).unwrap();
        assert!(room.hear(&mut heard, deliveries.delivery(1)).is_err(), "twice");
        room.hear(&mut heard, deliveries.delivery(0)).unwrap();
    }
}

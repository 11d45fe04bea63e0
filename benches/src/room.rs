//! A room as the generator sees it: what was said, and who has yet to hear it.

use std::cell::RefCell;

use tokio::sync::Notify;

use crate::{
    Result,
    script::{Publication, differs},
};

/// Publishers are numbered from here on, so that all numbers have as many digits.
const FIRST: usize = 100_000;

/// One room and everything that is under way in it.
#[derive(Debug)]
pub(crate) struct Room {
    voices: RefCell<Vec<Voice>>,
    progress: Vec<Notify>,
    members: usize,
    window: u64,
    /// The number of the first publisher.
    first: usize,
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
pub(crate) type Heard = Vec<u64>;

impl Room {
    /// A room for `members`, with publishers that each keep up to `window` messages under way.
    /// `script` makes a publisher's messages from its number.
    pub(crate) fn new(
        members: usize,
        window: u64,
        publishers: std::ops::Range<usize>,
        script: impl Fn(usize) -> Result<Publication>,
    ) -> Result<Self> {
        let first = FIRST + publishers.start;
        let voices = publishers.map(|publisher| {
            let said = (0..window).map(|_| Said::default()).collect();
            Ok(Voice { script: script(FIRST + publisher)?, said, sent: 0, heard: 0, writes: 0 })
        });
        let voices: Vec<Voice> = voices.collect::<Result<_>>()?;
        let progress = voices.iter().map(|_| Notify::new()).collect();
        Ok(Self { voices: RefCell::new(voices), progress, members, window, first })
    }

    /// Where a member starts.
    pub(crate) fn nothing_heard(&self) -> Heard {
        vec![0; self.progress.len()]
    }

    /// Hands to `send` what `publisher` may say now: up to message number `end`, no more than the window under way.
    pub(crate) fn say(&self, publisher: usize, end: u64, mut send: impl FnMut(&[u8])) {
        let voice = &mut self.voices.borrow_mut()[publisher];
        let until = end.min(voice.heard + self.window);
        voice.writes += u64::from(voice.sent < until);
        while voice.sent < until {
            let said = &mut voice.said[(voice.sent % self.window) as usize];
            said.missing = self.members;
            said.expected.clear();
            said.expected.extend_from_slice(voice.script.delivery(voice.sent));
            send(voice.script.request(voice.sent));
            voice.sent += 1;
        }
    }

    /// Checks what a member was sent: the next message of one of the publishers.
    ///
    /// # Errors
    ///
    /// When it is any other: a lost, doubled, reordered or changed delivery.
    pub(crate) fn hear(&self, heard: &mut [u64], text: &[u8]) -> Result {
        let mut voices = self.voices.borrow_mut();
        let number = Publication::publisher(text).and_then(|number| number.checked_sub(self.first));
        let (Some(publisher), Some(voice)) = (number, number.and_then(|number| voices.get_mut(number)))
        else {
            return Err(differs(b"a message of a publisher of this room", text));
        };
        let next = heard[publisher];
        if next == voice.sent {
            return Err(differs(b"nothing, all that was sent had been delivered", text));
        }
        let said = &mut voice.said[(next % self.window) as usize];
        if text != said.expected {
            return Err(differs(&said.expected, text));
        }
        heard[publisher] += 1;
        said.missing -= 1;
        if said.missing == 0 {
            // Everybody hears in order, so the messages before it are through as well.
            voice.heard = next + 1;
            self.progress[publisher].notify_one();
        }
        Ok(())
    }

    /// Checks the ack of message number `n`: it was for every member.
    ///
    /// # Errors
    ///
    /// When it is another.
    pub(crate) fn acked(&self, publisher: usize, n: u64, text: &[u8]) -> Result {
        self.voices.borrow_mut()[publisher].script.check_ack(n, self.members, text)
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
    use crate::script::Reply;

    /// Two members and one publisher, who may have two messages under way.
    fn room() -> Room {
        let script = |publisher| Publication::new(Reply::Same, 128, publisher, "bench");
        Room::new(2, 2, 0..1, script).unwrap()
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
}

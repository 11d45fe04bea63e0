//! Random frames, good and damaged, however the bytes arrive: the same verdict as the library's own server's.

use super::{BOUNDS, Codec, Outcome, Received, Violation, kind, plain_server};

/// Conversations of a few frames each.
const CONVERSATIONS: usize = 4_000;

const LENGTHS: [usize; 12] = [0, 1, 2, 5, 7, 8, 9, 31, 124, 125, 126, 127];
const LARGE: [usize; 6] = [1_000, 4_096, 16_384, 65_535, 65_536, 65_537];
/// With parts of characters that another fragment may go on with.
const PIECES: [&[u8]; 9] =
    [b"a", b"text", "ä".as_bytes(), "🦀".as_bytes(), b"\xf0\x9f", b"\xa6\x80", b"\xc3", b"\xa4", b"\xff"];

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn payload(&mut self) -> Vec<u8> {
        if self.below(2) == 0 {
            let pieces = if self.below(3) == 0 { PIECES.len() } else { 4 };
            return (0..self.below(6)).flat_map(|_| PIECES[self.below(pieces)].to_vec()).collect();
        }
        let length = match self.below(12) {
            0 => LARGE[self.below(LARGE.len())],
            _ => LENGTHS[self.below(LENGTHS.len())],
        };
        (0..length).map(|at| b'a' + (at % 26) as u8).collect()
    }

    /// A frame of a client, mostly in its place.
    fn frame(&mut self, in_message: bool) -> Vec<u8> {
        let fin = if self.below(3) == 0 { 0 } else { 0x80 };
        let (first, mut payload) = match self.below(40) {
            0 => (0x88, [b"\x03\xe8", &*self.payload()].concat()),
            1 => (0x88, self.payload()),
            2 => (self.below(256) as u8, self.payload()),
            3..7 => (0x89, self.payload()),
            7..9 => (0x8a, self.payload()),
            _ if in_message => (fin, self.payload()),
            _ => (fin | (1 + self.below(2) as u8), self.payload()),
        };
        if first & 8 != 0 && self.below(20) > 0 {
            payload.truncate(125);
        }
        let mask = match self.below(8) {
            0 => [0; 4],
            _ => (self.0 as u32).to_ne_bytes(),
        };
        let mut frame = Vec::new();
        super::framing::write_header(&mut frame, first, payload.len());
        frame[1] |= 0x80;
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn conversation(&mut self) -> Vec<u8> {
        let (mut input, mut in_message) = (Vec::new(), false);
        for _ in 0..=self.below(8) {
            let frame = self.frame(in_message);
            if frame[0] & 8 == 0 {
                in_message = frame[0] & 0x80 == 0;
            }
            input.extend(frame);
        }
        if self.below(4) == 0 {
            let (at, bit) = (self.below(input.len().min(64)), self.below(8));
            input[at] ^= 1 << bit;
        }
        if self.below(8) == 0 {
            input.truncate(self.below(input.len()));
        }
        input
    }

    /// Feeds `input` in pieces: frames that come whole, and frames cut anywhere.
    fn feed(&mut self, mut input: &[u8]) -> Outcome {
        let mut codec = Codec::default();
        let mut outcome =
            Outcome { received: Vec::new(), failure: None, output: Vec::new(), unfinished: false };
        while !input.is_empty() && outcome.failure.is_none() {
            let most = [3, 40, 400, input.len()][self.below(4)].min(input.len());
            let (mut piece, rest) = input.split_at(1 + self.below(most));
            input = rest;
            loop {
                match codec.decode(&mut piece, &mut outcome.output, &BOUNDS) {
                    Ok(Some(received)) => outcome.received.push(received),
                    Ok(None) => break,
                    Err(violation) => outcome.failure = Some(violation),
                }
                if outcome.failure.is_some()
                    || matches!(outcome.received.last(), Some(Received::Close { .. }))
                {
                    return outcome;
                }
            }
        }
        outcome
    }
}

/// The library puts up with these.
fn is_stricter(failure: Option<Violation>) -> bool {
    let stricter = ["frame length is not minimal", "frame length out of range", "invalid close code"];
    matches!(failure, Some(Violation::Protocol(text)) if stricter.contains(&text))
}

#[test]
fn random_frames_are_judged_as_the_library_judges_them() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut received, mut judged) = (0, 0);
    for _ in 0..CONVERSATIONS {
        let input = random.conversation();
        let ours = random.feed(&input);
        if is_stricter(ours.failure) {
            continue;
        }
        let (theirs, failure, output) = plain_server(&input, &BOUNDS);
        assert_eq!(ours.received, theirs, "{input:?}");
        match (ours.failure.map(kind), failure.map(kind)) {
            // What a header shows is known before the library has the whole frame.
            (Some(_), None) => {}
            // Of two faults in one header, the other one.
            (Some(Violation::Protocol(_)), Some(Violation::TooLarge)) => {}
            (ours, theirs) => {
                assert_eq!(ours, theirs, "{input:?}");
                judged += usize::from(theirs.is_some());
            }
        }
        assert_eq!(ours.output, output, "{input:?}");
        received += ours.received.len();
    }
    assert!(received > CONVERSATIONS && judged > CONVERSATIONS / 10, "{received} {judged}");
}

//! The codec by itself: bytes in, messages and answers out, and the same verdicts as the library's own server.

mod agreement;

use bytes::Bytes;
use narthex_core::Frame;

use super::{Bounds, Codec, Received, Violation, context::plain_server, framing};

const BOUNDS: Bounds = Bounds { message: 64 * 1024, frame: 64 * 1024, fragments: 1024 };
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked client frame: first byte, payload.
fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    framing::write_frame(&mut frame, first, payload);
    let header = frame.len() - payload.len();
    frame[1] |= 0x80;
    let masked = frame.split_off(header);
    frame.extend_from_slice(&MASK);
    frame.extend(masked.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn text(payload: &str) -> Vec<u8> {
    client(0x81, payload.as_bytes())
}

#[derive(Debug, PartialEq)]
struct Outcome {
    received: Vec<Received>,
    failure: Option<Violation>,
    output: Vec<u8>,
    unfinished: bool,
}

/// Feeds `input` in pieces of `size` bytes.
fn feed(input: &[u8], size: usize, bounds: &Bounds) -> Outcome {
    let mut codec = Codec::default();
    let mut outcome = Outcome { received: Vec::new(), failure: None, output: Vec::new(), unfinished: false };
    'pieces: for mut piece in input.chunks(size) {
        loop {
            match codec.decode(&mut piece, &mut outcome.output, bounds) {
                Ok(Some(Received::Close { code, text })) => {
                    outcome.received.push(Received::Close { code, text });
                    break 'pieces;
                }
                Ok(Some(received)) => outcome.received.push(received),
                Ok(None) => break,
                Err(violation) => {
                    outcome.failure = Some(violation);
                    break 'pieces;
                }
            }
        }
    }
    outcome.unfinished = codec.is_unfinished();
    outcome
}

/// Feeds whole, in odd pieces and byte by byte, and holds the outcome against the library's own server's.
fn decode(input: &[u8]) -> Outcome {
    let whole = feed(input, usize::MAX, &BOUNDS);
    for size in [1, 2, 7, 513] {
        assert_eq!(feed(input, size, &BOUNDS), whole, "in pieces of {size}");
    }
    whole
}

fn agrees(input: &[u8]) -> Outcome {
    let ours = decode(input);
    let (received, failure, output) = plain_server(input, &BOUNDS);
    assert_eq!(ours.received, received);
    assert_eq!(ours.output, output);
    assert_eq!(ours.failure.map(kind), failure.map(kind));
    ours
}

/// Fails with a protocol error, as the library's own server does.
fn breaks_protocol(input: &[u8]) {
    let ours = agrees(input);
    assert!(matches!(ours.failure, Some(Violation::Protocol(_))), "{ours:?}");
}

fn kind(violation: Violation) -> Violation {
    match violation {
        Violation::Protocol(_) => Violation::Protocol(""),
        other => other,
    }
}

#[test]
fn messages_come_out_whole_however_the_bytes_arrive() {
    let mut input = text("hello");
    input.extend(client(0x82, &[0, 255, 7]));
    input.extend(text(""));
    input.extend(client(0x82, &[9; 126]));
    input.extend(client(0x82, &vec![8; 65_535]));
    input.extend(client(0x82, &vec![7; 65_536]));
    let outcome = agrees(&input);
    let lens: Vec<_> =
        outcome.received.iter().map(|r| matches!(r, Received::Frame(f) if f.payload().len() < 9)).collect();
    assert_eq!(lens, [true, true, true, false, false, false]);
    assert_eq!(outcome.received[0], Received::Frame(Frame::text("hello")));
    assert!(!outcome.unfinished);
}

#[test]
fn fragments_join_even_where_a_character_is_split() {
    let word = "naïve 🦀 text".as_bytes();
    for cut in 1..word.len() {
        let mut input = client(0x01, &word[..cut]);
        input.extend(client(0x89, b"in between"));
        input.extend(client(0x00, b""));
        input.extend(client(0x80, &word[cut..]));
        let outcome = agrees(&input);
        assert_eq!(
            outcome.received,
            [Received::Control, Received::Frame(Frame::Text(Bytes::from_static("naïve 🦀 text".as_bytes())))]
        );
        assert_eq!(outcome.output, [&[0x8a, 10][..], b"in between"].concat());
    }
}

#[test]
fn text_that_is_not_utf8_fails_at_the_end_of_the_frame_that_shows_it() {
    for bad in [&b"\xff"[..], b"ok \xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"cut \xf0\x9f\xa6"] {
        assert_eq!(agrees(&client(0x81, bad)).failure, Some(Violation::Utf8));
    }
    // The first fragment is enough, no end of the message is needed.
    assert_eq!(agrees(&client(0x01, b"ab\xff")).failure, Some(Violation::Utf8));
    let mut split = client(0x01, "🦀".as_bytes().split_at(2).0);
    split.extend(client(0x80, b"x"));
    assert_eq!(agrees(&split).failure, Some(Violation::Utf8));
}

#[test]
fn reserved_bits_and_opcodes_fail() {
    for bits in [0x40, 0x20, 0x10, 0x70] {
        breaks_protocol(&client(0x81 | bits, b"x"));
        breaks_protocol(&client(0x89 | bits, b"x"));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        breaks_protocol(&client(0x80 | opcode, b""));
    }
}

#[test]
fn control_frames_are_short_and_whole() {
    for opcode in [0x88, 0x89, 0x8a] {
        breaks_protocol(&client(opcode, &[b'x'; 126]));
        breaks_protocol(&client(opcode & 0x0f, b"xy"));
    }
    let full = agrees(&client(0x89, &[b'x'; 125]));
    assert_eq!(full.received, [Received::Control]);
    assert_eq!(full.output.len(), 127);
    assert_eq!(agrees(&client(0x8a, b"unasked")).received, [Received::Control]);
}

#[test]
fn fragments_follow_their_order() {
    breaks_protocol(&client(0x80, b"x"));
    breaks_protocol(&client(0x00, b"x"));
    for second in [0x01, 0x81, 0x02, 0x82] {
        breaks_protocol(&[client(0x01, b"x"), client(second, b"y")].concat());
    }
}

#[test]
fn an_unmasked_frame_fails() {
    breaks_protocol(&[0x81, 0x02, b'h', b'i']);
    breaks_protocol(&[0x89, 0x00]);
}

#[test]
fn a_close_frame_is_echoed() {
    let outcome = agrees(&client(0x88, b"\x03\xe8bye"));
    assert_eq!(outcome.received, [Received::Close { code: 1000, text: "bye".to_owned() }]);
    assert_eq!(outcome.output, b"\x88\x05\x03\xe8bye");
    let bare = agrees(&client(0x88, b""));
    assert_eq!(bare.received, [Received::Close { code: 1005, text: String::new() }]);
    assert_eq!(bare.output, b"\x88\x00");
    for code in [1001_u16, 1003, 1007, 1011, 3000, 4999] {
        let echo = agrees(&client(0x88, &code.to_be_bytes()));
        assert_eq!(echo.output, [&[0x88, 2][..], &code.to_be_bytes()].concat());
    }
}

#[test]
fn a_malformed_close_frame_fails() {
    breaks_protocol(&client(0x88, b"\x03"));
    assert_eq!(agrees(&client(0x88, b"\x03\xe8\xff")).failure, Some(Violation::Utf8));
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        let outcome = decode(&client(0x88, &code.to_be_bytes()));
        assert_eq!(outcome.failure, Some(Violation::Protocol("invalid close code")), "{code}");
        assert_eq!(outcome.output, b"", "the connection writes the close frame of a failure");
    }
}

#[test]
fn lengths_are_minimal_and_have_63_bits() {
    let head = |rest: &[u8]| [&[0x82][..], rest, &MASK, &[0; 8]].concat();
    let not_minimal = Some(Violation::Protocol("frame length is not minimal"));
    assert_eq!(decode(&head(&[0xfe, 0, 125])).failure, not_minimal);
    assert_eq!(decode(&head(&[0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff])).failure, not_minimal);
    let top = decode(&head(&[0xff, 0x80, 0, 0, 0, 0, 0, 0, 1]));
    assert_eq!(top.failure, Some(Violation::Protocol("frame length out of range")));
    let huge = decode(&head(&[0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    assert_eq!(huge.failure, Some(Violation::TooLarge));
}

#[test]
fn too_large_is_known_from_the_header() {
    let bounds = Bounds { message: 100, frame: 60, fragments: 8 };
    let fails = |input: &[u8]| feed(input, usize::MAX, &bounds).failure == Some(Violation::TooLarge);
    assert!(fails(&client(0x82, &[0; 61])[..6]));
    assert!(!fails(&client(0x82, &[0; 60])));
    let three = [client(0x02, &[0; 40]), client(0x00, &[0; 40]), client(0x80, &[0; 21])].concat();
    assert!(fails(&three[..three.len() - 21]));
    // A new message starts from nothing, and control frames do not count.
    let ping = client(0x89, &[0; 125]);
    assert!(!fails(
        &[client(0x02, &[0; 50]), ping.clone(), client(0x80, &[0; 50]), client(0x82, &[0; 60]), ping]
            .concat()
    ));
}

#[test]
fn fragments_are_counted_per_message() {
    let bounds = Bounds { fragments: 3, ..BOUNDS };
    let message = |fragments: usize| {
        let mut input = client(0x01, b"");
        (2..fragments).for_each(|_| input.extend(client(0x00, b"")));
        input.extend(client(0x80, b""));
        input
    };
    assert_eq!(feed(&[message(3), message(3)].concat(), 5, &bounds).failure, None);
    assert_eq!(feed(&message(4), 5, &bounds).failure, Some(Violation::Policy("too many fragments")));
}

#[test]
fn a_context_that_is_lent_on_keeps_the_bounds_of_who_has_it() {
    let large = Bounds { message: 4096, frame: 4096, ..BOUNDS };
    let small = Bounds { message: 16, frame: 16, ..BOUNDS };
    for bounds in [&small, &large, &small, &large] {
        let fits = feed(&client(0x82, &vec![1; bounds.message]), usize::MAX, bounds);
        assert_eq!((fits.received.len(), fits.failure), (1, None));
        let fails = feed(&client(0x82, &vec![1; bounds.message + 1]), usize::MAX, bounds);
        assert_eq!(fails.failure, Some(Violation::TooLarge));
    }
}

#[test]
fn unfinished_is_known_at_every_byte() {
    let message = [client(0x01, b"ab"), client(0x89, b"p"), client(0x80, b"cd")].concat();
    let mut codec = Codec::default();
    let mut out = Vec::new();
    for (at, byte) in message.iter().enumerate() {
        assert_eq!((codec.is_unfinished(), codec.progress()), (at > 0, 0));
        codec.decode(&mut &[*byte][..], &mut out, &BOUNDS).unwrap();
    }
    assert_eq!((codec.is_unfinished(), codec.progress()), (false, 1));
}

#[test]
fn nothing_is_kept_between_messages() {
    let mut codec = Codec::default();
    let mut out = Vec::new();
    let large = client(0x82, &[1; 20_000]);
    for input in [&large, &text("small"), &client(0x89, b"ping")] {
        let (first, last) = input.split_at(input.len() - 1);
        codec.decode(&mut { first }, &mut out, &BOUNDS).unwrap();
        assert!(codec.context.is_some());
        assert!(codec.decode(&mut { last }, &mut out, &BOUNDS).unwrap().is_some());
        assert!(codec.context.is_none());
    }
    assert!(size_of::<Codec>() <= 80, "{}", size_of::<Codec>());
}

#[test]
fn after_our_own_close_frame_all_but_the_answer_is_skipped() {
    let mut codec = Codec::default();
    let mut input = [text("late"), client(0x02, b"never ends")].concat();
    assert_eq!(codec.skip_to_close(&input, &BOUNDS), Ok(false));
    input = client(0x88, b"\x03\xe8");
    for byte in &input[..input.len() - 1] {
        assert_eq!(codec.skip_to_close(&[*byte], &BOUNDS), Ok(false));
    }
    assert_eq!(codec.skip_to_close(&input[input.len() - 1..], &BOUNDS), Ok(true));
    assert!(codec.skip_to_close(&[0xff; 14], &BOUNDS).is_err());
}

#[test]
fn server_frames_have_the_shortest_header() {
    for (len, header) in [
        (0, &[0x82, 0][..]),
        (125, &[0x82, 125]),
        (126, &[0x82, 126, 0, 126]),
        (65_535, &[0x82, 126, 255, 255]),
        (65_536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let payload = vec![7; len];
        let framed = framing::frame(&Frame::binary(payload.clone()));
        assert_eq!(framed, [header, &payload].concat());
    }
    assert_eq!(framing::frame(&Frame::text("é")), &b"\x81\x02\xc3\xa9"[..]);
}

#[test]
fn close_frames_keep_to_what_may_travel() {
    let close = |code, reason: &str| {
        let mut out = Vec::new();
        framing::write_close(&mut out, code, reason);
        out
    };
    assert_eq!(close(1001, "bye"), b"\x88\x05\x03\xe9bye");
    for code in [0, 999, 1004, 1005, 1006, 1015, 2000, 5000] {
        assert_eq!(close(code, "secret"), [0x88, 0], "{code}");
    }
    let long = close(4000, &format!("{}é", "x".repeat(122)));
    assert_eq!(long.len(), 2 + 2 + 122, "cut before the character that does not fit");
    assert_eq!(long[1], 124);
}

//! Texts with places for a number: what a message looks like is made once, and patched in place.

use std::error::Error;

use crate::Result;

/// Numbers start here so that they all have as many digits as [`SLOT`].
const FIRST: u64 = 1_000_000_000;
/// Where the number of a message goes.
pub(crate) const SLOT: &str = "##########";

/// A text with places for a number.
#[derive(Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    slots: Vec<usize>,
}

impl Template {
    /// A template with a place wherever `text` has a [`SLOT`].
    pub(crate) fn new(text: String) -> Self {
        let slots = text.match_indices(SLOT).map(|(at, _)| at).collect();
        Self { bytes: text.into_bytes(), slots }
    }

    /// The text for number `n`.
    pub(crate) fn patch(&mut self, n: u64) -> &[u8] {
        for &slot in &self.slots {
            let mut rest = FIRST + n;
            for byte in self.bytes[slot..slot + SLOT.len()].iter_mut().rev() {
                *byte = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        &self.bytes
    }

    /// The number that `text` has in the first place.
    pub(crate) fn number(&self, text: &[u8]) -> Option<u64> {
        let slot = *self.slots.first()?;
        let digits = text.get(slot..slot + SLOT.len())?;
        std::str::from_utf8(digits).ok()?.parse::<u64>().ok()?.checked_sub(FIRST)
    }
}

/// Data of a message of `size` bytes, told apart by `from`; `message` puts it into its envelope.
///
/// # Errors
///
/// When `size` is too small for the envelope.
pub(crate) fn data(from: usize, size: usize, message: impl Fn(&str) -> String) -> Result<String> {
    // Keys in alphabetical order, so that a server that goes through a sorted map answers the same bytes.
    let data = |pad: &str| format!(r#"{{"from":{from},"pad":"{pad}","seq":{SLOT}}}"#);
    let short = |pad: &str| format!(r#""{from} {SLOT}{pad}""#);
    let shapes: [&dyn Fn(&str) -> String; 2] = [&data, &short];
    let padded = shapes.iter().find_map(|shape| {
        let spare = size.checked_sub(message(&shape("")).len())?;
        Some(shape(&"x".repeat(spare)))
    });
    padded.ok_or_else(|| format!("{size} bytes are too few for the envelope").into())
}

/// The error of a wrong reply.
pub(crate) fn differs(expected: &[u8], got: &[u8]) -> Box<dyn Error + Send + Sync> {
    let show = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    format!("wrong reply\n  expected: {}\n  got:      {}", show(expected), show(got)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_back_from_where_it_was_written() {
        let mut template = Template::new(format!("43{SLOT}[{SLOT}]"));
        let text = template.patch(7).to_vec();
        assert_eq!(text, b"431000000007[1000000007]");
        assert_eq!(template.number(&text), Some(7));
        assert_eq!(template.number(b"1"), None);
        assert_eq!(template.number(br#"42["auth",{}]"#), None);
    }
}

//! JSON depth, counted before anything is parsed.

/// Whether the arrays and objects of `json` nest deeper than `limit`.
///
/// Cheap for ordinary messages: a text with no more brackets than the limit cannot nest deeper.
pub(crate) fn deeper_than(json: &[u8], limit: usize) -> bool {
    json.len() > limit && openings(json) > limit && walk(json, limit)
}

/// How many brackets open. In pieces whose count fits a byte, which compilers turn into vector instructions.
fn openings(json: &[u8]) -> usize {
    // The two differ in one bit, and no other byte has the rest of theirs.
    let opens = |byte: &u8| u8::from(byte | 0x20 == b'{');
    json.chunks(128).map(|piece| usize::from(piece.iter().map(opens).sum::<u8>())).sum()
}

fn walk(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{deeper_than, openings};

    #[test]
    fn depth_is_counted_outside_strings_only() {
        assert!(!deeper_than(br#"{"a":"[[[[[["}"#, 2));
        assert!(!deeper_than(br#"[1,[2],[3],[4]]"#, 2));
        assert!(deeper_than(br#"[1,[2,[3]]]"#, 2));
        assert!(!deeper_than(br#"["\"[[[[",[1],[2]]"#, 2));
        assert!(deeper_than(&[b'['; 100_000], 128));
        assert!(!deeper_than(&[b'['; 128], 128));
        assert!(deeper_than(&[b'['; 129], 128));
    }

    #[test]
    fn exactly_the_two_opening_brackets_are_counted() {
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(openings(&every), 2);
        assert_eq!(openings(&[b'['; 1_000]), 1_000);
    }
}

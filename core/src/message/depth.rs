//! JSON depth, counted before anything is parsed.

/// Whether the arrays and objects of `json` nest deeper than `limit`.
///
/// Cheap for ordinary messages: a text with no more brackets than the limit cannot nest deeper.
pub(crate) fn deeper_than(json: &[u8], limit: usize) -> bool {
    let opening = json.iter().filter(|b| matches!(b, b'[' | b'{')).count();
    opening > limit && walk(json, limit)
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
    use super::deeper_than;

    #[test]
    fn depth_is_counted_outside_strings_only() {
        assert!(!deeper_than(br#"{"a":"[[[[[["}"#, 2));
        assert!(!deeper_than(br#"[1,[2],[3],[4]]"#, 2));
        assert!(deeper_than(br#"[1,[2,[3]]]"#, 2));
        assert!(!deeper_than(br#"["\"[[[[",[1],[2]]"#, 2));
        assert!(deeper_than(&[b'['; 100_000], 128));
    }
}

//! `Sec-WebSocket-Key`: base64 of exactly 16 bytes (RFC 6455 section 4.2.1, item 5).

/// 22 characters of the alphabet and two of padding, where the 22nd carries two bits and four zeros.
pub(super) fn is_valid(key: &[u8]) -> bool {
    match key {
        [body @ .., last, b'=', b'='] if body.len() == 21 => {
            body.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
                && matches!(last, b'A' | b'Q' | b'g' | b'w')
        }
        _ => false,
    }
}

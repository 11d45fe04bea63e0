//! What is said on the paths: 128-byte messages, and the answers that must come.

/// Bytes of a message.
const SIZE: usize = 128;
/// Numbers start here so that all have as many digits.
const FIRST: u64 = 1_000_000_000;

/// The data of message number `n`, in a request of the default envelope that has 128 bytes.
fn data(n: u64) -> String {
    let number = FIRST + n;
    let rest = r#"{"event":"echo","data":{"from":100000,"pad":"","seq":},"id":}"#.len() + 20;
    format!(r#"{{"from":100000,"pad":"{}","seq":{number}}}"#, "x".repeat(SIZE - rest))
}

/// Request number `n` in the default envelope.
pub(crate) fn request(n: u64) -> String {
    format!(r#"{{"event":"echo","data":{},"id":{}}}"#, data(n), FIRST + n)
}

/// The answer to it.
pub(crate) fn ack(n: u64) -> String {
    format!(r#"{{"ack":{},"data":{}}}"#, FIRST + n, data(n))
}

/// The same request as a Socket.IO packet.
pub(crate) fn packet(n: u64) -> String {
    format!(r#"42{}["echo",{}]"#, FIRST + n, data(n))
}

/// The answer to that.
pub(crate) fn ack_packet(n: u64) -> String {
    format!("43{}[{}]", FIRST + n, data(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_128_bytes_and_is_json() {
        let request = request(7);
        assert_eq!(request.len(), SIZE);
        let value: serde_json::Value = serde_json::from_str(&request).unwrap();
        assert_eq!(value["id"], FIRST + 7);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&ack(7)).unwrap()["data"], value["data"]);
    }
}

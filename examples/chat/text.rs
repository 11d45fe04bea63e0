//! The bounds of names. (Rooms have theirs from Narthex, messages from their types: `messages.rs`.)

use narthex::Denied;

/// What a client calls itself: 1 to 40 characters, no control characters.
pub(crate) fn check_name(name: &str) -> Result<(), Denied> {
    match name.chars().count() {
        1..=40 if name.chars().any(char::is_control) => {
            Err(Denied::bad_request("a name must not have control characters"))
        }
        1..=40 => Ok(()),
        _ => Err(Denied::bad_request("a name has 1 to 40 characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_count_characters_not_bytes() {
        assert!(check_name(&"ü".repeat(40)).is_ok());
        assert!(check_name(&"ü".repeat(41)).is_err());
    }

    #[test]
    fn nothing_is_no_name() {
        assert!(check_name("").is_err());
    }

    #[test]
    fn a_name_has_one_line() {
        assert!(check_name("a\nb").is_err());
    }
}

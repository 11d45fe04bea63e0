//! The bounds of the texts that clients choose. (Rooms have theirs from Narthex: joining checks them.)

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

/// What a message says: 1 to 1000 characters.
pub(crate) fn check_content(content: &str) -> Result<(), Denied> {
    match content.chars().count() {
        1..=1000 => Ok(()),
        _ => Err(Denied::bad_request("a message has 1 to 1000 characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_count_characters_not_bytes() {
        assert!(check_name(&"ü".repeat(40)).is_ok());
        assert!(check_name(&"ü".repeat(41)).is_err());
        assert!(check_content(&"ü".repeat(1000)).is_ok());
        assert!(check_content(&"ü".repeat(1001)).is_err());
    }

    #[test]
    fn nothing_is_neither_a_name_nor_a_message() {
        assert!(check_name("").is_err());
        assert!(check_content("").is_err());
    }

    #[test]
    fn a_message_may_have_several_lines_and_a_name_may_not() {
        assert!(check_content("a\nb").is_ok());
        assert!(check_name("a\nb").is_err());
    }
}

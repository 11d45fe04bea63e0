//! Whose turn it is: numbers that must come in order, or in any order but each once.

use std::collections::BTreeSet;

/// What has come of a row of numbers.
#[derive(Debug, Default, Clone)]
pub(crate) struct Turn {
    /// All below this have come.
    next: u64,
    /// Those that came before their turn.
    ahead: BTreeSet<u64>,
}

impl Turn {
    /// How many have come without a gap.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Whether `n` has not come before.
    pub(crate) fn take(&mut self, n: u64) -> bool {
        if n != self.next {
            return n > self.next && self.ahead.insert(n);
        }
        self.next += 1;
        while self.ahead.remove(&self.next) {
            self.next += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_comes_once_in_any_order() {
        let mut turn = Turn::default();
        assert!(turn.take(1));
        assert!(!turn.take(1));
        assert_eq!(turn.next(), 0);
        assert!(turn.take(0));
        assert_eq!(turn.next(), 2);
        assert!(!turn.take(0));
    }
}

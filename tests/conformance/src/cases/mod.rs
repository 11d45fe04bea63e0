//! The cases, by what they are about.

mod acks;
mod connect;
mod contract;
mod drain;
mod end;
mod failures;
mod handshake;
mod order;
mod panics;
mod rooms;
mod slow;
mod streams;
mod wire;

use std::fmt;

use crate::{
    door::{Boxed, Need},
    kit::{Kit, Outcome},
};

/// One sentence about behaviour, and how it is shown.
#[derive(Clone, Copy)]
pub struct Case {
    name: &'static str,
    /// The sentences of the contract that it checks.
    sentences: &'static [u8],
    needs: &'static [Need],
    run: for<'a> fn(Kit<'a>) -> Boxed<'a, Outcome>,
}

impl Case {
    /// The sentence.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Which numbered sentences of the contract it checks; none where it checks a promise of the core.
    pub fn sentences(&self) -> &'static [u8] {
        self.sentences
    }

    /// What the door must be able to do for it.
    pub fn needs(&self) -> &'static [Need] {
        self.needs
    }

    pub(crate) fn start<'a>(&self, kit: Kit<'a>) -> Boxed<'a, Outcome> {
        (self.run)(kit)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All cases.
pub fn cases() -> Vec<Case> {
    let all = [
        contract::CASES,
        handshake::CASES,
        connect::CASES,
        order::CASES,
        acks::CASES,
        failures::CASES,
        panics::CASES,
        streams::CASES,
        rooms::CASES,
        wire::CASES,
        slow::CASES,
        end::CASES,
        drain::CASES,
    ];
    all.concat()
}

/// A list of cases: the function, its sentence, the contract's sentences that it checks, what it needs.
macro_rules! list {
    ($($run:ident: $name:literal, [$($sentence:literal)*], [$($need:ident)*];)*) => {
        pub(super) const CASES: &[$crate::cases::Case] = &[$($crate::cases::Case {
            name: $name,
            sentences: &[$($sentence),*],
            needs: &[$($crate::door::Need::$need),*],
            run: |kit| Box::pin($run(kit)),
        }),*];
    };
}
use list;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::cases;

    #[test]
    fn every_sentence_of_the_contract_that_a_peer_can_see_has_a_case() {
        let checked: HashSet<u8> = cases().iter().flat_map(|case| case.sentences()).copied().collect();
        for sentence in 1..=17 {
            assert!(checked.contains(&sentence) || sentence == 12, "{sentence}");
        }
    }

    #[test]
    fn no_two_cases_have_the_same_name() {
        let names: HashSet<_> = cases().iter().map(super::Case::name).collect();
        assert_eq!(names.len(), cases().len());
    }
}

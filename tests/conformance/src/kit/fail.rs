//! Why a case does not hold, and where it noticed.

use std::{fmt, panic::Location};

use crate::door::{Gone, Refused};

/// Why a case does not hold, and where it noticed.
#[derive(Clone, Debug)]
pub struct Fail {
    what: String,
    at: &'static Location<'static>,
}

/// What a case comes to.
pub(crate) type Outcome<T = ()> = Result<T, Fail>;

#[track_caller]
pub(crate) fn fail(what: impl Into<String>) -> Fail {
    Fail { what: what.into(), at: Location::caller() }
}

#[track_caller]
pub(crate) fn ensure(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(fail(format!("not so: {what}"))) }
}

#[track_caller]
pub(crate) fn same<A: PartialEq<B> + fmt::Debug, B: fmt::Debug>(got: A, want: B) -> Outcome {
    if got == want { Ok(()) } else { Err(fail(format!("got {got:?}, want {want:?}"))) }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.what, self.at.file(), self.at.line())
    }
}

macro_rules! failures {
    ($($error:ty)*) => {
        $(impl From<$error> for Fail {
            #[track_caller]
            fn from(error: $error) -> Self {
                fail(format!("{error:?}"))
            }
        })*
    };
}

failures!(narthex_core::Error serde_json::Error Gone Refused);

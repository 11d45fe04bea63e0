//! What cases are made of.

mod fail;
mod guest;
mod house;
mod probe;

use crate::door::Door;

pub use self::fail::Fail;
pub(crate) use self::{
    fail::{Outcome, ensure, fail, same},
    guest::{Guest, Heard, json, message_of},
    house::House,
    probe::{Notes, Probe, soon, until},
};

/// What a case is given: the door, to open servers behind.
#[derive(Clone, Copy)]
pub(crate) struct Kit<'a> {
    pub(crate) door: &'a dyn Door,
}

impl<'a> Kit<'a> {
    pub(crate) fn new(door: &'a dyn Door) -> Self {
        Self { door }
    }
}

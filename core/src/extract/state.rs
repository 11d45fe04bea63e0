//! State that the application gives to its handlers.

use std::any::{TypeId, type_name};

use http::Extensions;

use super::{Event, FromEvent};
use crate::reply::Denied;

/// A value given to the gateway or the server with `.state(value)`.
///
/// A server whose handlers ask for a state that nobody gave does not start.
#[derive(Clone, Copy, Debug, Default)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromEvent for State<T> {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Denied> {
        let state = event.matched.states.get::<T>().cloned();
        state
            .map(Self)
            .ok_or_else(|| Denied::internal(format!("no state of type {} was given", type_name::<T>())))
    }

    fn needs(needs: &mut Needs) {
        needs.state::<T>();
    }
}

/// What handlers, guards and hooks need to have been given. Checked at start.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    states: Vec<Need>,
    ack: bool,
}

#[derive(Clone, Debug)]
struct Need {
    id: TypeId,
    name: &'static str,
    has: fn(&Extensions) -> bool,
}

impl Needs {
    /// A state of type `T` is needed.
    pub fn state<T: Clone + Send + Sync + 'static>(&mut self) {
        if self.states.iter().all(|need| need.id != TypeId::of::<T>()) {
            self.states.push(Need {
                id: TypeId::of::<T>(),
                name: type_name::<T>(),
                has: |states| states.get::<T>().is_some(),
            });
        }
    }

    /// What others need is needed too.
    pub(crate) fn extend(&mut self, others: &Self) {
        for other in &others.states {
            if self.states.iter().all(|need| need.id != other.id) {
                self.states.push(other.clone());
            }
        }
        self.ack |= others.ack;
    }

    /// What an extractor wants that may do without: no state must be given, but an ack may be taken.
    pub(crate) fn extend_optional<T: FromEvent>(&mut self) {
        let mut inner = Self::default();
        T::needs(&mut inner);
        self.ack |= inner.ack;
    }

    /// The [`Ack`](super::Ack) is taken: the session keeps count of who answers.
    pub fn ack(&mut self) {
        self.ack = true;
    }

    pub(crate) fn takes_ack(&self) -> bool {
        self.ack
    }

    /// The name of the first type that is missing.
    pub(crate) fn missing(&self, states: &Extensions) -> Option<&'static str> {
        self.states.iter().find(|need| !(need.has)(states)).map(|need| need.name)
    }
}

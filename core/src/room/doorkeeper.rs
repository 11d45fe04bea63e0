//! Who may join which room.

use std::any::Any;

/// Says which rooms are guarded. What else it knows is the gateway's matter, which finds it by its type.
pub(crate) trait Doorkeeper: Any + Send + Sync {
    /// Whether a client must ask before it joins this room.
    fn guards(&self, room: &str) -> bool;
}

//! The in-memory adapter: the reference that all others are measured by.

mod adapter;
#[cfg(feature = "testing")]
mod testing;

pub use self::adapter::{Memory, MemoryConnector, MemoryPeer};
#[cfg(feature = "testing")]
pub use self::testing::{TestClient, TestMessage, TestServer};

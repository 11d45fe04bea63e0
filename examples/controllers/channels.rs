//! Channels: which users belong to them is kept, which connections are in them is their room.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use narthex::{Client, Denied, DeniedKind, check_name};
use serde::Serialize;
use uuid::Uuid;

use crate::user::User;

/// How many channels there may be.
const MAX_CHANNELS: usize = 10_000;

/// A channel, as it is kept.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Channel {
    pub(crate) id: Uuid,
    /// Unique; the name of its room.
    pub(crate) name: String,
    pub(crate) user_ids: Vec<String>,
}

/// All channels, in memory.
#[derive(Debug, Default)]
pub(crate) struct Channels(Mutex<HashMap<Uuid, Channel>>);

impl Channels {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Channel>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// `BadRequest` for what cannot be a name, `Conflict` for one that is taken.
    pub(crate) fn create(&self, name: String) -> Result<Channel, Denied> {
        check_name(&name)?;
        let mut channels = self.lock();
        if channels.values().any(|channel| channel.name == name) {
            return Err(Denied::new(DeniedKind::Conflict, format!("There is a channel \"{name}\" already.")));
        }
        if channels.len() == MAX_CHANNELS {
            return Err(Denied::new(DeniedKind::Conflict, "There are too many channels."));
        }
        let channel = Channel { id: Uuid::now_v7(), name, user_ids: Vec::new() };
        channels.insert(channel.id, channel.clone());
        Ok(channel)
    }

    /// # Errors
    /// `NotFound`.
    pub(crate) fn find(&self, id: &str) -> Result<Channel, Denied> {
        let found = id.parse().ok().and_then(|id: Uuid| self.lock().get(&id).cloned());
        found.ok_or_else(|| Denied::not_found(format!("Could not find channel with id \"{id}\".")))
    }

    /// Puts a connection into a channel, and its user among the channel's.
    ///
    /// # Errors
    /// `NotFound`, and those of [`Client::join`].
    pub(crate) fn join(&self, client: &Client, id: &str) -> Result<(), Denied> {
        let channel = self.find(id)?;
        if client.is_in(&channel.name) {
            let (client, name) = (client.id(), &channel.name);
            tracing::warn!("The connection with id {client} has already joined the channel {name}.");
            return Ok(());
        }
        client.join(&channel.name)?;
        self.change(&channel.id, client, |users, user| {
            if !users.contains(&user) {
                users.push(user);
            }
        });
        Ok(())
    }

    /// Takes a connection out of a channel, and its user from the channel's: their other connections hear on, but belong to it no
    /// more.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn leave(&self, client: &Client, id: &str) -> Result<(), Denied> {
        let channel = self.find(id)?;
        client.leave(&channel.name);
        self.change(&channel.id, client, |users, user| users.retain(|other| *other != user));
        Ok(())
    }

    fn change(&self, id: &Uuid, client: &Client, change: impl FnOnce(&mut Vec<String>, String)) {
        if let (Some(user), Some(channel)) = (User::connected(client), self.lock().get_mut(id)) {
            change(&mut channel.user_ids, user.id);
        }
    }
}

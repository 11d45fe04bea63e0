//! Who is and was in the rooms.

use std::collections::HashMap;

use narthex::ClientId;
use serde_json::Value;

use crate::messages::Participant;

/// How many participants a room lists. For one more, the first who has left is forgotten.
pub(crate) const MAX_PARTICIPANTS: usize = 100;

/// The participants of all rooms, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Participants {
    by_room: HashMap<String, Vec<(ClientId, Participant)>>,
    rooms_of: HashMap<ClientId, Vec<String>>,
}

impl Participants {
    /// Takes a client in, or takes what it newly says of itself; false where the room is full of those who are there.
    pub(crate) fn enter(&mut self, room: &str, client: ClientId, mut participant: Participant) -> bool {
        participant.insert("connected".to_owned(), Value::Bool(true));
        let list = self.by_room.entry(room.to_owned()).or_default();
        if let Some((_, known)) = list.iter_mut().find(|(id, _)| *id == client) {
            *known = participant;
            return true;
        }
        if list.len() >= MAX_PARTICIPANTS {
            let Some(gone) = list.iter().position(|(_, known)| known["connected"] == false) else {
                return false;
            };
            list.remove(gone);
        }
        list.push((client, participant));
        self.rooms_of.entry(client).or_default().push(room.to_owned());
        true
    }

    /// Whether a client has entered a room.
    pub(crate) fn is_in(&self, room: &str, client: ClientId) -> bool {
        self.by_room.get(room).is_some_and(|list| list.iter().any(|(id, _)| *id == client))
    }

    /// Notes that a client is gone, and says in which rooms it was.
    pub(crate) fn leave(&mut self, client: ClientId) -> Vec<String> {
        let mut rooms = self.rooms_of.remove(&client).unwrap_or_default();
        // Rooms may have been closed, and opened anew, since it came.
        rooms.retain(|room| {
            let list = self.by_room.get_mut(room);
            let known = list.and_then(|list| list.iter_mut().find(|(id, _)| *id == client));
            known.map(|(_, known)| known.insert("connected".to_owned(), Value::Bool(false))).is_some()
        });
        rooms
    }

    /// Forgets a room.
    pub(crate) fn close(&mut self, room: &str) {
        for (client, _) in self.by_room.remove(room).unwrap_or_default() {
            if let Some(rooms) = self.rooms_of.get_mut(&client) {
                rooms.retain(|name| name != room);
                if rooms.is_empty() {
                    self.rooms_of.remove(&client);
                }
            }
        }
    }

    /// A room's list, as everybody reads it.
    pub(crate) fn list(&self, room: &str) -> Vec<&Participant> {
        self.by_room.get(room).into_iter().flatten().map(|(_, participant)| participant).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Participant {
        Participant::from_iter([
            ("username".to_owned(), Value::from(name)),
            ("connected".to_owned(), Value::from("no")),
        ])
    }

    fn names(participants: &Participants, room: &str) -> Vec<(String, bool)> {
        let entry = |p: &&Participant| {
            (p["username"].as_str().unwrap().to_owned(), p["connected"].as_bool().unwrap())
        };
        participants.list(room).iter().map(entry).collect()
    }

    fn ids(count: usize) -> Vec<ClientId> {
        let id = || uuid::Uuid::now_v7().to_string().parse().unwrap();
        std::iter::repeat_with(id).take(count).collect()
    }

    #[test]
    fn who_comes_again_keeps_its_place_and_who_leaves_stays_listed() {
        let (mut participants, ids) = (Participants::default(), ids(2));
        assert!(
            participants.enter("a", ids[0], named("ann")) && participants.enter("a", ids[1], named("bob"))
        );
        assert!(
            participants.enter("a", ids[0], named("anna")) && participants.enter("b", ids[0], named("ann"))
        );
        assert_eq!(names(&participants, "a"), [("anna".to_owned(), true), ("bob".to_owned(), true)]);
        assert_eq!(participants.leave(ids[0]), ["a", "b"]);
        assert_eq!(names(&participants, "a")[0], ("anna".to_owned(), false));
        assert!(participants.leave(ids[0]).is_empty());
    }

    #[test]
    fn who_was_in_a_closed_room_is_not_in_the_next_of_its_name() {
        let (mut participants, ids) = (Participants::default(), ids(2));
        participants.enter("a", ids[0], named("ann"));
        participants.close("a");
        participants.enter("a", ids[1], named("bob"));
        assert!(!participants.is_in("a", ids[0]) && participants.leave(ids[0]).is_empty());
        assert_eq!(names(&participants, "a"), [("bob".to_owned(), true)]);
    }

    #[test]
    fn a_full_room_forgets_who_has_left_and_nobody_else() {
        let (mut participants, ids) = (Participants::default(), ids(MAX_PARTICIPANTS + 2));
        let entered = ids[..MAX_PARTICIPANTS].iter().all(|id| participants.enter("a", *id, named("x")));
        assert!(entered && !participants.enter("a", ids[MAX_PARTICIPANTS], named("late")));
        participants.leave(ids[7]);
        assert!(participants.enter("a", ids[MAX_PARTICIPANTS], named("late")));
        assert!(!participants.enter("a", ids[MAX_PARTICIPANTS + 1], named("later")));
        assert_eq!(participants.list("a").len(), MAX_PARTICIPANTS);
    }
}

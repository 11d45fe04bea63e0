//! The comments, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;

/// How many comments an entry may have, and how many entries there may be.
const MOST: usize = 1000;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) entry_id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
}

/// All comments, by entry. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comments(Arc<RwLock<BTreeMap<u64, Vec<Comment>>>>);

impl Comments {
    /// Some to look at.
    pub(crate) fn with_some() -> Self {
        let comments = Self::default();
        for (entry, body) in [(1, "A fine entry."), (2, "I disagree."), (2, "So do I.")] {
            comments.add(entry, "somebody", body);
        }
        comments
    }

    pub(crate) fn of(&self, entry: u64) -> Vec<Comment> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&entry).cloned().unwrap_or_default()
    }

    pub(crate) fn one(&self, entry: u64, id: u64) -> Option<Comment> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&entry)?.iter().find(|comment| comment.id == id).cloned()
    }

    /// The new comment; `None` where there are too many.
    pub(crate) fn add(&self, entry: u64, author: &str, body: &str) -> Option<Comment> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&entry) && all.len() >= MOST {
            return None;
        }
        let comments = all.entry(entry).or_default();
        if comments.len() >= MOST {
            return None;
        }
        let id = comments.len() as u64 + 1;
        comments.push(Comment { id, entry_id: entry, author: author.to_owned(), body: body.to_owned() });
        comments.last().cloned()
    }
}

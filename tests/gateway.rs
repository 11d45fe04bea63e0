//! What a gateway's author may rely on, through the test kit: no port, and a paused clock.

#[path = "gateway/acks.rs"]
mod acks;
#[path = "gateway/choices.rs"]
mod choices;
#[path = "gateway/clients.rs"]
mod clients;
#[path = "gateway/combined.rs"]
mod combined;
mod ends;
#[path = "gateway/envelopes.rs"]
mod envelopes;
#[path = "gateway/extractors.rs"]
mod extractors;
#[path = "gateway/filters.rs"]
mod filters;
#[path = "gateway/guards.rs"]
mod guards;
#[path = "gateway/kit.rs"]
mod kit;
#[path = "gateway/layers.rs"]
mod layers;
#[path = "gateway/observers.rs"]
mod observers;
#[path = "gateway/patterns.rs"]
mod patterns;
#[path = "gateway/registration.rs"]
mod registration;
#[path = "gateway/replies.rs"]
mod replies;
#[path = "gateway/resume.rs"]
mod resume;

use self::kit::{Served, refusal, served, served_at};

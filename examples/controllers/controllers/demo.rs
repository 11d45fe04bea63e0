//! What requests, access, models and versions look like.

use std::io;
use std::sync::LazyLock;

use narthex::{Denied, Extension, Json};
use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::{Access, CurrentUser};
use crate::controller::Controller;
use crate::model::{Model, Rule, Shape};
use crate::versions::CurrentVersion;
use crate::wire::{Body, HeaderFields, QueryParams};

pub(crate) fn controller() -> Controller {
    Controller::new("DemoController")
        .prefix("ws:")
        .allow_orphan()
        .versions(&["*"])
        .on("echo", echo)
        .on("search", search)
        .on("profile", profile)
        .on("tags", tags)
        .on("note", note)
        .on("broken", broken)
        .guarded("whoami", Access::new().logged_in(), whoami)
        .guarded("sign-up", Access::new().not_logged_in(), echo)
        .guarded("vault", Access::new().two_factor(), echo)
        .guarded("own", Access::new().belongs_to("userId"), whoami)
        .versioned("greet", &["^1"], greet_shortly)
        .versioned("greet", &["^2"], greet)
        .versioned("farewell", &["^latest"], echo)
}

async fn echo() -> Json<Value> {
    Json(json!({ "handler": "echo" }))
}

async fn greet_shortly(Extension(version): Extension<CurrentVersion>) -> String {
    format!("hi from {}", version.0)
}

async fn greet(Extension(version): Extension<CurrentVersion>) -> String {
    format!("good day from {}", version.0)
}

async fn whoami(CurrentUser(user): CurrentUser) -> Option<String> {
    user.map(|user| user.id)
}

/// Fails in a way that no client reads.
async fn broken() -> Result<(), Denied> {
    Err(io::Error::other("secret"))?
}

#[derive(Deserialize, Serialize)]
struct Search {
    term: String,
}

impl Model for Search {
    fn shape() -> Shape {
        Shape::object([("term", Shape::text([Rule::MinLength(2)]))])
    }
}

#[derive(Deserialize)]
struct Language {
    #[serde(rename = "accept-language")]
    accept: Option<String>,
}

impl Model for Language {
    fn shape() -> Shape {
        Shape::object([("accept-language", Shape::text([]).optional())]).additional()
    }
}

async fn search(
    QueryParams(search): QueryParams<Search>,
    HeaderFields(language): HeaderFields<Language>,
) -> Json<Value> {
    Json(json!({ "term": search.term, "language": language.accept }))
}

#[derive(Deserialize, Serialize)]
struct Profile {
    id: String,
    handle: String,
    plan: String,
    age: Option<f64>,
    public: Option<bool>,
    address: Option<Address>,
}

#[derive(Deserialize, Serialize)]
struct Address {
    city: String,
}

impl Model for Address {
    fn shape() -> Shape {
        Shape::object([("city", Shape::text([]))])
    }
}

static HANDLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[a-z]+$").unwrap_or_else(|error| panic!("the pattern of handles is none: {error}"))
});

impl Model for Profile {
    fn shape() -> Shape {
        let handle = [Rule::MinLength(2), Rule::MaxLength(8), Rule::Regex(&HANDLE)];
        Shape::object([
            ("id", Shape::text([Rule::Uuid])),
            ("handle", Shape::text(handle)),
            ("plan", Shape::text([Rule::OneOf(&["free", "paid"])])),
            ("age", Shape::number().optional()),
            ("public", Shape::boolean().optional()),
            ("address", Address::shape().optional()),
        ])
        .max_size(1024)
    }
}

async fn profile(Body(profile): Body<Profile>) -> Json<Profile> {
    Json(profile)
}

#[derive(Deserialize, Serialize)]
struct Tag {
    name: String,
}

impl Model for Tag {
    fn shape() -> Shape {
        Shape::object([("name", Shape::text([]))])
    }
}

async fn tags(Body(tags): Body<Vec<Tag>>) -> Json<Vec<Tag>> {
    Json(tags)
}

/// The body may be absent, and may have fields that nobody has thought of.
async fn note(Body(note): Body<Option<Note>>) -> Json<Option<Note>> {
    Json(note)
}

#[derive(Deserialize, Serialize)]
struct Note(Value);

impl Model for Note {
    fn shape() -> Shape {
        Shape::any_object()
    }
}

//! Every failure answers the message that caused it, and nothing internal leaks.

use narthex_core::{Denied, Gateway, Handler, Json, Path, Query};
use serde_json::{Value, json};

use super::list;
use crate::kit::{Guest, Kit, Outcome, message_of, same};

list! {
    unknown: "an unknown event is answered", [], [];
    wrong_type: "a payload of the wrong type is answered", [], [];
    no_event: "a message without an event, or whose event is no string, is answered", [], [Malformed];
    empty_event: "a message whose event is empty is answered", [], [];
    bad_json: "text that is no JSON is answered, and the client goes on", [16 17], [Malformed];
    wrong_shape: "JSON that is no message is answered, and the client goes on", [16 17], [Malformed];
    unclosed: "brackets without an end are answered", [17], [Malformed];
    too_deep: "JSON that is nested too deep is answered", [17], [];
    guard: "a message that a guard refuses is answered, and its handler does not run", [], [];
    extractor: "a failing extractor is answered", [], [];
    own_words: "an error of the handler's own is answered in its own words", [], [];
    hidden: "an unexpected error reads \"Internal server error\"", [], [];
    json_body: "an error with a body of its own is written as it is", [], [ErrorBodies];
}

/// Asks with and without an id and wants the same error both times; then the client must still be served.
async fn fails(guest: &mut Guest, event: &str, data: Value, words: &str) -> Outcome {
    same(guest.ask(event, data.clone()).await?, Err(json!({"status": "error", "message": words})))?;
    guest.emit(event, data).await?;
    let error = guest.expect("exception").await?;
    same((&error["status"], message_of(&error)), (&json!("error"), words.to_owned()))?;
    same(guest.value("hello", Value::Null).await?, json!("hello"))
}

async fn unknown(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    fails(&mut house.join().await?, "nobody knows", json!(1), "Unknown event").await
}

async fn wrong_type(kit: Kit<'_>) -> Outcome {
    async fn number(Json(n): Json<u8>) -> u8 {
        n
    }
    let house = kit.serve(Gateway::new().on("number", number)).await?;
    let mut guest = house.join().await?;
    let words = "The payload does not have the expected shape";
    fails(&mut guest, "number", json!("one"), words).await?;
    fails(&mut guest, "number", json!(256), words).await?;
    fails(&mut guest, "number", Value::Null, words).await
}

/// Answered with these words, with an id and without.
async fn nameless(kit: Kit<'_>, cases: &[(&str, &str)]) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let mut guest = house.join().await?;
    for (text, words) in cases {
        guest.text(*text).await?;
        same(guest.answer_to(5).await?.map_err(|e| message_of(&e)), Err((*words).to_owned()))?;
        guest.text(text.replace(",\"id\":5", "")).await?;
        same(message_of(&guest.expect("exception").await?), *words)?;
    }
    Ok(())
}

async fn no_event(kit: Kit<'_>) -> Outcome {
    let cases = [
        (r#"{"data":1,"id":5}"#, "The event is missing"),
        (r#"{"event":5,"id":5}"#, "The event must be a string"),
    ];
    nameless(kit, &cases).await
}

async fn empty_event(kit: Kit<'_>) -> Outcome {
    nameless(kit, &[(r#"{"event":"","id":5}"#, "The event is empty")]).await
}

async fn bad_json(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let mut guest = house.join().await?;
    for text in ["nope", "{", r#"{"event":"a""#, r#"{"event":"a"} {}"#, "\u{0}", "[1,2", "\"", "NaN"] {
        guest.text(text).await?;
        same(message_of(&guest.expect("exception").await?), "The message is not valid JSON")?;
    }
    same(guest.value("hello", Value::Null).await?, json!("hello"))?;
    same(house.stats().bad_frames, 8)
}

async fn wrong_shape(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let mut guest = house.join().await?;
    for text in ["null", "5", "\"text\"", "[]", "{}", r#"{"event":"a","id":"x"}"#, r#"{"event":"a","id":-1}"#]
    {
        guest.text(text).await?;
        guest.expect("exception").await?;
    }
    same(guest.value("hello", Value::Null).await?, json!("hello"))?;
    same(house.stats().bad_frames, 7)
}

/// As deep as a frame of 64 KiB can be, far deeper than a parser's stack.
const DEEP: usize = 30_000;

async fn too_deep(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let mut guest = house.join().await?;
    for (open, close) in [("[", "]"), (r#"{"":"#, "}")] {
        let depth = DEEP / open.len();
        let text = format!(r#"{{"event":"hello","data":{}1{}}}"#, open.repeat(depth), close.repeat(depth));
        guest.text(text).await?;
        same(message_of(&guest.expect("exception").await?), "The message is nested too deep")?;
    }
    same(guest.value("hello", Value::Null).await?, json!("hello"))
}

async fn unclosed(kit: Kit<'_>) -> Outcome {
    let house = kit.serve(Gateway::new()).await?;
    let mut guest = house.join().await?;
    guest.text("[".repeat(2 * DEEP)).await?;
    guest.expect("exception").await?;
    same(guest.value("hello", Value::Null).await?, json!("hello"))
}

async fn guard(kit: Kit<'_>) -> Outcome {
    async fn purge(narthex_core::State(probe): narthex_core::State<crate::kit::Probe>) {
        probe.note("purged");
    }
    async fn admin() -> Result<(), Denied> {
        Err(Denied::forbidden("Admins only"))
    }
    async fn never() -> bool {
        false
    }
    let gateway = Gateway::new().on("purge", purge.guard(admin)).on("never", purge.guard(never));
    let mut house = kit.serve(gateway).await?;
    let mut guest = house.join().await?;
    fails(&mut guest, "purge", Value::Null, "Admins only").await?;
    fails(&mut guest, "never", Value::Null, "Forbidden resource").await?;
    same(house.notes.rest(), Vec::<String>::new())
}

async fn extractor(kit: Kit<'_>) -> Outcome {
    async fn query(Query(n): Query<Vec<(String, u8)>>) -> usize {
        n.len()
    }
    async fn path(Path(n): Path<u8>) -> u8 {
        n
    }
    let house = kit.serve(Gateway::new().on("need.{n}", path).on("query", query)).await?;
    let mut guest = house.join().await?;
    same(guest.value("need.7", Value::Null).await?, json!(7))?;
    same(guest.value("query", Value::Null).await?, json!(0))?;
    fails(&mut guest, "need.seven", Value::Null, "The path does not have the expected shape").await
}

async fn own_words(kit: Kit<'_>) -> Outcome {
    async fn find(Json(name): Json<String>) -> Result<String, Denied> {
        Err(Denied::not_found(format!("There is no {name}")))
    }
    let house = kit.serve(Gateway::new().on("find", find)).await?;
    fails(&mut house.join().await?, "find", json!("unicorn"), "There is no unicorn").await
}

async fn hidden(kit: Kit<'_>) -> Outcome {
    async fn secret() -> Result<(), std::io::Error> {
        Err(std::io::Error::other("the password is swordfish"))
    }
    let house = kit.serve(Gateway::new().on("secret", secret)).await?;
    fails(&mut house.join().await?, "secret", Value::Null, "Internal server error").await
}

async fn json_body(kit: Kit<'_>) -> Outcome {
    async fn check() -> Result<(), Denied> {
        Err(Denied::json(narthex_core::DeniedKind::BadRequest, &json!({"fields": ["name"]})))
    }
    let house = kit.serve(Gateway::new().on("check", check)).await?;
    let mut guest = house.join().await?;
    same(guest.ask("check", Value::Null).await?, Err(json!({"fields": ["name"]})))
}

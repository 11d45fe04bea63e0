//! From the body of a POST to frames.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use narthex_core::Frame;
use serde_json::value::RawValue;

use crate::{envelope::is_marked, settings::Settings};

/// How the messages of a body are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One JSON object, or an array with a message in each element (`application/json`).
    Json,
    /// A message on each line (`application/x-ndjson`).
    Lines,
}

impl Form {
    /// What `Content-Type` says. Nothing that a form of another site could send.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut types = headers.get_all(header::CONTENT_TYPE).iter();
        let media = types.next()?.to_str().ok()?;
        let essence = media.split(';').next()?.trim();
        match essence {
            _ if types.next().is_some() => None,
            _ if essence.eq_ignore_ascii_case("application/json") => Some(Self::Json),
            _ if essence.eq_ignore_ascii_case("application/x-ndjson") => Some(Self::Lines),
            _ => None,
        }
    }

    /// The frames of a body, each of which is one message, whatever is in it.
    pub(crate) fn split(self, body: &Bytes, settings: &Settings) -> Result<Vec<Frame>, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| Fault::NoText)?;
        let pieces = match self {
            Self::Json => elements(text)?,
            Self::Lines => text.lines().filter(|line| !line.trim_ascii().is_empty()).collect(),
        };
        if pieces.len() > settings.max_batch {
            return Err(Fault::TooMany);
        }
        // Frames that wait keep their body alive: one that is mostly something else is not kept for them.
        let shares = 2 * pieces.iter().map(|piece| piece.len()).sum::<usize>() >= body.len();
        let frame = |piece: &str| match fits(piece, settings) {
            true if shares => Ok(Frame::Text(body.slice_ref(piece.as_bytes()))),
            true => Ok(Frame::text(piece)),
            false => Err(Fault::TooLarge),
        };
        pieces.into_iter().map(frame).collect()
    }
}

/// The messages of a JSON body.
fn elements(text: &str) -> Result<Vec<&str>, Fault> {
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Fault::NoJson)?;
            Ok(elements.into_iter().map(RawValue::get).collect())
        }
        Some(b'{') => {
            let object: &RawValue = serde_json::from_str(text).map_err(|_| Fault::NoJson)?;
            Ok(vec![object.get()])
        }
        _ => Err(Fault::NoJson),
    }
}

fn fits(piece: &str, settings: &Settings) -> bool {
    let len = piece.len();
    len <= settings.max_message || (len <= settings.max_encoded() && is_marked(piece.as_bytes()))
}

/// Why a body is no batch of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not UTF-8.
    NoText,
    /// Neither a JSON object nor a JSON array.
    NoJson,
    /// A message above its bound.
    TooLarge,
    /// More messages than one POST may have.
    TooMany,
}

impl Fault {
    /// The status and the sentence.
    pub(crate) fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::NoText => (StatusCode::BAD_REQUEST, "The body is not UTF-8"),
            Self::NoJson => (StatusCode::BAD_REQUEST, "The body is neither a JSON object nor a JSON array"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "A message is too large"),
            Self::TooMany => (StatusCode::PAYLOAD_TOO_LARGE, "Too many messages at once"),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn split(form: Form, body: &str) -> Result<Vec<String>, Fault> {
        let settings = Settings { max_message: 30, max_batch: 3, ..Settings::default() };
        let frames = form.split(&Bytes::copy_from_slice(body.as_bytes()), &settings)?;
        Ok(frames.iter().map(|frame| frame.as_text().unwrap().to_owned()).collect())
    }

    #[test]
    fn an_object_an_array_and_lines_are_batches() {
        assert_eq!(split(Form::Json, " {\"event\":\"a\"}\n").unwrap(), [r#"{"event":"a"}"#]);
        assert_eq!(split(Form::Json, r#"[{"event":"a"}, 5,[]]"#).unwrap(), [r#"{"event":"a"}"#, "5", "[]"]);
        assert_eq!(split(Form::Json, "[]").unwrap(), [""; 0]);
        assert_eq!(
            split(Form::Lines, "{\"event\":\"a\"}\r\n\n nope\n").unwrap(),
            [r#"{"event":"a"}"#, " nope"]
        );
        for body in ["", "5", "null", "{", "[1,]", "{} {}", "{}\n{}"] {
            assert_eq!(split(Form::Json, body), Err(Fault::NoJson), "{body}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(split(Form::Json, &deep), Err(Fault::TooLarge));
    }

    #[test]
    fn each_message_and_their_number_have_a_bound() {
        assert_eq!(split(Form::Json, "[1,2,3,4]"), Err(Fault::TooMany));
        let largest = format!("\"{}\"", "x".repeat(28));
        assert!(split(Form::Lines, &largest).is_ok());
        assert_eq!(split(Form::Lines, &format!("{largest} ")), Err(Fault::TooLarge));
        let marked = format!(r#"{{"binary":true,"data":"{}"}}"#, "A".repeat(40));
        assert!(split(Form::Json, &marked).is_ok());
    }

    #[test]
    fn a_small_message_does_not_keep_a_large_body_alive() {
        let shares = |body: &str| {
            let body = Bytes::copy_from_slice(body.as_bytes());
            let frames = Form::Json.split(&body, &Settings::default()).unwrap();
            body.as_ptr_range().contains(&frames[0].payload().as_ptr())
        };
        assert!(shares(r#"[{"event":"a"},{"event":"b"}]"#));
        assert!(!shares(&format!(r#"[{{"event":"a"}}{}]"#, " ".repeat(100))));
    }

    #[test]
    fn what_a_form_can_send_is_no_batch() {
        let of = |text: &'static str| {
            Form::of(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))]))
        };
        assert_eq!(of("Application/JSON; charset=utf-8"), Some(Form::Json));
        assert_eq!(of("application/x-ndjson"), Some(Form::Lines));
        for media in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
        {
            assert_eq!(of(media), None, "{media}");
        }
        assert_eq!(Form::of(&HeaderMap::new()), None);
    }
}

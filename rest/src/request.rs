//! From a message to a request.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use narthex_core::{Client, DecodeLimits, Denied, Event, FromEvent, Payload};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{body::body, headers, rest::Options, url::Target};

/// The bytes that came with a message, as an extension of its request.
///
/// Socket.IO clients may put bytes anywhere into an argument, a file in `data.file` for one. In the request's body stands
/// `{"_placeholder":true,"num":0}` for them, and `num` counts in this list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments(pub Arc<[Bytes]>);

/// A message that asks, with all that its request inherits.
pub(crate) struct Asking {
    client: Client,
    payload: Payload,
    extensions: http::Extensions,
}

impl FromEvent for Asking {
    type Rejection = Denied;

    async fn from_event(event: &mut Event) -> Result<Self, Self::Rejection> {
        let client = Client::from_event(event).await?;
        let (Ok(payload), Ok(extensions)) =
            (Payload::from_event(event).await, http::Extensions::from_event(event).await);
        Ok(Self { client, payload, extensions })
    }
}

/// What a message says of a request.
#[derive(Deserialize)]
struct Asked<'a> {
    method: Option<Value>,
    url: Option<Value>,
    headers: Option<Value>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// The status, and the sentence that a client reads with it.
pub(crate) type Refusal = (StatusCode, &'static str);

const SYNTAX: Refusal = (StatusCode::BAD_REQUEST, "Invalid JSON format");
const MISSING: Refusal = (StatusCode::BAD_REQUEST, "Missing required fields: method, url");
const URL: Refusal = (StatusCode::BAD_REQUEST, "Cannot parse url");
const METHOD: Refusal = (StatusCode::BAD_REQUEST, "Invalid method!");
const HEADER: Refusal = (StatusCode::BAD_REQUEST, "Invalid header!");
const LARGE: Refusal = (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large");

/// The methods, which are the names of the events.
pub(crate) const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "options", "head"];

/// Makes the request.
///
/// # Errors
/// The message is no request.
pub(crate) fn make(
    method: &Method,
    asking: Asking,
    options: &Options,
) -> Result<Request<Full<Bytes>>, Refusal> {
    let Asking { client, payload, extensions } = asking;
    let (text, attachments) = text(&payload)?;
    let asked = read(&text)?;
    let (Some(Value::String(named)), Some(Value::String(url))) = (&asked.method, &asked.url) else {
        return Err(MISSING);
    };
    if !METHODS.contains(&named.as_str()) {
        return Err(METHOD);
    }
    let mut request = Request::new(Full::default());
    *request.method_mut() = method.clone();
    *request.uri_mut() = target(url, &client, options)?.uri().ok_or(URL)?;
    let mut headers = headers::inherited(client.handshake().headers());
    headers::add(&mut headers, &given(asked.headers)?, &options.headers).map_err(|()| HEADER)?;
    let body = body(asked.params, asked.data, is_json(&headers));
    if body.len() > options.most {
        return Err(LARGE);
    }
    if !body.is_empty() {
        headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    *request.headers_mut() = headers;
    *request.body_mut() = Full::new(body);
    *request.extensions_mut() = extensions;
    let extensions = request.extensions_mut();
    if !attachments.is_empty() {
        extensions.insert(Attachments(attachments));
    }
    extensions.insert(client.hub());
    extensions.insert(client);
    Ok(request)
}

/// The message's JSON: itself, or what a string in it holds; with the bytes that came beside it.
fn text(payload: &Payload) -> Result<(String, Arc<[Bytes]>), Refusal> {
    let text = payload.json_text().and_then(|text| std::str::from_utf8(text).ok()).ok_or(SYNTAX)?;
    if let Payload::Args(args) = payload {
        // One argument with bytes inside of it; several are no request.
        let [only]: [&RawValue; 1] = serde_json::from_str(text).map_err(|_| MISSING)?;
        return Ok((only.get().to_owned(), args.attachments().into()));
    }
    if !text.trim_start().starts_with('"') {
        return Ok((text.to_owned(), Arc::default()));
    }
    let inner: String = serde_json::from_str(text).map_err(|_| SYNTAX)?;
    // What is inside of a string, nobody has looked at yet.
    DecodeLimits::default().check_depth(inner.as_bytes()).map_err(|_| SYNTAX)?;
    Ok((inner, Arc::default()))
}

fn read(text: &str) -> Result<Asked<'_>, Refusal> {
    if !text.trim_start().starts_with('{') {
        // Other JSON is no request; the parser says whether it is JSON.
        return serde_json::from_str::<&RawValue>(text).map_or(Err(SYNTAX), |_| Err(MISSING));
    }
    serde_json::from_str(text).map_err(|error| if error.is_data() { MISSING } else { SYNTAX })
}

fn target(url: &str, client: &Client, options: &Options) -> Result<Target, Refusal> {
    let mut target = Target::parse(url).ok_or(URL)?;
    options.prefixes.iter().for_each(|prefix| target.strip(prefix));
    if options.trim {
        target.trim();
    }
    if options.inherit_query {
        target.behind(client.handshake().query());
    }
    Ok(target)
}

fn given(headers: Option<Value>) -> Result<Map<String, Value>, Refusal> {
    match headers {
        None => Ok(Map::new()),
        Some(Value::Object(headers)) => Ok(headers),
        Some(_) => Err(HEADER),
    }
}

/// A body is JSON where the message does not say otherwise.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
    kind.is_none_or(|kind| kind.windows(4).any(|window| window == b"json"))
}

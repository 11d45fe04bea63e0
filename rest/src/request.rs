//! From a message to a request.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use narthex_core::{Client, Payload, PeerAddr};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{headers, rest::Options, url::Target};

/// What a message says of a request.
#[derive(Deserialize)]
struct Asked {
    method: Option<Value>,
    url: Option<Value>,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    params: Option<Value>,
    #[serde(default)]
    data: Option<Value>,
}

/// The methods, which are the names of the events.
pub(crate) const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "options", "head"];

/// Makes the request.
///
/// # Errors
/// The sentence that a client reads with the 400.
pub(crate) fn make(
    method: &Method,
    payload: &Payload,
    client: &Client,
    options: &Options,
) -> Result<Request<Full<Bytes>>, &'static str> {
    let Asked { method: named, url, headers: given, params, data } = read(payload)?;
    let (Some(Value::String(named)), Some(Value::String(url))) = (named, url) else {
        return Err("Missing required fields: method, url");
    };
    if !METHODS.contains(&named.as_str()) {
        return Err("Invalid method!");
    }
    let handshake = client.handshake();
    let mut target = Target::parse(&url).ok_or("Cannot parse url")?;
    options.prefixes.iter().for_each(|prefix| target.strip(prefix));
    if options.trim {
        target.trim();
    }
    if options.inherit_query {
        target.behind(handshake.query());
    }
    let mut headers = headers::inherited(handshake.headers());
    headers::add(&mut headers, &given.unwrap_or_default(), &options.allowed)
        .map_err(|()| "Invalid header!")?;
    let body = match body(params, data) {
        Some(body) => Bytes::from(body.to_string()),
        None => Bytes::new(),
    };
    if body.len() > options.most {
        return Err("The body is too large");
    }
    if !body.is_empty() {
        let json = HeaderValue::from_static("application/json");
        headers.entry(header::CONTENT_TYPE).or_insert(json);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method.clone();
    *request.uri_mut() = target.uri().ok_or("Cannot parse url")?;
    *request.headers_mut() = headers;
    let extensions = request.extensions_mut();
    *extensions = handshake.extensions().clone();
    if let Some(addr) = handshake.peer_addr() {
        extensions.insert(PeerAddr(addr));
    }
    extensions.insert(client.hub());
    extensions.insert(client.clone());
    Ok(request)
}

/// The message as an object, or as a string of one.
fn read(payload: &Payload) -> Result<Asked, &'static str> {
    const MISSING: &str = "Missing required fields: method, url";
    let value: Value = payload.parse().map_err(|_| "Invalid JSON format")?;
    let value = match value {
        Value::String(text) => serde_json::from_str(&text).map_err(|_| "Invalid JSON format")?,
        value => value,
    };
    match value {
        Value::Object(_) => serde_json::from_value(value).map_err(|_| MISSING),
        _ => Err(MISSING),
    }
}

/// `data`, over `params` where both are objects.
fn body(params: Option<Value>, data: Option<Value>) -> Option<Value> {
    match (params, data) {
        (Some(Value::Object(mut params)), Some(Value::Object(data))) => {
            params.extend(data);
            Some(Value::Object(params))
        }
        (params, None | Some(Value::Null)) => params.filter(|params| !params.is_null()),
        (_, data) => data,
    }
}

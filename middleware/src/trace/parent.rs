//! W3C Trace Context.

use std::fmt;

use http::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// How much of a `tracestate` is kept, in bytes (Trace Context section 3.3.1.5 asks for so much), and how many members it
/// may have (section 3.3.1.1).
const MAX_STATE: usize = 512;
const MAX_MEMBERS: usize = 32;

/// The trace that a client's handshake belongs to, where it carries a valid `traceparent` (W3C Trace Context, version 00):
/// an extension of the handshake, for whoever bridges to OpenTelemetry.
///
/// The peer has sent it, so it says no more than what the peer wants to be true.
///
/// ```
/// use narthex_core::Extension;
/// use narthex_middleware::trace::TraceParent;
///
/// async fn greet(Extension(parent): Extension<TraceParent>) -> String {
///     format!("{:032x}", parent.trace_id())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: u128,
    parent_id: u64,
    flags: u8,
    state: Option<Box<str>>,
}

impl TraceParent {
    /// Reads the headers of a handshake. `None` where there is no `traceparent`, more than one, one of another version, or
    /// one that is not exactly as section 3.2 has it. A `tracestate` that is not valid, or has more than 512 bytes, is left out.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let mut parent = Self::parse(value.to_str().ok()?)?;
        parent.state = state(headers);
        Some(parent)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('-');
        let (version, trace_id) = (fields.next()?, hex(fields.next()?, 32)?);
        let (parent_id, flags) = (hex(fields.next()?, 16)?, hex(fields.next()?, 2)?);
        let fits = version == "00" && fields.next().is_none() && trace_id != 0 && parent_id != 0;
        fits.then_some(Self {
            trace_id,
            parent_id: u64::try_from(parent_id).ok()?,
            flags: u8::try_from(flags).ok()?,
            state: None,
        })
    }

    /// The trace's id (section 3.2.2.3); never zero.
    pub fn trace_id(&self) -> u128 {
        self.trace_id
    }

    /// The id of the peer's span (section 3.2.2.4); never zero.
    pub fn parent_id(&self) -> u64 {
        self.parent_id
    }

    /// The flags (section 3.2.2.5).
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// Whether the peer may have recorded the trace (section 3.2.2.5.1).
    pub fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    /// The `tracestate` (section 3.3), several headers joined by commas.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// As the header `traceparent`.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, self.flags)
    }
}

/// Exactly so many digits, in lower case.
fn hex(digits: &str, len: usize) -> Option<u128> {
    let fits = digits.len() == len && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    fits.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

fn state(headers: &HeaderMap) -> Option<Box<str>> {
    let values = headers.get_all(TRACESTATE).iter();
    let values = values.map(|value| value.to_str().ok()).collect::<Option<Vec<_>>>()?;
    let len = values.iter().map(|value| value.len() + 1).sum::<usize>();
    if values.is_empty() || len > MAX_STATE + 1 {
        return None;
    }
    let joined = values.join(",");
    // Empty members are allowed, and are none.
    let members: Vec<_> =
        joined.split(',').map(|m| m.trim_matches([' ', '\t'])).filter(|m| !m.is_empty()).collect();
    let fits =
        !members.is_empty() && members.len() <= MAX_MEMBERS && members.iter().all(|member| is_member(member));
    fits.then(|| joined.into_boxed_str())
}

/// Section 3.3.1.3.
fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else { return false };
    let printable = |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b',' && byte != b'=';
    is_key(key) && (1..=256).contains(&value.len()) && value.bytes().all(printable)
}

fn is_key(key: &str) -> bool {
    let rest = |part: &str| {
        part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/".contains(&b))
    };
    let first = |part: &str, digits: bool| {
        part.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || (digits && b.is_ascii_digit()))
    };
    match key.split_once('@') {
        None => key.len() <= 256 && first(key, false) && rest(key),
        Some((tenant, system)) => {
            (tenant.len() <= 241 && first(tenant, true) && rest(tenant))
                && (system.len() <= 14 && first(system, false) && rest(system))
        }
    }
}

#[cfg(test)]
mod tests;

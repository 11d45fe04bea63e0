//! In which order the calls of one client run.

/// How calls of one handler for one client relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Order {
    /// One after another with everything else of the client.
    #[default]
    Serial,
    /// Up to so many at once, beside everything else.
    Concurrent(usize),
    /// One, beside everything else; a newer call drops it.
    Latest,
}

//! What a door was built with: a path, a rule of origins, and bounds.

use std::time::Duration;

use narthex_http::Origins;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) path: String,
    pub(crate) origins: Origins,
    pub(crate) polling: bool,
    pub(crate) eio3: bool,
    pub(crate) ping_interval: Duration,
    pub(crate) ping_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) upgrade_timeout: Duration,
    pub(crate) write_deadline: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) namespace_grace: Duration,
    pub(crate) max_message: usize,
    pub(crate) max_attachments: usize,
    pub(crate) buffer: usize,
}

impl Settings {
    /// The same at another path; with or without a slash at its end, it is one.
    pub(crate) fn at(self, path: impl Into<String>) -> Self {
        Self { path: path.into().trim_end_matches('/').to_owned(), ..self }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "/socket.io".to_owned(),
            origins: Origins::default(),
            polling: true,
            eio3: false,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            upgrade_timeout: Duration::from_secs(10),
            write_deadline: Duration::from_secs(5),
            close_timeout: Duration::from_secs(1),
            namespace_grace: Duration::from_secs(10),
            max_message: 64 * 1024,
            max_attachments: 10,
            buffer: 4096,
        }
    }
}

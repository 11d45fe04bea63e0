//! Requests over a socket, in process.

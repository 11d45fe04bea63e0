//! The examples of Narthex live beside this file; run one with `cargo run --example <name>`.

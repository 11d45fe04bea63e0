//! Attribute macros for Narthex: a short form of its builders, and better compiler messages.
//!
//! Use them as `narthex::gateway` and `narthex::debug_handler`, by the feature `macros` of the crate `narthex`. All that
//! they write could be written by hand; each says how.

mod debug_handler;
mod gateway;
mod signature;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/gateway.md")]
#[proc_macro_attribute]
pub fn gateway(arguments: TokenStream, item: TokenStream) -> TokenStream {
    gateway::expand(arguments.into(), item.into()).into()
}

#[doc = include_str!("../docs/debug_handler.md")]
#[proc_macro_attribute]
pub fn debug_handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    debug_handler::expand(arguments.into(), item.into()).into()
}

//! An `impl` block read as a gateway, and written as the builder's calls.

mod attributes;
mod event;
mod expand;
mod method;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Expr, Ident, ImplItem, ItemImpl, Meta, Result, parse::Parser, punctuated::Punctuated};

use self::{
    attributes::{Call, of_block},
    method::Method,
};
use crate::signature::Errors;

/// What the attributes of a block say.
struct Gateway {
    namespace: Option<Expr>,
    /// Calls of the builder, in the order of the attributes.
    calls: Vec<Call>,
    methods: Vec<Method>,
}

/// The block without our attributes, and the fns that make the gateway of it.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut block: ItemImpl = match syn::parse2(item.clone()) {
        Ok(block) => block,
        Err(error) => {
            let why = if starts_block(&item) { error } else { Error::new(Span::call_site(), ELSEWHERE) };
            let why = why.to_compile_error();
            return quote!(#why #item);
        }
    };
    let gateway = read(arguments, &mut block);
    let (fns, errors) = match gateway {
        Ok(gateway) => (expand::fns(&gateway, &block), None),
        // Who calls them is told nothing more.
        Err(error) => (expand::stubs(&block), Some(error.to_compile_error())),
    };
    let fns = (block.trait_.is_none() && taken(&block).is_none()).then_some(fns);
    quote!(#block #fns #errors)
}

const ELSEWHERE: &str = "`#[gateway]` goes on the `impl` block with the handlers, which is not that of a trait: `impl Chat { … }`";

fn starts_block(item: &TokenStream) -> bool {
    item.clone().into_iter().any(|token| token.to_string() == "impl")
}

/// Reads our attributes, and takes them off.
fn read(arguments: TokenStream, block: &mut ItemImpl) -> Result<Gateway> {
    let mut errors = Errors::default();
    if let Some((path, _)) = &block.trait_ {
        errors.push_at(path, ELSEWHERE);
    }
    if let Some(name) = taken(block) {
        errors.push(name.span(), "`#[gateway]` writes a method of this name itself");
    }
    let namespace = errors.keep(namespace(arguments)).flatten();
    let calls = errors.keep(of_block(&mut block.attrs)).unwrap_or_default();
    let mut methods = Vec::new();
    for item in &mut block.items {
        if let ImplItem::Fn(item) = item {
            methods.extend(errors.keep(Method::take(item)).flatten());
        }
    }
    event::check_all(&methods, &mut errors);
    errors.or(Gateway { namespace, calls, methods })
}

/// A method of the user's that has the name of one of ours.
fn taken(block: &ItemImpl) -> Option<&Ident> {
    let mut names = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(&method.sig.ident),
        _ => None,
    });
    names.find(|name| *name == "gateway" || *name == "into_gateway")
}

/// `namespace = "/chat"`, or nothing.
fn namespace(arguments: TokenStream) -> Result<Option<Expr>> {
    let arguments = Punctuated::<Meta, syn::Token![,]>::parse_terminated.parse2(arguments)?;
    let mut found = None;
    for argument in arguments {
        match argument {
            Meta::NameValue(pair) if pair.path.is_ident("namespace") && found.is_none() => {
                found = Some(pair.value);
            }
            other => {
                let why = "`#[gateway]` takes `namespace = \"/path\"`; what else a gateway has are attributes below: `#[guard(…)]`, `#[layer(…)]`";
                return Err(Error::new_spanned(other.to_token_stream(), why));
            }
        }
    }
    Ok(found)
}

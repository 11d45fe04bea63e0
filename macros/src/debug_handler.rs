//! Says at a handler what the compiler would say at its registration.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, ItemFn, Result};

use crate::signature::{Shape, bound};

/// The fn as it is, and checks beside it that leave nothing in the program.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let checks = checks(arguments, item.clone()).unwrap_or_else(|error| error.to_compile_error());
    quote!(#item #checks)
}

fn checks(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "`#[debug_handler]` takes no arguments"));
    }
    let handler: ItemFn = syn::parse2(item).map_err(|_| {
        Error::new(Span::call_site(), "`#[debug_handler]` goes on the `async fn` of a handler")
    })?;
    if let Some(receiver) = handler.sig.receiver() {
        let why = "`#[debug_handler]` is for functions: methods are checked by `#[gateway]` on their `impl`";
        return Err(Error::new_spanned(receiver, why));
    }
    let shape = Shape::read(&handler.sig)?;
    let bounds = bounds(&shape);
    let future = future(&handler, &shape);
    let cfgs = handler.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    Ok(quote! {
        #(#cfgs)*
        #[allow(dead_code, clippy::too_many_arguments)]
        const _: () = {
            fn arguments_and_result() where #(#bounds,)* {}
            #future
        };
    })
}

fn bounds(shape: &Shape) -> Vec<TokenStream> {
    let arguments = shape.arguments.iter().map(|ty| bound(ty, &quote!(::narthex::FromEvent)));
    let result = shape.result.iter().map(|ty| bound(ty, &quote!(::narthex::IntoReply)));
    arguments.chain(result).flatten().collect()
}

/// A fn that compiles where the handler's future is `Send`.
fn future(handler: &ItemFn, shape: &Shape) -> TokenStream {
    let (name, types) = (&handler.sig.ident, &shape.arguments);
    let lifetimes = &handler.sig.generics;
    let arguments: Vec<_> = (0..types.len()).map(|i| format_ident!("argument{i}")).collect();
    let check = quote_spanned!(name.span()=> must_be_send(#name(#(#arguments),*)));
    quote! {
        fn future #lifetimes (#(#arguments: #types),*) {
            fn must_be_send<F: ::core::future::Future + ::core::marker::Send>(_: F) {}
            #check
        }
    }
}

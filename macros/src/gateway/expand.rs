//! The fns that make the gateway.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, ItemImpl};

use super::{
    Gateway,
    attributes::{Call, Role, RoleKind},
    method::Method,
};
use crate::signature::bound;

/// `gateway` and `into_gateway`.
pub(crate) fn fns(gateway: &Gateway, block: &ItemImpl) -> TokenStream {
    let local = |name| Ident::new(name, Span::mixed_site());
    let (built, this) = (local("built"), local("this"));
    let namespace = gateway.namespace.iter();
    let calls = gateway.calls.iter().map(|call| {
        let Call { name, arguments } = call;
        quote_spanned!(call.span()=> let #built = #built.#name(#(#arguments),*);)
    });
    let methods = gateway.methods.iter().flat_map(|method| {
        let (built, this) = (&built, &this);
        method.roles.iter().map(move |role| registration(method, role, built, this))
    });
    let body = quote! {
        #[allow(unused_imports)]
        use ::narthex::Handler as _;
        #[allow(unused_variables)]
        let #this = ::std::sync::Arc::clone(&self);
        let #built = ::narthex::Gateway::new()#(.namespace(#namespace))*;
        #(#calls)*
        #(#methods)*
        #built
    };
    written(block, &bounds(gateway, block), &body)
}

/// The same without a body that could be wrong.
pub(crate) fn stubs(block: &ItemImpl) -> TokenStream {
    written(block, &[], &quote!(::narthex::Gateway::new()))
}

fn written(block: &ItemImpl, bounds: &[TokenStream], body: &TokenStream) -> TokenStream {
    let (generics, _, limits) = block.generics.split_for_impl();
    let cfgs = block.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let target = &block.self_ty;
    let arc = quote!(::std::sync::Arc);
    quote! {
        #(#cfgs)*
        #[allow(private_bounds, private_interfaces, dead_code, reason = "written by `#[gateway]`")]
        impl #generics #target #limits {
            /// The gateway that the attributes of this type's methods describe. Its clients share the value.
            pub fn gateway(self) -> ::narthex::Gateway where #(#bounds,)* {
                Self::into_gateway(#arc::new(self))
            }

            /// The gateway of a value that others hold too.
            pub fn into_gateway(self: #arc<Self>) -> ::narthex::Gateway where #(#bounds,)* {
                #body
            }
        }
    }
}

/// What must hold, said at the types that the user wrote.
///
/// Where types depend on parameters the bounds would be put on callers, who have nothing to do with them.
fn bounds(gateway: &Gateway, block: &ItemImpl) -> Vec<TokenStream> {
    let shared = quote!(::core::marker::Send + ::core::marker::Sync + 'static);
    let target = bound(&block.self_ty, &shared);
    let methods = gateway.methods.iter().filter(|_| block.generics.params.is_empty());
    target.into_iter().chain(methods.flat_map(Method::bounds)).collect()
}

/// One call of the builder for one role of a method.
fn registration(method: &Method, role: &Role, built: &Ident, this: &Ident) -> TokenStream {
    let Call { name, arguments } = &role.call;
    let cfgs = &method.cfgs;
    let registered = method.registered(role, this);
    let marker = method.marker_in(role).map(|marker| quote!(::<#marker>));
    let at = Span::mixed_site().located_at(name.span());
    let arguments = arguments.iter().map(ToTokens::to_token_stream).chain([registered]);
    quote_spanned! {at=>
        #(#cfgs)*
        let #built = #built.#name #marker (#(#arguments),*);
    }
}

impl Method {
    /// The type that says which fn it is. A filter, and a handler with its options, have others.
    fn marker_in(&self, role: &Role) -> Option<TokenStream> {
        match role.kind {
            RoleKind::Handler if self.has_options() => None,
            RoleKind::Filter => None,
            _ => Some(self.marker()),
        }
    }
}

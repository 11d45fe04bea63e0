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
        let roles = method.roles.iter().filter(|role| role.kind != RoleKind::Route);
        roles.map(move |role| registration(method, role, built, this))
    });
    let routes = routes(gateway, &built, &this);
    let rest = routes.iter().map(|_| {
        let router = quote!(Self::into_router(::std::sync::Arc::clone(&#this)));
        quote!(let #built = ::narthex::rest::Rest::new(#router).on(#built);)
    });
    let body = quote! {
        #[allow(unused_imports, reason = "only options need it")]
        use ::narthex::Handler as _;
        #[allow(unused_variables, reason = "only methods of a value need it")]
        let #this = ::std::sync::Arc::clone(&self);
        let #built = ::narthex::Gateway::new()#(.namespace(#namespace))*;
        #(#calls)*
        #(#methods)*
        #(#rest)*
        #built
    };
    written(block, &bounds(gateway, block), &body, routes.as_ref())
}

/// The same without a body that could be wrong.
pub(crate) fn stubs(block: &ItemImpl) -> TokenStream {
    written(block, &[], &quote!(::narthex::Gateway::new()), None)
}

/// The user's fns, and a trait between them and the body: its one impl has the bounds, so that they are on nothing that
/// others see or call.
fn written(
    block: &ItemImpl,
    bounds: &[TokenStream],
    body: &TokenStream,
    routes: Option<&TokenStream>,
) -> TokenStream {
    let (generics, _, limits) = block.generics.split_for_impl();
    let predicates = block.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let cfgs = block.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let target = &block.self_ty;
    quote! {
        #(#cfgs)*
        const _: () = {
            trait Described {
                fn described(self: ::std::sync::Arc<Self>) -> ::narthex::Gateway;
            }

            impl #generics Described for #target where #(#predicates,)* #(#bounds,)* {
                fn described(self: ::std::sync::Arc<Self>) -> ::narthex::Gateway {
                    #body
                }
            }

            #[allow(dead_code, reason = "one of them is enough")]
            impl #generics #target #limits {
                /// The gateway that the attributes of this type's methods describe. Its clients share the value.
                pub fn gateway(self) -> ::narthex::Gateway {
                    Described::described(::std::sync::Arc::new(self))
                }

                /// The gateway of a value that others hold too.
                pub fn into_gateway(self: ::std::sync::Arc<Self>) -> ::narthex::Gateway {
                    Described::described(self)
                }

                #routes
            }
        };
    }
}

/// `into_router`, where any method is for HTTP.
fn routes(gateway: &Gateway, built: &Ident, this: &Ident) -> Option<TokenStream> {
    let routes = gateway.methods.iter().flat_map(|method| {
        let roles = method.roles.iter().filter(|role| role.kind == RoleKind::Route);
        roles.map(move |role| route(method, role, built, this))
    });
    let routes: Vec<_> = routes.collect();
    (!routes.is_empty()).then(|| {
        quote! {
            /// The routes alone, for HTTP. The gateway serves them too.
            pub fn into_router(self: ::std::sync::Arc<Self>) -> ::axum::Router {
                #[allow(unused_variables, reason = "only methods of a value need it")]
                let #this = ::std::sync::Arc::clone(&self);
                let #built = ::axum::Router::new();
                #(#routes)*
                #built
            }
        }
    })
}

/// One route of axum's router.
fn route(method: &Method, role: &Role, built: &Ident, this: &Ident) -> TokenStream {
    let Call { name: verb, arguments: path } = &role.call;
    let (cfgs, registered) = (&method.cfgs, method.registered(role, this));
    let at = Span::mixed_site().located_at(verb.span());
    quote_spanned! {at=>
        #(#cfgs)*
        let #built = #built.route(#(#path),*, ::axum::routing::#verb(#registered));
    }
}

/// What must hold, said at the types that the user wrote.
///
/// Where types depend on parameters, nothing can be said before they are known.
fn bounds(gateway: &Gateway, block: &ItemImpl) -> Vec<TokenStream> {
    if !block.generics.params.is_empty() {
        return Vec::new();
    }
    let shared = quote!(::core::marker::Send + ::core::marker::Sync + 'static);
    let methods = gateway.methods.iter().flat_map(Method::bounds);
    bound(&block.self_ty, &shared).into_iter().chain(methods).collect()
}

/// One call of the builder for one role of a method.
fn registration(method: &Method, role: &Role, built: &Ident, this: &Ident) -> TokenStream {
    let Call { name, arguments } = &role.call;
    let cfgs = &method.cfgs;
    let registered = method.registered(role, this);
    let marker = marker(method, role).map(|marker| quote!(::<#marker>));
    let at = Span::mixed_site().located_at(name.span());
    let arguments = arguments.iter().map(ToTokens::to_token_stream).chain([registered]);
    quote_spanned! {at=>
        #(#cfgs)*
        let #built = #built.#name #marker (#(#arguments),*);
    }
}

/// The type that says which fn it is. A filter, and a handler with its options, have others.
fn marker(method: &Method, role: &Role) -> Option<TokenStream> {
    match role.kind {
        RoleKind::Handler if method.has_options() => None,
        RoleKind::Filter => None,
        _ => Some(method.marker()),
    }
}

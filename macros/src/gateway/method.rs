//! One method of the block.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Error, Ident, ImplItemFn, Receiver, ReceiverKind, Result, Type};

use super::attributes::{Call, OfMethod, Role, RoleKind, of_method};
use crate::signature::{Errors, Shape, bound, says};

/// A method with a role.
pub(crate) struct Method {
    pub(crate) name: Ident,
    /// Where it is compiled at all.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) roles: Vec<Role>,
    options: Vec<Call>,
    access: Access,
    shape: Shape,
}

/// How a method sees the gateway's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Nothing,
    Reference,
    Arc,
}

impl Method {
    /// Takes our attributes off a method; one without a role is the user's own matter.
    ///
    /// # Errors
    /// What the attributes say wrong, and what a signature cannot be.
    pub(crate) fn take(item: &mut ImplItemFn) -> Result<Option<Self>> {
        let OfMethod { roles, options } = of_method(&mut item.attrs)?;
        if roles.is_empty() {
            return Ok(None);
        }
        let mut errors = Errors::default();
        let access = errors.keep(access(item.sig.receiver()));
        let shape = errors.keep(Shape::read(&item.sig));
        let (Some(access), Some(shape)) = (access, shape) else {
            return errors.or(None);
        };
        if roles.iter().any(|role| role.kind == RoleKind::Filter) && shape.arguments.len() != 2 {
            return Err(Error::new(
                item.sig.ident.span(),
                "a filter takes a `Denied` and the message that `Failed`",
            ));
        }
        let cfgs = item.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect();
        Ok(Some(Self { name: item.sig.ident.clone(), cfgs, roles, options, access, shape }))
    }

    /// What the compiler shall check at the types themselves.
    pub(crate) fn bounds(&self) -> Vec<TokenStream> {
        let kind = self.roles.first().map(|role| role.kind);
        // A bound cannot be compiled conditionally.
        if !self.cfgs.is_empty() || matches!(kind, Some(RoleKind::Filter | RoleKind::Route)) {
            return Vec::new();
        }
        let result = match kind {
            Some(RoleKind::Guard) => quote!(::narthex::IntoVerdict),
            _ => quote!(::narthex::IntoReply),
        };
        let arguments = self.shape.arguments.iter().map(|ty| bound(ty, &quote!(::narthex::FromEvent)));
        let result = self.shape.result.iter().map(|ty| bound(ty, &result));
        arguments.chain(result).flatten().collect()
    }

    /// What is given to the builder in a role.
    pub(crate) fn registered(&self, role: &Role, this: &Ident) -> TokenStream {
        let callable = self.callable(this);
        if self.options.is_empty() || role.kind != RoleKind::Handler {
            return callable;
        }
        let marker = self.marker();
        let options = self.options.iter().map(|option| {
            let Call { name, arguments } = option;
            quote_spanned!(option.span()=> .#name(#(#arguments),*))
        });
        quote_spanned! {self.name.span()=>
            ::narthex::Handler::<#marker>::into_def(#callable) #(#options)*
        }
    }

    pub(crate) fn has_options(&self) -> bool {
        !self.options.is_empty()
    }

    /// The fn's type, so that the compiler says what does not fit instead of looking for another number of arguments.
    pub(crate) fn marker(&self) -> TokenStream {
        let arguments = self
            .shape
            .arguments
            .iter()
            .map(|argument| if says(argument, "'_") { quote!(_) } else { argument.to_token_stream() });
        quote!((fn(#(#arguments),*) -> _,))
    }

    /// The method itself, or a closure that calls it on the gateway's value.
    fn callable(&self, this: &Ident) -> TokenStream {
        let name = &self.name;
        let span = Span::mixed_site().located_at(name.span());
        let (mine, types) = (Ident::new("mine", span), &self.shape.arguments);
        let arguments: Vec<_> = (0..types.len()).map(|i| format_ident!("argument{i}", span = span)).collect();
        let receiver = match self.access {
            Access::Nothing => return quote_spanned!(span=> Self::#name),
            Access::Reference => quote_spanned!(span=> &#mine),
            Access::Arc => mine.to_token_stream(),
        };
        quote_spanned! {span=> {
            let #mine = ::std::sync::Arc::clone(&#this);
            move |#(#arguments: #types),*| {
                let #mine = ::std::sync::Arc::clone(&#mine);
                async move { Self::#name(#receiver, #(#arguments),*).await }
            }
        }}
    }
}

fn access(receiver: Option<&Receiver>) -> Result<Access> {
    let Some(receiver) = receiver else { return Ok(Access::Nothing) };
    let why = match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => return Ok(Access::Reference),
        ReceiverKind::Typed(_, ty) if is_arc(ty) => return Ok(Access::Arc),
        ReceiverKind::Typed(_, ty) => match &**ty {
            Type::Reference(reference) if reference.mutability.is_none() => return Ok(Access::Reference),
            _ => OTHER,
        },
        ReceiverKind::Reference(_, _, Some(_)) => SHARED,
        _ => OTHER,
    };
    Err(Error::new_spanned(receiver, why))
}

const SHARED: &str = "all clients share one value, so methods take `&self`: put what changes in a `Mutex`, an atomic, or `client.set_data`";

const OTHER: &str = "methods take `&self`, `self: Arc<Self>`, or nothing of the value";

fn is_arc(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Arc")
}

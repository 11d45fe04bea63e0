//! What a handler's, guard's or hook's signature must be, said at the tokens that are not.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{Error, FnArg, GenericParam, Result, ReturnType, Signature, Type};

/// As many as the framework's handlers take.
const MAX_ARGUMENTS: usize = 10;

/// What of a signature counts for the builder.
pub(crate) struct Shape {
    /// The types of the arguments, without the receiver's.
    pub(crate) arguments: Vec<Type>,
    /// The written type of the result.
    pub(crate) result: Option<Type>,
}

impl Shape {
    /// Reads a signature.
    ///
    /// # Errors
    /// All that the compiler would say in other words, or at another place.
    pub(crate) fn read(signature: &Signature) -> Result<Self> {
        let mut errors = Errors::default();
        if signature.asyncness.is_none() {
            errors.push(signature.fn_token.span, "handlers, guards, hooks and filters are `async fn`s");
        }
        for parameter in &signature.generics.params {
            if !matches!(parameter, GenericParam::Lifetime(_)) {
                errors.push_at(parameter, "nothing here says what this is: write the type itself");
            }
        }
        let arguments = arguments(signature, &mut errors);
        if let Some(more) = arguments.get(MAX_ARGUMENTS) {
            errors.push_at(more, "ten arguments at most: an extractor of your own can take several at once");
        }
        let result = match &signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, result) => Some((**result).clone()),
        };
        errors.or(Self { arguments, result })
    }
}

fn arguments(signature: &Signature, errors: &mut Errors) -> Vec<Type> {
    let typed = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) => Some((*argument.ty).clone()),
        FnArg::Receiver(_) => None,
    });
    let typed: Vec<_> = typed.collect();
    for argument in &typed {
        if let Type::Reference(_) = argument {
            let why = "arguments are made for the call and owned by it: take `Json<String>`, `Client`, `State<T>` and so on";
            errors.push_at(argument, why);
        } else if says(argument, "impl") {
            errors.push_at(argument, "nothing here says what this is: write the type itself");
        }
    }
    typed
}

/// A bound that has the type's place in the source, so that the compiler's message does.
///
/// There is none for types that cannot be named apart from their function.
pub(crate) fn bound(subject: &Type, implements: &TokenStream) -> Option<TokenStream> {
    if says(subject, "impl") || says(subject, "'_") {
        return None;
    }
    let at = place(subject);
    let implements = respanned(implements, Span::mixed_site().located_at(at));
    Some(quote_spanned!(at=> #subject: #implements))
}

/// The word that a type is known by: `Json` of `narthex::Json<String>`.
fn place(subject: &Type) -> Span {
    let word = match subject {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.span()),
        _ => subject.to_token_stream().into_iter().next().map(|token| token.span()),
    };
    word.unwrap_or_else(Span::call_site)
}

fn respanned(tokens: &TokenStream, span: Span) -> TokenStream {
    let tokens = tokens.clone().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}

/// Whether a keyword, or a lifetime, is somewhere in a type.
pub(crate) fn says(subject: &Type, word: &str) -> bool {
    any(subject.to_token_stream(), word)
}

fn any(tokens: TokenStream, word: &str) -> bool {
    let (quote, name) = word.strip_prefix('\'').map_or((false, word), |name| (true, name));
    let mut after_quote = false;
    for token in tokens {
        match &token {
            TokenTree::Group(group) if any(group.stream(), word) => return true,
            TokenTree::Ident(ident) if *ident == name && after_quote == quote => return true,
            _ => {}
        }
        after_quote = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
    }
    false
}

/// All that is wrong, told at once.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn push(&mut self, span: Span, why: impl std::fmt::Display) {
        self.add(Error::new(span, why));
    }

    pub(crate) fn push_at(&mut self, tokens: impl ToTokens, why: impl std::fmt::Display) {
        self.add(Error::new_spanned(tokens, why));
    }

    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// Keeps a value, or notes why there is none.
    pub(crate) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn or<T>(self, value: T) -> Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}

//! Our attributes: what each is for, and what it takes.

use proc_macro2::Span;
use syn::{Attribute, Error, Expr, Ident, Meta, Result, Token, punctuated::Punctuated};

use crate::signature::Errors;

/// A call of a builder: `.guard(admin)`.
pub(crate) struct Call {
    pub(crate) name: Ident,
    pub(crate) arguments: Vec<Expr>,
}

/// What a method is registered as.
pub(crate) struct Role {
    pub(crate) kind: RoleKind,
    /// The registration's own call, with what goes before the method: `.on("greet", …)`.
    pub(crate) call: Call,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoleKind {
    /// Its options are those of `Handler`.
    Handler,
    /// A guard or a hook.
    Guard,
    Filter,
    /// A handler of HTTP, for axum's router.
    Route,
}

/// What stands before a method's parameters in each of the roles, and which role that is.
const ROLES: [(&str, usize, RoleKind); 16] = [
    ("on", 1, RoleKind::Handler),
    ("fallback", 0, RoleKind::Handler),
    ("on_init", 0, RoleKind::Guard),
    ("on_connect", 0, RoleKind::Guard),
    ("on_disconnect", 0, RoleKind::Guard),
    ("guard", 0, RoleKind::Guard),
    ("connect_guard", 0, RoleKind::Guard),
    ("room_guard", 1, RoleKind::Guard),
    ("filter", 0, RoleKind::Filter),
    ("get", 1, RoleKind::Route),
    ("post", 1, RoleKind::Route),
    ("put", 1, RoleKind::Route),
    ("patch", 1, RoleKind::Route),
    ("delete", 1, RoleKind::Route),
    ("options", 1, RoleKind::Route),
    ("head", 1, RoleKind::Route),
];

/// The options of a handler, with the number of their arguments.
const OPTIONS: [(&str, usize); 8] = [
    ("guard", 1),
    ("layer", 1),
    ("filter", 1),
    ("metadata", 1),
    ("concurrent", 1),
    ("latest", 0),
    ("max_payload", 1),
    ("max_depth", 1),
];

/// The options of a gateway, with the number of their arguments.
const CALLS: [(&str, usize); 9] = [
    ("listen", 1),
    ("state", 1),
    ("metadata", 1),
    ("guard", 1),
    ("connect_guard", 1),
    ("room_guard", 2),
    ("layer", 1),
    ("handshake_layer", 1),
    ("filter", 1),
];

/// What a method's attributes say.
#[derive(Default)]
pub(crate) struct OfMethod {
    pub(crate) roles: Vec<Role>,
    pub(crate) options: Vec<Call>,
}

/// Takes our attributes off a method.
///
/// # Errors
/// Those that do not take what was given to them, and options of what is no handler.
pub(crate) fn of_method(attributes: &mut Vec<Attribute>) -> Result<OfMethod> {
    let (mut found, mut errors) = (OfMethod::default(), Errors::default());
    for attribute in take(attributes, |name| role_named(name).is_some() || option_named(name).is_some()) {
        let Some(call) = errors.keep(call(&attribute)) else { continue };
        let (name, given) = (call.name.to_string(), call.arguments.len());
        match (role_named(&name), option_named(&name)) {
            (Some((wanted, kind)), _) if wanted == given => found.roles.push(Role { kind, call }),
            (_, Some(wanted)) if wanted == given => found.options.push(call),
            (Some((wanted, _)), option) => errors.push(call.name.span(), takes(&name, wanted, option)),
            (None, option) => errors.push(call.name.span(), takes(&name, option.unwrap_or(0), None)),
        }
    }
    found.check(&mut errors);
    errors.or(found)
}

impl OfMethod {
    fn check(&self, errors: &mut Errors) {
        let is_handler = self.roles.iter().any(|role| role.kind == RoleKind::Handler);
        for role in self.roles.iter().filter(|role| is_handler && role.kind != RoleKind::Handler) {
            let name = &role.call.name;
            let why = match option_named(&name.to_string()) {
                Some(_) => format!(
                    "`#[{name}]` makes the method itself a {name}; a handler's {name} is named: `#[{name}(…)]`"
                ),
                None => {
                    format!("a handler cannot be an `{name}` too: each has arguments and results of its own")
                }
            };
            errors.push(name.span(), why);
        }
        for option in self.options.iter().filter(|_| !is_handler) {
            let name = &option.name;
            let why = format!(
                "`#[{name}]` is for handlers, and this is none: `#[on(\"event\")]` or `#[fallback]` is missing"
            );
            errors.push(name.span(), why);
        }
    }
}

/// Takes our attributes off a block.
///
/// # Errors
/// Those that do not take what was given to them.
pub(crate) fn of_block(attributes: &mut Vec<Attribute>) -> Result<Vec<Call>> {
    let (mut calls, mut errors) = (Vec::new(), Errors::default());
    for attribute in take(attributes, |name| named(&CALLS, name).is_some()) {
        let Some(call) = errors.keep(call(&attribute)) else { continue };
        let name = call.name.to_string();
        match named(&CALLS, &name) {
            Some(wanted) if wanted != call.arguments.len() => {
                errors.push(call.name.span(), takes(&name, wanted, None));
            }
            _ => calls.push(call),
        }
    }
    errors.or(calls)
}

fn take(attributes: &mut Vec<Attribute>, is_ours: impl Fn(&str) -> bool) -> Vec<Attribute> {
    let ours = |attribute: &mut Attribute| {
        attribute.path().get_ident().is_some_and(|name| is_ours(&name.to_string()))
    };
    attributes.extract_if(.., ours).collect()
}

fn call(attribute: &Attribute) -> Result<Call> {
    let name = attribute.path().require_ident()?.clone();
    let arguments = match &attribute.meta {
        Meta::Path(_) => Vec::new(),
        Meta::List(list) => {
            let arguments = list.parse_args_with(Punctuated::<Expr, Token![,]>::parse_terminated)?;
            arguments.into_iter().collect()
        }
        Meta::NameValue(pair) => {
            return Err(Error::new(pair.eq_token.span, format!("write it in parentheses: `#[{name}(…)]`")));
        }
    };
    Ok(Call { name, arguments })
}

fn role_named(name: &str) -> Option<(usize, RoleKind)> {
    ROLES.iter().find(|role| role.0 == name).map(|role| (role.1, role.2))
}

fn option_named(name: &str) -> Option<usize> {
    named(&OPTIONS, name)
}

fn named(table: &[(&str, usize)], name: &str) -> Option<usize> {
    table.iter().find(|entry| entry.0 == name).map(|entry| entry.1)
}

/// What an attribute takes, as its role or as an option.
fn takes(name: &str, wanted: usize, option: Option<usize>) -> String {
    let example = match (name, wanted) {
        ("on", _) => "#[on(\"event\")]".to_owned(),
        ("room_guard", 1) => "#[room_guard(\"team:{id}\")]".to_owned(),
        ("room_guard", _) => "#[room_guard(\"team:{id}\", guard)]".to_owned(),
        (_, 0) => format!("#[{name}]"),
        _ if role_named(name).is_some_and(|role| role.1 == RoleKind::Route) => {
            format!("#[{name}(\"/path/{{id}}\")]")
        }
        _ => format!("#[{name}(…)]"),
    };
    match option {
        Some(_) => {
            format!("this is written `{example}` on what is one, or `#[{name}(…)]`, with one, on a handler")
        }
        None => format!("this is written `{example}`"),
    }
}

impl Call {
    /// Where it is in the source.
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }
}

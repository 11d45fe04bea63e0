//! Names of events that the server would refuse at its start.

use std::collections::HashMap;

use syn::{Expr, ExprLit, Ident, Lit, LitStr};

use super::method::Method;
use crate::signature::Errors;

/// Looks at the events that are written as literals.
pub(crate) fn check_all(methods: &[Method], errors: &mut Errors) {
    let mut seen: HashMap<String, &Ident> = HashMap::new();
    for method in methods {
        for role in method.roles.iter().filter(|role| role.call.name == "on") {
            let Some(name) = role.call.arguments.first().and_then(literal) else { continue };
            if let Some(why) = refused(&name.value()) {
                errors.push(name.span(), why);
            } else if method.cfgs.is_empty()
                && let Some(other) = seen.insert(name.value(), &method.name)
            {
                let why = format!("{:?} has its handler already: `{other}`", name.value());
                errors.push(name.span(), why);
            }
        }
    }
}

fn literal(event: &Expr) -> Option<&LitStr> {
    match event {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => Some(name),
        _ => None,
    }
}

fn refused(name: &str) -> Option<String> {
    match name {
        "" => Some("an event has a name".to_owned()),
        "connect" => Some(hook(name, "on_connect")),
        "disconnect" | "disconnecting" => Some(hook(name, "on_disconnect")),
        "connect_error" | "newListener" | "removeListener" => {
            Some(format!("Socket.IO reserves {name:?}: clients never send it"))
        }
        _ => None,
    }
}

fn hook(name: &str, hook: &str) -> String {
    format!("{name:?} is no event that a client sends: the hook is `#[{hook}]`")
}

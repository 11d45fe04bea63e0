//! What somebody may do.

/// Whoever has roles and scopes: implement it for what your handshake's layers give, such as your own claims. Who has
/// none of a kind need not say so.
///
/// ```
/// use narthex_middleware::guards::Authority;
///
/// struct Member {
///     role: String,
///     /// Separated by spaces (RFC 6749 section 3.3).
///     scope: String,
/// }
///
/// impl Authority for Member {
///     fn has_role(&self, role: &str) -> bool {
///         self.role == role
///     }
///
///     fn has_scope(&self, scope: &str) -> bool {
///         self.scope.split(' ').any(|granted| granted == scope)
///     }
/// }
/// ```
pub trait Authority {
    /// Whether it has this role.
    fn has_role(&self, role: &str) -> bool {
        let _ = role;
        false
    }

    /// Whether it was granted this scope.
    fn has_scope(&self, scope: &str) -> bool {
        let _ = scope;
        false
    }
}

impl<A: Authority + ?Sized> Authority for std::sync::Arc<A> {
    fn has_role(&self, role: &str) -> bool {
        (**self).has_role(role)
    }

    fn has_scope(&self, scope: &str) -> bool {
        (**self).has_scope(scope)
    }
}

//! Who may do what: roles and scopes, asked for by metadata.

mod authority;
mod authorized;

pub use self::{
    authority::Authority,
    authorized::{Roles, Scopes, authorized, roles, scopes},
};

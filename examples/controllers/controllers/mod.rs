//! The controllers of this server, a module each.

use crate::controller::Controller;

/// Declares the controllers: their modules, and a list of them all by which the start finds out which were forgotten.
macro_rules! declare {
    ($($module:ident)*) => {
        $(mod $module;)*

        /// All controllers that there are.
        pub(crate) fn declared() -> Vec<Controller> {
            vec![$($module::controller()),*]
        }
    };
}

declare! { admin channels chat demo }

/// The controllers that are served, those that only show things where that is wanted.
pub(crate) fn served(demo: bool) -> Vec<Controller> {
    let mut served = vec![admin::controller(), channels::controller(), chat::controller()];
    served.extend(demo.then(demo::controller));
    served
}

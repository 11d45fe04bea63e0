//! Ready-made error filters.

mod nest;

pub use self::nest::{NestFilter, nest};

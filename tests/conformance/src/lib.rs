//! The behaviour suite that every Narthex adapter passes.

//! The shared HTTP listener of Narthex's HTTP-born adapters.

//! Ready-made tower layers, guards and filters for Narthex.

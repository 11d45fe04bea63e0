//! The raw WebSocket adapter of Narthex: hyper upgrade and tungstenite.

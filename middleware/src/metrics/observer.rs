//! Who comes, leaves and is refused, and what is sent.

use ::metrics::Label;
use narthex_core::{Client, CloseReason, Observer, Refused, Sent};

use super::{
    MetricsLayer,
    names::{CONNECTED, CONNECTIONS, DISCONNECTED, REFUSED},
};

fn adapter(name: &'static str) -> Label {
    Label::from_static_parts("adapter", name)
}

impl Observer for MetricsLayer {
    fn connected(&self, client: &Client) {
        let adapter = adapter(client.adapter());
        self.sink().gauge(CONNECTIONS, [adapter.clone()]).increment(1.0);
        self.sink().counter(CONNECTED, [adapter]).increment(1);
    }

    fn disconnected(&self, client: &Client, reason: &CloseReason) {
        let adapter = adapter(client.adapter());
        self.sink().gauge(CONNECTIONS, [adapter.clone()]).decrement(1.0);
        let reason = Label::from_static_parts("reason", reason.name());
        self.sink().counter(DISCONNECTED, [adapter, reason]).increment(1);
    }

    fn refused(&self, refused: &Refused<'_>) {
        let namespace = refused.namespace.unwrap_or("_unknown").to_owned();
        let labels = [
            adapter(refused.adapter),
            Label::new("namespace", namespace),
            Label::new("status", refused.status.as_str().to_owned()),
        ];
        self.sink().counter(REFUSED, labels).increment(1);
    }

    fn sent(&self, sent: &Sent<'_>) {
        self.count_sent(sent);
    }
}

//! Metrics for Prometheus, at `/metrics`. In earnest that is an address of its own: a scrape is nothing for the public.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::{Router, http::header, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use narthex::ServerHandle;
use narthex::middleware::MetricsLayer;
use tokio::task::JoinHandle;

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of the buckets of durations, in seconds.
const BUCKETS: [f64; 9] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Histograms keep every value until somebody scrapes, or upkeep is done.
const UPKEEP: Duration = Duration::from_secs(5);

/// Counts what a server does, and shows it.
pub(crate) struct Telemetry {
    layer: MetricsLayer,
    page: PrometheusHandle,
    server: Arc<OnceLock<ServerHandle>>,
    upkeep: JoinHandle<()>,
}

impl Telemetry {
    /// Installs the recorder: once for a program.
    pub(crate) fn install() -> Result<Self, BuildError> {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let page = PrometheusBuilder::new().set_buckets_for_metric(seconds, &BUCKETS)?.install_recorder()?;
        let upkeep = tokio::spawn(keep(page.clone()));
        Ok(Self { layer: MetricsLayer::new(), page, server: Arc::default(), upkeep })
    }

    /// For `.observe(…)` and `.message_layer(…)`.
    pub(crate) fn layer(&self) -> MetricsLayer {
        self.layer.clone()
    }

    pub(crate) fn router(&self) -> Router {
        let (layer, page, server) = (self.layer.clone(), self.page.clone(), Arc::clone(&self.server));
        let scrape = move || async move {
            if let Some(server) = server.get() {
                layer.collect(server);
            }
            ([(header::CONTENT_TYPE, TEXT)], page.render()).into_response()
        };
        Router::new().route("/metrics", get(scrape))
    }

    /// From now on scrapes show what this server counts by itself too.
    pub(crate) fn watch(&self, server: ServerHandle) {
        // There is one server in a program like this.
        let _ = self.server.set(server);
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.upkeep.abort();
    }
}

async fn keep(page: PrometheusHandle) {
    let mut often = tokio::time::interval(UPKEEP);
    loop {
        often.tick().await;
        page.run_upkeep();
    }
}

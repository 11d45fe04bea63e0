//! A subscriber that writes down what it is told.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer,
    filter::EnvFilter,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, SpanRef},
};

/// An event, or a span that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) level: Level,
    /// The span's name, or the event's message.
    pub(crate) name: String,
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// The spans around it, the outermost first.
    pub(crate) within: Vec<&'static str>,
}

impl Entry {
    pub(crate) fn get(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }
}

#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<Entry>>>);

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

fn within<'a, S: Subscriber + for<'b> LookupSpan<'b>>(inner: Option<SpanRef<'a, S>>) -> Vec<&'static str> {
    inner.map_or_else(Vec::new, |span| span.scope().from_root().map(|span| span.name()).collect())
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let name = fields.0.remove("message").unwrap_or_default();
        let within = within(context.event_span(event));
        self.0.lock().unwrap().push(Entry {
            level: *event.metadata().level(),
            name,
            fields: fields.0,
            within,
        });
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let Fields(fields) = span.extensions_mut().remove().unwrap();
        let level = *span.metadata().level();
        let within = within(span.parent());
        self.0.lock().unwrap().push(Entry { level, name: span.name().to_owned(), fields, within });
    }
}

impl Recorder {
    /// Records what passes a filter, on this thread.
    pub(crate) fn set(filter: &str) -> (Self, DefaultGuard) {
        let recorder = Self::default();
        let subscriber = tracing_subscriber::registry().with(EnvFilter::new(filter)).with(recorder.clone());
        (recorder, tracing::subscriber::set_default(subscriber))
    }

    /// Everything of that name so far.
    pub(crate) fn all(&self, name: &str) -> Vec<Entry> {
        self.0.lock().unwrap().iter().filter(|entry| entry.name == name).cloned().collect()
    }

    /// The only one of that name.
    pub(crate) fn one(&self, name: &str) -> Entry {
        let mut all = self.all(name);
        assert_eq!(all.len(), 1, "{name}: {all:?}");
        all.remove(0)
    }

    pub(crate) fn everything(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

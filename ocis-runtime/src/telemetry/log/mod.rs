//! Logs as oCIS writes them: one JSON object a line, or lines for a person.
//!
//! Every line belongs to a service, and each service may have a level and an output of its own. The
//! service is what the event or the innermost span around it says in its field `service`; else it
//! follows from the module that speaks. At level error, oCIS's default, no span of a request is
//! made, and everything below costs one comparison.
//!
//! | field | meaning |
//! |---|---|
//! | `level` | trace, debug, info, warn, error |
//! | `service` | the service |
//! | `time` | RFC 3339, seconds, UTC |
//! | `line` | source position, when the service's level is info or lower |
//! | `message` | the sentence; all other fields are those of the event and of the spans around it |

mod fields;
mod format;
mod output;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ocis_core::config::{Log, LogLevel};
use ocis_core::time::Clock;
use ocis_core::{Error, Result};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use self::fields::Fields;
use self::output::{Output, Outputs};

/// The name of lines that belong to no service.
const NO_SERVICE: &str = "ocis";

/// Sends the log of this process where the settings say: `global`, except for the services that
/// have settings of their own. [`ocis_core::ErrorKind::InvalidArgument`] when a file cannot be
/// opened, or when the program that embeds this one has set up a log already.
pub fn install(
    global: &Log,
    services: &HashMap<&'static str, Log>,
    clock: Arc<dyn Clock>,
) -> Result<()> {
    let subscriber = tracing_subscriber::registry().with(ServiceLog::new(global, services, clock)?);
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|error| Error::invalid("this process has a log already").because(error))
}

/// Writes events to the outputs of their services.
pub struct ServiceLog {
    global: Sink,
    services: HashMap<&'static str, Sink>,
    most: LevelFilter,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
struct Sink {
    level: LevelFilter,
    output: Output,
}

impl ServiceLog {
    /// Opens the outputs. Services that write to the same file share it.
    pub fn new(
        global: &Log,
        services: &HashMap<&'static str, Log>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let mut outputs = Outputs::default();
        let mut sink = |log: &Log| {
            Ok::<_, Error>(Sink { level: filter(log.level), output: outputs.open(log)? })
        };
        let global = sink(global)?;
        let services = services
            .iter()
            .map(|(&name, log)| Ok((name, sink(log)?)))
            .collect::<Result<HashMap<_, _>>>()?;
        let most = services.values().map(|sink| sink.level).chain([global.level]).max();
        Ok(Self { most: most.unwrap_or(global.level), global, services, clock })
    }

    fn sink(&self, service: &str) -> &Sink {
        self.services.get(service).unwrap_or(&self.global)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ServiceLog {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.most
            && (is_ours(metadata.target()) || self.hears_others(metadata))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.add_outer(outer);
            }
        }
        let service = fields.take_service();
        let service = service.as_deref().unwrap_or_else(|| service_of(metadata.target()));
        let sink = self.sink(service);
        if *metadata.level() > sink.level {
            return;
        }
        let line = format::Line {
            level: metadata.level(),
            service,
            time: self.clock.now(),
            position: metadata
                .file()
                .zip(metadata.line())
                .filter(|_| sink.level >= LevelFilter::INFO),
            fields: &fields,
        };
        sink.output.write(&line);
    }
}

impl ServiceLog {
    /// Libraries tell much that helps nobody who runs a server; all of it comes at trace.
    fn hears_others(&self, metadata: &Metadata<'_>) -> bool {
        self.most == LevelFilter::TRACE || *metadata.level() <= tracing::Level::WARN
    }
}

impl fmt::Debug for ServiceLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceLog").field("level", &self.global.level).finish_non_exhaustive()
    }
}

/// Nothing here is as grave as fatal or panic.
fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Fatal | LogLevel::Panic => LevelFilter::OFF,
    }
}

fn is_ours(target: &str) -> bool {
    target.starts_with("ocis")
}

/// The service in whose name a module speaks when nobody says otherwise.
fn service_of(target: &str) -> &'static str {
    /// Crates (and modules) without the `ocis_` that all of them begin with.
    const OWNERS: [(&str, &str); 7] = [
        ("runtime::http", "proxy"),
        ("runtime::edge", "proxy"),
        ("webdav", "ocdav"),
        ("ocs", "frontend"),
        ("graph", "graph"),
        ("auth", "idm"),
        ("storage", "storage-users"),
    ];
    let module = target.strip_prefix("ocis_").unwrap_or_default();
    OWNERS.iter().find(|(start, _)| module.starts_with(start)).map_or(NO_SERVICE, |(_, name)| name)
}

#[cfg(test)]
mod tests;

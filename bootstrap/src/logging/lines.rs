//! One line an event.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::audit::Audit;
use super::fields::{Fields, one_line};
use super::levels::AUDIT;
use super::limiter::{Held, Limiter};
use crate::config::LogFormat;

/// The targets of this server's crates begin so.
const OURS: &str = "dittofs";
/// Events of a kind that are written in a minute: enough to see what differs between them, and with the four kinds that a
/// store causes which is away still less than 5 KB. A kind is a place in the code and a share, of which there are a few
/// hundred.
const BURST: u32 = 3;

/// Where lines go; copies lead to the same place.
#[derive(Clone)]
pub(super) struct Lines {
    shared: Arc<Shared>,
}

struct Shared {
    format: LogFormat,
    limiter: Mutex<Limiter<Common>>,
    out: Mutex<Box<dyn Write + Send>>,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Lines").field("format", &self.shared.format).finish_non_exhaustive()
    }
}

/// The properties that events of a kind have in common.
#[derive(Clone, Debug)]
struct Common {
    level: Level,
    /// Where they are from.
    target: String,
    /// The message of the first of them.
    message: String,
    share: Option<String>,
}

/// A line before it is written.
struct Line<'a> {
    level: Level,
    target: &'a str,
    fields: &'a Fields,
    /// From the outermost inwards.
    spans: Vec<(&'static str, Fields)>,
}

impl Lines {
    pub(super) fn new(out: Box<dyn Write + Send>, format: LogFormat) -> Self {
        let limiter = Mutex::new(Limiter::new(BURST));
        Self { shared: Arc::new(Shared { format, limiter, out: Mutex::new(out) }) }
    }

    /// Reports what was held back in times that have ended, or in all.
    pub(super) fn report_held(&self, all: bool) {
        let held = self.shared.limiter.lock().take_held(Instant::now(), all);
        for Held { count, common } in held {
            let mut fields = Fields::of(true);
            let Some(Common { level, target, message, share }) = common else {
                fields.message = format!("{count} more of many kinds in the last minute");
                self.write(&Line { level: Level::WARN, target: OURS, fields: &fields, spans: Vec::new() });
                continue;
            };
            fields.message = format!("{count} more of this kind in the last minute: {message}");
            if let Some(share) = share {
                let _ = write!(fields.message, " share={share}");
            }
            self.write(&Line { level, target: &target, fields: &fields, spans: Vec::new() });
        }
    }

    fn admits(&self, event: &Event<'_>, target: &str, fields: &Fields) -> bool {
        let level = *event.metadata().level();
        // Whoever asks for more than that wants it all.
        if level > Level::INFO {
            return true;
        }
        let share = fields.text("share");
        let common = || Common {
            level,
            target: target.to_owned(),
            message: fields.message.clone(),
            share: share.map(str::to_owned),
        };
        let kind = (event.metadata().callsite(), target, share);
        self.shared.limiter.lock().admits(kind, Instant::now(), common)
    }

    fn write(&self, line: &Line<'_>) {
        let mut text = match self.shared.format {
            LogFormat::Text => line.text(),
            LogFormat::Json => line.json(),
        };
        text.push('\n');
        // There is nowhere to report that the log can't be written.
        let _ = self.shared.out.lock().write_all(text.as_bytes());
    }
}

/// The time, as logs have it.
pub(super) fn timestamp() -> String {
    let mut text = String::new();
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

impl Line<'_> {
    fn text(&self) -> String {
        let mut text = format!("{} {:>5} ", timestamp(), self.level);
        for (name, fields) in &self.spans {
            let shown: Vec<String> = fields.others.iter().map(ToString::to_string).collect();
            let _ = write!(text, "{name}{{{}}}: ", shown.join(" "));
        }
        let _ = write!(text, "{}: {}", self.target, one_line(&self.fields.message));
        for other in &self.fields.others {
            let _ = write!(text, " {other}");
        }
        text
    }

    fn json(&self) -> String {
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), timestamp().into());
        object.insert("level".to_owned(), self.level.as_str().into());
        object.insert("target".to_owned(), self.target.into());
        object.insert("message".to_owned(), self.fields.message.as_str().into());
        insert(&mut object, self.fields);
        if !self.spans.is_empty() {
            let span = |(name, fields): &(&'static str, Fields)| {
                let mut span = Map::new();
                span.insert("name".to_owned(), (*name).into());
                insert(&mut span, fields);
                Value::from(span)
            };
            object.insert("spans".to_owned(), self.spans.iter().map(span).collect());
        }
        Value::from(object).to_string()
    }
}

/// Adds fields, under another name where theirs is taken.
pub(super) fn insert(object: &mut Map<String, Value>, fields: &Fields) {
    for other in &fields.others {
        let mut name = other.name.to_owned();
        while object.contains_key(&name) {
            name.push('_');
        }
        object.insert(name, other.value.clone());
    }
}

/// Writes events as lines, and those about changes to their own file.
pub(super) struct LineLayer {
    lines: Lines,
    audit: Arc<OnceLock<Audit>>,
}

impl LineLayer {
    /// The file is one that is opened later, or never.
    pub(super) fn new(lines: Lines, audit: Arc<OnceLock<Audit>>) -> Self {
        Self { lines, audit }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LineLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::of(true);
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() == AUDIT {
            self.audit.get().into_iter().for_each(|audit| audit.note(event));
            return;
        }
        let mut fields = Fields::of(event.metadata().target().starts_with(OURS));
        event.record(&mut fields);
        let target = fields.target.take().unwrap_or_else(|| event.metadata().target().to_owned());
        if !self.lines.admits(event, &target, &fields) {
            return;
        }
        let scope = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
        let spans = scope.map(|span| (span.name(), span.extensions().get::<Fields>().cloned().unwrap_or_default()));
        let spans = spans.collect();
        self.lines.write(&Line { level: *event.metadata().level(), target: &target, fields: &fields, spans });
    }
}

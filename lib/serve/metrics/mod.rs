//! `GET /metrics` for Prometheus (OpenMetrics 1.0).
//!
//! No label comes from outside: types are those of our own vocabulary, and everything else is `other`.
//!
//! * [`Metrics`]: what is counted where it happens.
//! * `scrape`: what is looked up when somebody asks.
//! * [`listen`]: the page on an address of its own.
//! * `process`: what the process takes.

pub mod listen;
mod process;
mod scrape;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use park_core::record::catalogue;
use park_core::stream::Rejected;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply};

use crate::access::Person;
use crate::hub::Counts;
use crate::operations::{Outcome, Surface};
use crate::server::Server;
pub use scrape::{CONTENT_TYPE, page};

/// `GET /metrics`, for operators and admins.
pub fn routes(server: &Arc<Server>) -> BoxedFilter<(Response,)> {
    let server = Arc::clone(server);
    let person = warp::ext::get::<Arc<Person>>();
    let page =
        warp::path!("metrics").and(warp::get()).and(person).map(move |person: Arc<Person>| {
            match person.may_command() {
                true => warp::reply::with_header(page(&server), "content-type", CONTENT_TYPE).into_response(),
                false => {
                    warp::reply::with_status("not with this role", StatusCode::FORBIDDEN).into_response()
                }
            }
        });
    page.boxed()
}

/// One label, whose name and value are our own.
type Label = [(&'static str, &'static str); 1];

/// The name of every type that is not one of ours.
const OTHER: &str = "other";

/// What is counted where it happens.
pub struct Metrics {
    registry: Registry,
    /// By type, in the order of the names; the last is for all others.
    records: Vec<(&'static str, Counter)>,
    duplicates: Counter,
    rejected: Family<Label, Counter>,
    commits: Histogram,
    commands: Family<Label, Counter>,
    opened: Family<Label, Counter>,
    closed: Family<Label, Counter>,
    lost: Counter,
}

/// Why connections end, as they say it themselves; anything else is `other`.
const WHYS: &[&str] = &["left", "slow", "stopping", "replaced", "silent", "expired", "too_long", "failed"];

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::with_prefix("park");
        let by_type = Family::<Label, Counter>::default();
        registry.register("records", "Records made durable, by type", by_type.clone());
        let mut kinds: Vec<&'static str> = catalogue().iter().map(|entry| entry.kind).collect();
        kinds.sort_unstable();
        kinds.push(OTHER);
        let records =
            kinds.into_iter().map(|kind| (kind, by_type.get_or_create_owned(&[("type", kind)]))).collect();
        // From a tenth of a millisecond to 1.6 seconds.
        let commits = Histogram::new(exponential_buckets(0.0001, 2.0, 15));
        let metrics = Metrics {
            records,
            duplicates: Counter::default(),
            rejected: Family::default(),
            commits,
            commands: Family::default(),
            opened: Family::default(),
            closed: Family::default(),
            lost: Counter::default(),
            registry,
        };
        metrics.register()
    }
}

impl Metrics {
    fn register(mut self) -> Metrics {
        let Metrics { registry, duplicates, rejected, commits, commands, opened, closed, lost, .. } =
            &mut self;
        registry.register("duplicates", "Records that were in the log before", duplicates.clone());
        registry.register("rejected", "Lines that were no good records, by reason", rejected.clone());
        registry.register("store_commit_seconds", "Time to make a burst durable", commits.clone());
        registry.register("commands", "Commands to gates and cameras, by outcome", commands.clone());
        registry.register("connects", "Connections opened, by surface", opened.clone());
        registry.register("disconnects", "Connections closed, by reason", closed.clone());
        registry.register("trail_lost", "Notes that could not be written to the trail", lost.clone());
        // What has not happened yet is 0, not absent.
        Rejected::ALL.iter().for_each(|why| drop(rejected.get_or_create(&[("reason", why.name())])));
        Outcome::ALL.iter().for_each(|outcome| drop(commands.get_or_create(&[("outcome", outcome.name())])));
        Surface::ALL.iter().for_each(|surface| drop(opened.get_or_create(&[("surface", surface.name())])));
        WHYS.iter().for_each(|why| drop(closed.get_or_create(&[("reason", why)])));
        self
    }

    /// A burst was made durable within `took`: these types were new, and so many records were not.
    pub fn committed<'a>(&self, took: Duration, kinds: impl Iterator<Item = &'a str>, duplicates: usize) {
        self.commits.observe(took.as_secs_f64());
        self.duplicates.inc_by(duplicates as u64);
        kinds.for_each(|kind| self.record(kind));
    }

    fn record(&self, kind: &str) {
        let others = self.records.len() - 1;
        let known = self.records[..others].binary_search_by_key(&kind, |(name, _)| name);
        self.records[known.unwrap_or(others)].1.inc();
    }

    /// A line was no good record.
    pub fn rejected(&self, why: Rejected) {
        self.rejected.get_or_create(&[("reason", why.name())]).inc();
    }

    /// It is known what came of a command.
    pub fn commanded(&self, outcome: Outcome) {
        self.commands.get_or_create(&[("outcome", outcome.name())]).inc();
    }

    /// A connection was opened.
    pub fn opened(&self, surface: Surface) {
        self.opened.get_or_create(&[("surface", surface.name())]).inc();
    }

    /// A connection has ended.
    pub fn closed(&self, why: &str) {
        let why = WHYS.iter().find(|known| **known == why).copied().unwrap_or(OTHER);
        self.closed.get_or_create(&[("reason", why)]).inc();
    }

    /// A note for the trail was lost.
    pub fn lost(&self) {
        self.lost.inc();
    }

    /// What the statistics keep, with what the hub counts: counts since the start, by name and thing.
    pub fn counted(&self, hub: &Counts) -> Vec<((&'static str, &'static str), u64)> {
        let records = self.records.iter().map(|(kind, count)| (("records", *kind), count.get()));
        let commands = Outcome::ALL.iter().map(|outcome| {
            let label = [("outcome", outcome.name())];
            (("commands", outcome.name()), self.commands.get_or_create(&label).get())
        });
        let connections = Surface::ALL.iter().map(|surface| {
            let label = [("surface", surface.name())];
            (("connections", surface.name()), self.opened.get_or_create(&label).get())
        });
        let delivered = (("deliveries", ""), hub.delivered.load(Ordering::Relaxed));
        let slow = (("slow", ""), hub.slow.load(Ordering::Relaxed));
        records.chain(commands).chain(connections).chain([delivered, slow]).collect()
    }

    /// How many records were made durable since the start.
    pub fn stored(&self) -> u64 {
        self.records.iter().map(|(_, count)| count.get()).sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_makes_no_series() {
        let metrics = Metrics::default();
        let series = |metrics: &Metrics| {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &metrics.registry).unwrap();
            text
        };
        let before = series(&metrics).lines().count();
        for n in 0..1000 {
            metrics.committed(Duration::ZERO, [format!("type{n}").as_str(), "alert"].into_iter(), 1);
            metrics.closed(Box::leak(format!("why{n}").into_boxed_str()));
        }
        let after = series(&metrics);
        assert!(after.contains("park_records_total{type=\"other\"} 1000\n"), "{after}");
        assert!(after.contains("park_records_total{type=\"alert\"} 1000\n"), "{after}");
        assert_eq!(after.lines().count(), before + 1, "but for the reason `other`");
        assert_eq!(metrics.stored(), 2000);
    }
}

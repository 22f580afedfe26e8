//! The page: what was counted, and what is looked up now.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Label, process};
use crate::server::Server;

/// The page's type.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The page as it is now.
pub fn page(server: &Server) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode_registry(&mut text, &server.metrics.registry)
        .and_then(|()| encode_registry(&mut text, &looked_up(server)))
        .and_then(|()| encode_registry(&mut text, &of_process()))
        .and_then(|()| encode_eof(&mut text));
    text
}

fn looked_up(server: &Server) -> Registry {
    let mut registry = Registry::with_prefix("park");
    let surfaces = Family::<Label, Gauge>::default();
    for (surface, count) in server.operations.surfaces() {
        surfaces.get_or_create(&[("surface", surface.name())]).set(count as i64);
    }
    registry.register("subscribers", "Connections that are open, by surface", surfaces);
    let waiting = server.hub.waiting();
    for (name, help, value) in [
        ("queue_bytes", "Bytes that wait for all subscribers", waiting.sum),
        ("queue_bytes_max", "Bytes that wait for the subscriber for whom the most wait", waiting.most),
        ("controllers", "Gates that have a controller", server.hub.controllers.gates().len()),
    ] {
        registry.register(name, help, gauge(value as u64));
    }
    let counts = &server.hub.counts;
    registry.register("published", "Records published to subscribers", counter(&counts.published));
    registry.register("deliveries", "Records handed to subscribers' queues", counter(&counts.delivered));
    let drops = Family::<Label, Counter>::default();
    for (reason, count) in [
        ("slow", &counts.slow),
        ("cut", &counts.cut),
        ("expired", &counts.expired),
        ("silent", &counts.silent),
    ] {
        drops.get_or_create(&[("reason", reason)]).inc_by(count.load(Ordering::Relaxed));
    }
    registry.register("dropped_subscribers", "Subscribers sent away, by reason", drops);
    let limits = &server.limits.counts;
    registry.register(
        "connections",
        "Connections that are open",
        gauge(limits.connections.load(Ordering::Relaxed)),
    );
    registry.register("connections_accepted", "Connections accepted", counter(&limits.accepted));
    let refused = Family::<Label, Counter>::default();
    for (reason, count) in limits.refused() {
        refused.get_or_create(&[("reason", reason)]).inc_by(count);
    }
    registry.register("refused", "Connections and requests refused, by reason", refused);
    registry
}

fn of_process() -> Registry {
    let mut registry = Registry::with_prefix("process");
    let usage = process::usage();
    for (name, help, value) in [
        ("resident_memory_bytes", "Memory in use", usage.resident),
        ("open_fds", "Open descriptors", usage.descriptors),
        ("max_fds", "How many descriptors may be open", usage.most_descriptors),
        ("threads", "Threads", usage.threads),
    ] {
        registry.register(name, help, gauge(value));
    }
    registry
}

fn gauge(value: u64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    gauge
}

fn counter(count: &AtomicU64) -> Counter {
    let counter = Counter::default();
    counter.inc_by(count.load(Ordering::Relaxed));
    counter
}

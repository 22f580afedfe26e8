//! Numbers for the admins' screen.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use park_core::Result;

use super::availability::availability;
use crate::server::Server;

/// The numbers by name: the `stats` of dialect C's `live_stats`.
pub async fn live_stats(server: &Server) -> Result<BTreeMap<String, f64>> {
    let sessions = server.history.read(|store| store.summary(None)).await?;
    let lots = server.hub.view(|_, state| availability(state, None));
    let sum = |of: fn(&super::availability::Lot) -> u32| lots.iter().map(|lot| f64::from(of(lot))).sum();
    let surfaces = server.operations.surfaces();
    let counts = &server.hub.counts;
    let mut stats: BTreeMap<String, f64> = [
        ("connections", surfaces.values().sum::<usize>() as f64),
        ("controllers", server.hub.controllers.gates().len() as f64),
        ("parking_lots", lots.len() as f64),
        ("total_spaces", sum(|lot| lot.total_spaces)),
        ("occupied_spaces", sum(|lot| lot.occupied_spaces)),
        ("available_spaces", sum(|lot| lot.available_spaces)),
        ("vehicles_inside", sessions.inside as f64),
        ("entries", sessions.entries as f64),
        ("exits", sessions.exits as f64),
        ("records", server.metrics.stored() as f64),
        ("published", counts.published.load(Ordering::Relaxed) as f64),
        ("deliveries", counts.delivered.load(Ordering::Relaxed) as f64),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (surface, count) in surfaces {
        stats.insert(format!("connections_{}", surface.name()), count as f64);
    }
    Ok(stats)
}

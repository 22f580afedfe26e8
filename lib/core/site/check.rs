//! What must hold between the tables of a [`Site`].

use std::collections::BTreeMap;

use super::Site;
use crate::error::{Error, Kind, Result};
use crate::stream::Endpoint;

fn wrong(key: impl std::fmt::Display, what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Config, format!("{key}: {what}"))
}

pub(super) fn check(site: &Site) -> Result<()> {
    ids(site)?;
    references(site)?;
    numbers(site)?;
    detectors(site)?;
    slots(site)
}

fn detectors(site: &Site) -> Result<()> {
    let of_gates = site.gates.iter().map(|(id, gate)| (format!("gates.{id}.detector"), &gate.detector));
    let of_lots = site.lots.iter().map(|(id, lot)| (format!("lots.{id}.detector"), &lot.detector));
    for (key, url) in of_gates.chain(of_lots) {
        if url.as_ref().is_some_and(|url| !matches!(url.parse(), Ok(Endpoint::Ws(_)))) {
            return Err(wrong(key, "it must be a ws:// or wss:// URL"));
        }
    }
    Ok(())
}

fn ids(site: &Site) -> Result<()> {
    let tables = [
        ("cameras", site.cameras.keys().collect::<Vec<_>>()),
        ("gates", site.gates.keys().collect()),
        ("lots", site.lots.keys().collect()),
        ("contractors", site.contractors.keys().collect()),
    ];
    for (table, ids) in tables {
        if ids.iter().any(|id| id.trim().is_empty()) {
            return Err(wrong(table, "an id is empty"));
        }
    }
    Ok(())
}

/// A reference to `id` that stands at `key` must be found in `table`.
fn refer<T>(key: String, id: &str, what: &str, table: &BTreeMap<String, T>) -> Result<()> {
    if table.contains_key(id) {
        return Ok(());
    }
    let known: Vec<&str> = table.keys().map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(wrong(key, format!("there is no {what} {id:?} (known: {known})")))
}

fn references(site: &Site) -> Result<()> {
    for (id, gate) in &site.gates {
        refer(format!("gates.{id}.lot"), &gate.lot, "lot", &site.lots)?;
    }
    for (id, camera) in &site.cameras {
        if let Some(gate) = &camera.gate {
            refer(format!("cameras.{id}.gate"), gate, "gate", &site.gates)?;
        }
        if let Some(lot) = &camera.lot {
            refer(format!("cameras.{id}.lot"), lot, "lot", &site.lots)?;
        }
        if let (Some(lot), Some(gate)) = (&camera.lot, &camera.gate)
            && site.lot_of_gate(gate) != Some(lot)
        {
            return Err(wrong(format!("cameras.{id}.lot"), format!("gate {gate:?} leads to another lot")));
        }
    }
    for (id, contractor) in &site.contractors {
        refer(format!("contractors.{id}.lot"), &contractor.lot, "lot", &site.lots)?;
    }
    Ok(())
}

fn numbers(site: &Site) -> Result<()> {
    let amount = |key: String, amount: Option<f64>| match amount {
        Some(amount) if !(amount.is_finite() && amount >= 0.0) => {
            Err(wrong(key, format!("{amount} is not an amount of 0 or more")))
        }
        _ => Ok(()),
    };
    for (id, camera) in &site.cameras {
        if camera.timeout.is_some_and(|timeout| !(timeout.is_finite() && timeout > 0.0)) {
            return Err(wrong(format!("cameras.{id}.timeout"), "it must be more than 0 seconds"));
        }
    }
    for (id, lot) in &site.lots {
        if lot.capacity == Some(0) {
            return Err(wrong(format!("lots.{id}.capacity"), "a lot holds at least one vehicle"));
        }
        amount(format!("lots.{id}.penalty"), lot.penalty)?;
    }
    for (id, contractor) in &site.contractors {
        amount(format!("contractors.{id}.penalty"), contractor.penalty)?;
        amount(format!("contractors.{id}.grace"), Some(contractor.grace))?;
        if contractor.capacity.is_none() && contractor.slots.is_empty() {
            return Err(wrong(
                format!("contractors.{id}.capacity"),
                "it is missing, and there are no slots to count instead",
            ));
        }
    }
    Ok(())
}

fn slots(site: &Site) -> Result<()> {
    for (lot_id, lot) in &site.lots {
        let mut place = BTreeMap::new();
        for (slot, level) in lot.all_slots() {
            let key = level.map_or_else(
                || format!("lots.{lot_id}.slots"),
                |level| format!("lots.{lot_id}.levels.{level}.slots"),
            );
            if let Some(other) = place.insert(slot, key.clone()) {
                return Err(wrong(key, format!("slot {slot:?} stands in {other} too")));
            }
        }
        let mut owner = BTreeMap::new();
        for (id, contractor) in site.contractors_of(lot_id) {
            for slot in &contractor.slots {
                let key = format!("contractors.{id}.slots");
                if !place.is_empty() && !place.contains_key(slot.as_str()) {
                    return Err(wrong(key, format!("lot {lot_id:?} has no slot {slot:?}")));
                }
                if let Some(other) = owner.insert(slot, id) {
                    return Err(wrong(key, format!("slot {slot:?} is contractor {other:?}'s")));
                }
            }
        }
    }
    Ok(())
}

//! Reports as tables for people.

use std::fmt::Write;

use super::key::Names;
use super::plates::PlateReport;
use super::rates::Share;
use super::reliability::Reliability;
use super::slots::SlotReport;

/// The width of the first column.
const WIDTH: usize = 22;

/// The table of a report on plates.
pub fn plates(report: &PlateReport) -> String {
    let mut out =
        format!("{} pictures, {} plates, {} readings\n", report.pictures, report.plates, report.readings);
    share(&mut out, &format!("detected (IoU {})", report.iou), &report.detected_iou);
    share(&mut out, "detected (on)", &report.detected_on);
    if report.exact.of > 0 {
        share(&mut out, "exact", &report.exact);
        share(&mut out, "exact (anywhere)", &report.exact_anywhere);
        share(&mut out, "exact (first)", &report.exact_first);
        share(&mut out, &format!("among first {}", report.candidates), &report.top);
        share(&mut out, "readings right", &report.right);
        let percent =
            |rate: Option<f64>| rate.map_or("     –".to_owned(), |rate| format!("{:6.2} %", 100.0 * rate));
        row(&mut out, "wrong characters", &percent(report.cer_all));
        row(&mut out, "  of plates read", &percent(report.cer_matched));
    }
    let falsely = format!(
        "{:6.3}    {} in {} pictures",
        report.false_per_picture, report.false_readings, report.pictures_with_false
    );
    row(&mut out, "false, a picture", &falsely);
    let duplicates = format!("{:6.3}    {}", report.duplicates_per_picture, report.duplicates);
    row(&mut out, "duplicates, a picture", &duplicates);
    for (reason, count) in &report.rejected {
        row(&mut out, "rejected", &format!("{count:6}    {reason}"));
    }
    reliability(&mut out, &report.reliability);
    unmatched(&mut out, &report.unmatched());
    if !report.errors.is_empty() {
        out.push('\n');
        for error in &report.errors {
            let reading = error.reading.as_deref().unwrap_or("–");
            let _ = writeln!(out, "{}\t{}\t{reading}", error.picture, error.plate);
        }
    }
    out
}

/// The table of a report on slots.
pub fn slots(report: &SlotReport) -> String {
    let mut out = format!(
        "{} records, {} slots, {} states in the truth\n",
        report.records,
        report.slots.len(),
        report.labelled
    );
    share(&mut out, "right", &report.accuracy);
    share(&mut out, "right where told", &report.accuracy_known);
    share(&mut out, "precision (occupied)", &report.precision);
    share(&mut out, "recall (occupied)", &report.recall);
    share(&mut out, "unknown", &report.unknown);
    for (cause, count) in &report.causes {
        row(&mut out, &format!("  {cause}"), &format!("{count:6}"));
    }
    let _ = writeln!(out, "\n{:WIDTH$}{:>10}{:>10}{:>10}", "", "occupied", "free", "unknown");
    for (name, said) in [("occupied, said", &report.occupied), ("free, said", &report.free)] {
        let _ = writeln!(out, "{name:WIDTH$}{:>10}{:>10}{:>10}", said.occupied, said.free, said.unknown);
    }
    if let Some(flips) = &report.flips {
        let many = &flips.too_many;
        let _ = writeln!(out, "\n{:WIDTH$}{:6}    {} in the truth", "flips", flips.count, flips.true_changes);
        let hourly = match (many.rate, many.interval) {
            (Some(rate), Some([low, high])) => {
                format!(
                    "{:6}    {rate:.2} an hour in {:.2} hours  [{low:.2}, {high:.2}]",
                    many.count, many.hours
                )
            }
            _ => format!("{:6}", many.count),
        };
        row(&mut out, "flips too many", &hourly);
    }
    reliability(&mut out, &report.reliability);
    unmatched(&mut out, &report.unmatched());
    let wrong: Vec<_> = report.slots.iter().filter(|slot| slot.accuracy.count < slot.accuracy.of).collect();
    if !wrong.is_empty() {
        let _ = writeln!(out, "\n{:WIDTH$}{:>8}", "slot", "right");
    }
    for slot in wrong {
        share(&mut out, &slot.slot_id, &slot.accuracy);
    }
    if !report.errors.is_empty() {
        out.push('\n');
        for error in &report.errors {
            let said = format!("{:?}", error.said).to_lowercase();
            let _ = writeln!(out, "{}\t{}\t{said}\t{}", error.picture, error.slot_id, error.confidence);
        }
    }
    out
}

fn row(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "{name:WIDTH$}{value}");
}

fn share(out: &mut String, name: &str, share: &Share) {
    let counts = format!("{:>6}/{:<6}", share.count, share.of);
    match (share.rate, share.interval) {
        (Some(rate), Some([low, high])) => {
            let value = format!("{:6.2} %{counts}  [{:.1}, {:.1}]", 100.0 * rate, 100.0 * low, 100.0 * high);
            row(out, name, &value);
        }
        _ => row(out, name, &format!("     –  {counts}")),
    }
}

fn reliability(out: &mut String, found: &Reliability) {
    let Some(off) = found.off else { return };
    let _ = writeln!(out, "\n{:WIDTH$}{:>8}", "confidence", "right");
    for level in &found.bins {
        let name = format!("{:4} to {:4}  ({:.3})", level.from, level.to, level.confidence);
        share(out, &name, &level.right);
    }
    share(out, "0.9 and over", &found.sure);
    row(out, "off by", &format!("{off:6.3}"));
}

fn unmatched(out: &mut String, unmatched: &[(&str, &Names)]) {
    for (what, names) in unmatched.iter().filter(|(_, names)| names.count > 0) {
        let _ = writeln!(out, "\n{what}: {} ({names})", names.count);
    }
}

//! `park-records(5)`, made from the catalogue, so that the page cannot say other than the code.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{Entry, Family, catalogue};
use crate::cli::{DATE, escape};

const HEAD: &str = "\
One JSON object a line, in UTF-8, without empty lines. Every record has the same envelope around its
.IR payload .
A reader ignores fields and types that it does not know, and passes on unchanged what it does not consume.
Within version 1 a field may be added; none is changed or removed.
.SH ENVELOPE
.TP
\\fBtype\\fR (string, required)
What the record is: one of the types below.
.TP
\\fBv\\fR (integer)
The version of the vocabulary: 1. Absent, it counts as 1.
.TP
\\fBid\\fR (string)
26 characters in the form of a ULID that sort by time. It is derived from the record and its time, so that a replay or a
resend has the same id; the store takes each id once.
.TP
\\fBtimestamp\\fR (string)
Event time in RFC 3339: the camera's clock, or for a recording its start and the frame's position. All delays and
durations count event time.
.TP
\\fBsource\\fR (string)
What the record comes from, such as a camera.
.TP
\\fBgate_id\\fR (string)
The gate it concerns.
.TP
\\fBlot_id\\fR (string)
The lot it concerns.
.TP
\\fBpayload\\fR (object, required)
What the record says, by type.
";

/// The manual page of the records in roff's `man` macros.
pub fn page() -> String {
    let mut page = format!(
        ".TH PARK-RECORDS 5 {DATE} \"park\" \"park manual\"\n.SH NAME\n\
         park\\-records \\- the records that park commands exchange\n.SH DESCRIPTION\n"
    );
    page.push_str(HEAD);
    let mut family = None;
    for entry in catalogue() {
        if family.replace(entry.family) != Some(entry.family) {
            let _ = writeln!(page, ".SH {}", title(entry.family));
        }
        record(&mut page, &entry);
    }
    page.push_str(
        ".SH SEE ALSO\n.BR park (7),\n.BR park\\-capture (1),\n.BR park\\-detect (1),\n.BR park\\-gate (1),\n.BR park\\-serve (1),\n.BR park\\-track (1)\n",
    );
    page
}

fn title(family: Family) -> &'static str {
    match family {
        Family::Camera => "CAMERAS",
        Family::Vision => "VISION",
        Family::Gate => "GATES",
        Family::Lot => "LOTS",
        Family::People => "PEOPLE",
        Family::Command => "COMMANDS",
    }
}

fn record(page: &mut String, entry: &Entry) {
    let schema = (entry.schema)();
    let _ = writeln!(page, ".SS {}", escape(entry.kind));
    if let Some(schema) = schema.as_object() {
        let _ = writeln!(page, "{}", escape(&text(schema)));
        fields(page, schema, "");
    }
}

fn text(schema: &Map<String, Value>) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or("").replace('\n', " ")
}

/// The fields of an object, those of nested objects as `outer.inner`, of arrays of objects as `outer[].inner`.
fn fields(page: &mut String, schema: &Map<String, Value>, prefix: &str) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in properties {
        let Some(field) = field.as_object() else { continue };
        let needed = if required.contains(&name.as_str()) { ", required" } else { "" };
        let head = format!("{prefix}{name}");
        let _ = writeln!(
            page,
            ".TP\n\\fB{}\\fR ({}{needed})\n{}",
            escape(&head),
            kind(field),
            escape(&text(field))
        );
        for (value, meaning) in choices(field) {
            let _ = writeln!(page, ".br\n\\fI{}\\fR: {}", escape(&value), escape(&meaning));
        }
        fields(page, field, &format!("{head}."));
        if let Some(items) = field.get("items").and_then(Value::as_object) {
            fields(page, items, &format!("{head}[]."));
        }
    }
}

/// The type of a field in a word or two.
fn kind(field: &Map<String, Value>) -> String {
    let name = match field.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("any").into()
        }
        _ if !choices(field).is_empty() => "string".into(),
        _ => "any".into(),
    };
    match (
        name.as_str(),
        field.get("format").and_then(Value::as_str),
        field.get("items").and_then(Value::as_object),
    ) {
        ("string", Some("date-time"), _) => "time".into(),
        ("array", _, Some(items)) => format!("array of {}", kind(items)),
        _ => name,
    }
}

/// The values of an enumeration with their meanings.
fn choices(field: &Map<String, Value>) -> Vec<(String, String)> {
    let variants = ["oneOf", "anyOf"].iter().find_map(|key| field.get(*key)).and_then(Value::as_array);
    variants
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|variant| match variant.get("const").and_then(Value::as_str) {
            Some(value) => vec![(value.to_owned(), text(variant))],
            None => choices(variant),
        })
        .collect()
}

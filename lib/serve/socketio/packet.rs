//! Socket.IO's packets (protocol version 5) against the messages of Engine.IO. Pure.
//!
//! A client may send binary (types 5 and 6). Nothing of the two dialects that the server sends is: their pictures are base64
//! text. It asks for no acknowledgements either.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::channels::message::text_frame;

/// The only namespace there is.
pub const MAIN: &str = "/";

/// The most attachments that one packet may have.
const ATTACHMENTS: usize = 10;

/// The most arguments that one event may have.
const ARGUMENTS: usize = 16;

/// A packet of a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet<'a> {
    /// The namespace, with its slash.
    pub namespace: &'a str,
    /// What it is.
    pub what: What,
    /// How many binary attachments follow it.
    pub attachments: usize,
}

/// What a packet is.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// `0`: wants to speak, and shows who it is.
    Connect(Map<String, Value>),
    /// `1`: wants to speak no more.
    Disconnect,
    /// `2`, `5`: an event, its arguments, and the number of the acknowledgement it wants.
    Event(String, Vec<Value>, Option<u64>),
    /// `3`, `6`: the acknowledgement of an event. None is ever asked for.
    Ack,
}

/// Why something is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl<'a> Packet<'a> {
    /// Reads a packet: its type, the number of its attachments with a hyphen, its namespace with a comma unless that is
    /// the main one, the number of its acknowledgement, its JSON. Each but the type may be absent.
    pub fn read(text: &'a str) -> Result<Packet<'a>, Malformed> {
        let kind = *text.as_bytes().first().ok_or(Malformed)?;
        let rest = text.get(1..).ok_or(Malformed)?;
        let binary = matches!(kind, b'5' | b'6');
        let (attachments, rest) = if binary { attachments(rest)? } else { (0, rest) };
        let (namespace, rest) = namespace(rest);
        let (id, json) = number(rest)?;
        let what = match kind {
            b'0' if id.is_none() => What::Connect(object(json)?),
            b'1' if id.is_none() && json.is_empty() => What::Disconnect,
            b'2' | b'5' => event(json, id)?,
            b'3' | b'6' => {
                id.ok_or(Malformed)?;
                array(json)?;
                What::Ack
            }
            _ => return Err(Malformed),
        };
        Ok(Packet { namespace, what, attachments })
    }
}

fn attachments(text: &str) -> Result<(usize, &str), Malformed> {
    let (count, rest) = text.split_once('-').ok_or(Malformed)?;
    let digits = (1..=2).contains(&count.len()) && count.bytes().all(|byte| byte.is_ascii_digit());
    let count = count.parse().ok().filter(|count| digits && *count <= ATTACHMENTS).ok_or(Malformed)?;
    Ok((count, rest))
}

/// The namespace without what clients may put behind it like the query of a URL.
fn namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return (MAIN, text);
    }
    let (name, rest) = text.split_once(',').unwrap_or((text, ""));
    (name.split_once('?').map_or(name, |(name, _)| name), rest)
}

fn number(text: &str) -> Result<(Option<u64>, &str), Malformed> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    match digits.is_empty() {
        true => Ok((None, rest)),
        // JavaScript counts no further than this.
        false => {
            let number = digits.parse().ok().filter(|number| *number < 1 << 53).ok_or(Malformed)?;
            Ok((Some(number), rest))
        }
    }
}

fn object(json: &str) -> Result<Map<String, Value>, Malformed> {
    match json {
        "" => Ok(Map::new()),
        json => serde_json::from_str(json).map_err(|_| Malformed),
    }
}

fn array(json: &str) -> Result<Vec<Value>, Malformed> {
    // The parser goes no deeper than 128 levels.
    serde_json::from_str(json).map_err(|_| Malformed)
}

fn event(json: &str, id: Option<u64>) -> Result<What, Malformed> {
    let mut all = array(json)?.into_iter();
    let Some(Value::String(name)) = all.next() else { return Err(Malformed) };
    let arguments: Vec<Value> = all.collect();
    match arguments.len() {
        0..=ARGUMENTS => Ok(What::Event(name, arguments, id)),
        _ => Err(Malformed),
    }
}

/// An event of the server, in a frame.
pub fn event_frame(name: &str, data: &Value) -> Bytes {
    text_frame(format!("42[{},{data}]", Value::from(name)).as_bytes())
}

/// The acknowledgement of a client's event, in a frame.
pub fn ack_frame(id: u64, data: &Value) -> Bytes {
    text_frame(format!("43{id}[{data}]").as_bytes())
}

/// The client is let in, in a frame.
pub fn connected_frame(sid: &str) -> Bytes {
    text_frame(format!(r#"40{{"sid":"{sid}"}}"#).as_bytes())
}

/// The client is not let in, in a frame.
pub fn refused_frame(namespace: &str, message: &str) -> Bytes {
    let namespace = if namespace == MAIN { String::new() } else { format!("{namespace},") };
    text_frame(format!("44{namespace}{}", serde_json::json!({ "message": message })).as_bytes())
}

/// The server ends what it has to say, in a frame. The stock client does not come back by itself after this.
pub fn disconnect_frame() -> Bytes {
    text_frame(b"41")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn what(text: &str) -> Result<What, Malformed> {
        Packet::read(text).map(|packet| packet.what)
    }

    #[test]
    fn packets_are_read() {
        assert_eq!(what("0"), Ok(What::Connect(Map::new())));
        let Ok(What::Connect(auth)) = what(r#"0{"token":"t"}"#) else { panic!() };
        assert_eq!(auth["token"], "t");
        assert_eq!(what("1"), Ok(What::Disconnect));
        let event = |args: &[Value], id| Ok(What::Event("e".into(), args.to_vec(), id));
        assert_eq!(what(r#"2["e"]"#), event(&[], None));
        assert_eq!(what(r#"212["e",{"a":[1]},"x"]"#), event(&[json!({ "a": [1] }), json!("x")], Some(12)));
        assert_eq!(what("37[]"), Ok(What::Ack));
        let packet = Packet::read(r#"52-/admin,7["e",{"_placeholder":true,"num":0}]"#).unwrap();
        assert_eq!((packet.namespace, packet.attachments), ("/admin", 2));
        assert_eq!(Packet::read("0/x?token=1,{}").unwrap().namespace, "/x");
        assert_eq!(Packet::read("0/x").unwrap().namespace, "/x");
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        let deep = format!("2[\"e\",{}]", "[".repeat(100_000));
        let many = format!("2[\"e\"{}]", ",1".repeat(17));
        for bad in [
            "",
            "4{}",
            "7",
            "a",
            "é",
            "0[]",
            "0{",
            "05",
            "1{}",
            "2",
            "2{}",
            "2[]",
            "2[1]",
            "2[null]",
            "2[\"e\"",
            "2abc[\"e\"]",
            "29007199254740993[\"e\"]",
            "299999999999999999999[\"e\"]",
            "3[]",
            "31{}",
            "5[\"e\"]",
            "5-[\"e\"]",
            "511-[\"e\"]",
            "559999-[\"e\"]",
            "5-1-[\"e\"]",
            "5+1-[\"e\"]",
            &deep,
            &many,
        ] {
            assert_eq!(what(bad), Err(Malformed), "{}", &bad[..bad.len().min(40)]);
        }
    }

    #[test]
    fn the_servers_packets_are_written() {
        let text = |frame: Bytes| String::from_utf8(frame[2..].to_vec()).unwrap();
        assert_eq!(text(event_frame("a\"b", &json!({ "x": 1 }))), r#"42["a\"b",{"x":1}]"#);
        assert_eq!(text(ack_frame(3, &json!(null))), "433[null]");
        assert_eq!(text(connected_frame("s")), r#"40{"sid":"s"}"#);
        assert_eq!(text(refused_frame("/x", "Invalid namespace")), r#"44/x,{"message":"Invalid namespace"}"#);
        assert_eq!(text(refused_frame(MAIN, "no")), r#"44{"message":"no"}"#);
    }
}

//! Which slot a key is of, and who has it.

use redis::{Arg, Cmd, Value};

use crate::url::Address;

/// The slots of every cluster.
pub(crate) const SLOTS: u16 = 16_384;

/// The slot of a key: of what stands between its first `{` and the `}` after it, if that is
/// something; else of the whole key.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM, as the specification of the cluster has it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let crc = crc ^ (u16::from(*byte) << 8);
        (0..8).fold(crc, |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 {
                shifted
            } else {
                shifted ^ 0x1021
            }
        })
    })
}

/// The first key of a command; none if any node can answer it.
pub(crate) fn key_of(command: &Cmd) -> Option<&[u8]> {
    let argument = |index: usize| match command.args_iter().nth(index) {
        Some(Arg::Simple(bytes)) => Some(bytes),
        _ => None,
    };
    let name = argument(0)?.to_ascii_uppercase();
    match name.as_slice() {
        b"EVAL" | b"EVALSHA" | b"EVAL_RO" | b"EVALSHA_RO" | b"FCALL" | b"FCALL_RO" => {
            (argument(2)? != b"0").then(|| argument(3)).flatten()
        }
        b"XREAD" | b"XREADGROUP" => {
            let mut arguments = command.args_iter();
            let is_streams = |it: &Arg<&[u8]>| matches!(it, Arg::Simple(it) if it.eq_ignore_ascii_case(b"STREAMS"));
            arguments.find(is_streams)?;
            match arguments.next() {
                Some(Arg::Simple(key)) => Some(key),
                _ => None,
            }
        }
        b"OBJECT" | b"MEMORY" | b"XGROUP" | b"XINFO" | b"BITOP" | b"DEBUG" => argument(2),
        b"ACL" | b"AUTH" | b"CLIENT" | b"CLUSTER" | b"COMMAND" | b"CONFIG" | b"DBSIZE"
        | b"ECHO" | b"FLUSHALL" | b"FLUSHDB" | b"FUNCTION" | b"INFO" | b"LATENCY" | b"PING"
        | b"PUBLISH" | b"PUBSUB" | b"ROLE" | b"SCAN" | b"SCRIPT" | b"SELECT" | b"TIME"
        | b"WAIT" => None,
        _ => argument(1),
    }
}

/// Who has which slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotMap {
    /// First slot, last slot, whose; in order.
    ranges: Vec<(u16, u16, usize)>,
    primaries: Vec<Address>,
}

impl SlotMap {
    /// Reads the answer to `CLUSTER SLOTS`, given by `answered_by`. `None`: it is none.
    pub(crate) fn parse(answer: &Value, answered_by: &Address, nodes_max: usize) -> Option<Self> {
        let Value::Array(rows) = answer else {
            return None;
        };
        let mut map = Self {
            ranges: Vec::with_capacity(rows.len().min(usize::from(SLOTS))),
            primaries: Vec::new(),
        };
        for row in rows {
            let Value::Array(row) = row else {
                return None;
            };
            let [
                Value::Int(first),
                Value::Int(last),
                Value::Array(primary),
                ..,
            ] = row.as_slice()
            else {
                return None;
            };
            let first = u16::try_from(*first).ok()?;
            let last = u16::try_from(*last).ok().filter(|it| *it < SLOTS)?;
            let address = address(primary, answered_by)?;
            let known = map.primaries.iter().position(|it| *it == address);
            let index = known.unwrap_or(map.primaries.len());
            if known.is_none() {
                map.primaries.push(address);
            }
            if map.primaries.len() > nodes_max || first > last {
                return None;
            }
            map.ranges.push((first, last, index));
        }
        map.ranges.sort_unstable();
        Some(map)
    }

    pub(crate) fn owner(&self, slot: u16) -> Option<&Address> {
        let after = self.ranges.partition_point(|(first, _, _)| *first <= slot);
        let (_, last, index) = self.ranges.get(after.checked_sub(1)?)?;
        (slot <= *last).then(|| &self.primaries[*index])
    }

    pub(crate) fn primaries(&self) -> impl Iterator<Item = &Address> {
        self.primaries.iter()
    }

    /// Whether every slot has somebody.
    pub(crate) fn is_complete(&self) -> bool {
        let mut next = 0;
        for (first, last, _) in &self.ranges {
            if *first != next {
                return false;
            }
            next = last + 1;
        }
        next == SLOTS
    }
}

/// A node that does not know its own address stands for the one that was asked.
fn address(node: &[Value], answered_by: &Address) -> Option<Address> {
    let port = match node.get(1)? {
        Value::Int(port) => u16::try_from(*port).ok()?,
        _ => return None,
    };
    let host = match node.first()? {
        Value::BulkString(host) => std::str::from_utf8(host).ok()?,
        Value::SimpleString(host) => host,
        Value::Nil => "",
        _ => return None,
    };
    let host = match is_unknown(host) {
        true => answered_by.host.clone(),
        false => host.to_owned(),
    };
    Some(Address { host, port })
}

/// Whether this is what a node says instead of a host that it does not know or may not tell.
pub(super) fn is_unknown(host: &str) -> bool {
    matches!(host, "" | "?")
}

#[cfg(test)]
mod tests;

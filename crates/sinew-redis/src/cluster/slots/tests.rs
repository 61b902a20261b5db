use proptest::prelude::*;
use redis::cmd;

use super::*;

#[test]
fn slots_are_those_of_the_specification() {
    assert_eq!(crc16(b"123456789"), 0x31c3);
    assert_eq!(slot_of(b"a"), 15495);
    assert_eq!(slot_of(b"b"), 3300);
    assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"user1000"));
    assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
    assert_eq!(slot_of(b"foo{bar}{zap}"), slot_of(b"bar"));
    assert_eq!(slot_of(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
}

#[test]
fn the_key_of_a_command() {
    let key = |command: &Cmd| key_of(command).map(|key| String::from_utf8_lossy(key).into_owned());
    assert_eq!(key(cmd("GET").arg("k")).as_deref(), Some("k"));
    assert_eq!(
        key(cmd("evalsha").arg("d").arg(1).arg("k").arg("v")).as_deref(),
        Some("k")
    );
    assert_eq!(key(cmd("EVAL").arg("d").arg(0).arg("v")), None);
    let mut read = cmd("XREAD");
    read.arg("BLOCK").arg(0).arg("STREAMS").arg("k").arg("$");
    assert_eq!(key(&read).as_deref(), Some("k"));
    assert_eq!(
        key(cmd("XGROUP").arg("CREATE").arg("k")).as_deref(),
        Some("k")
    );
    for name in ["PING", "SCRIPT", "publish", "SCAN"] {
        assert_eq!(key(cmd(name).arg("x")), None);
    }
    assert_eq!(key(&Cmd::new()), None);
}

fn me() -> Address {
    Address {
        host: "me".to_owned(),
        port: 1,
    }
}

fn row(first: i64, last: i64, host: &str, port: i64) -> Value {
    let host = Value::BulkString(host.as_bytes().to_vec());
    let node = Value::Array(vec![host, Value::Int(port), Value::Array(Vec::new())]);
    Value::Array(vec![Value::Int(first), Value::Int(last), node])
}

#[test]
fn a_map_finds_the_owner() {
    let answer = Value::Array(vec![row(5000, 16383, "b", 2), row(0, 4998, "", 7)]);
    let map = SlotMap::parse(&answer, &me(), 10).unwrap();
    assert_eq!(map.owner(0).unwrap().to_string(), "me:7");
    assert_eq!(map.owner(4998).unwrap().to_string(), "me:7");
    assert_eq!(map.owner(4999), None);
    assert_eq!(map.owner(16383).unwrap().to_string(), "b:2");
    assert!(!map.is_complete());
    let answer = Value::Array(vec![row(0, 16383, "b", 2)]);
    let map = SlotMap::parse(&answer, &me(), 10).unwrap();
    assert!(map.is_complete());
    assert_eq!(map.primaries().count(), 1);
}

#[test]
fn what_is_no_map_is_refused() {
    for answer in [
        Value::Nil,
        Value::Array(vec![Value::Int(1)]),
        Value::Array(vec![row(0, 16384, "b", 2)]),
        Value::Array(vec![row(5, 4, "b", 2)]),
        Value::Array(vec![row(0, 1, "b", 70000)]),
        Value::Array(vec![row(-1, 1, "b", 1)]),
        Value::Array(vec![row(0, 1, "a", 1), row(2, 3, "b", 1)]),
    ] {
        assert_eq!(SlotMap::parse(&answer, &me(), 1), None, "{answer:?}");
    }
}

proptest! {
    #[test]
    fn every_key_has_a_slot(key in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(slot_of(&key) < SLOTS);
    }

    #[test]
    fn what_a_map_says_was_in_the_answer(
        rows in prop::collection::vec((0..SLOTS, 0..SLOTS, 0..4_u16), 0..8),
        slot in 0..SLOTS,
    ) {
        let values = rows.iter().map(|(first, last, port)| {
            row(i64::from(*first), i64::from(*last), "n", i64::from(*port))
        });
        if let Some(map) = SlotMap::parse(&Value::Array(values.collect()), &me(), 10)
            && let Some(owner) = map.owner(slot)
        {
            let is_in_answer = rows.iter().any(|(first, last, port)| {
                (*first..=*last).contains(&slot) && *port == owner.port
            });
            prop_assert!(is_in_answer);
        }
    }
}

use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::{EvictionPolicy, INFO_BYTES_MAX, RedisFacts, skew, version};

#[test]
fn what_is_not_said_is_not_known() {
    assert_eq!(RedisFacts::from_info(""), RedisFacts::default());
    let odd = "maxmemory:lots\r\nredis_version:unstable\r\nmaxmemory_policy:guess\r\nrun_id:\r\naof_enabled:0";
    assert_eq!(RedisFacts::from_info(odd), RedisFacts::default());
}

#[test]
fn versions_have_three_parts() {
    for (text, expected) in [
        ("7.0.15", Some([7, 0, 15])),
        ("255.255.255", Some([255, 255, 255])),
        ("8.0", Some([8, 0, 0])),
        ("7.2.4-rc1", Some([7, 2, 4])),
        ("seven", None),
        ("99999999999.0.0", None),
        ("", None),
    ] {
        assert_eq!(version(text), expected, "{text}");
    }
}

#[test]
fn what_the_way_explains_is_no_skew() {
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    for (before, theirs, after, expected) in [
        (100, 100, 100, 0),
        (100, 105, 110, 0),
        (100, 130, 110, 20),
        (100, 40, 110, 60),
    ] {
        let expected = Some(Duration::from_secs(expected));
        assert_eq!(skew(at(before), (theirs, 0), at(after)), expected);
    }
    assert_eq!(skew(at(0), (u64::MAX, u64::MAX), at(0)), None);
}

#[test]
fn an_endless_answer_is_read_up_to_its_bound() {
    let mut text = "x".repeat(INFO_BYTES_MAX);
    text.push_str("\r\nmaxmemory:1\r\n");
    assert_eq!(RedisFacts::from_info(&text), RedisFacts::default());
}

proptest! {
    #[test]
    fn no_answer_is_too_strange(text: String) {
        RedisFacts::from_info(&text);
    }

    #[test]
    fn every_value_is_read_or_unknown(name in "(redis_version|run_id|maxmemory|used_memory|maxmemory_policy|aof_enabled)", value: String) {
        let facts = RedisFacts::from_info(&format!("{name}:{value}\r\n"));
        prop_assert!(facts.run_id.is_none_or(|id| id.chars().count() <= 100));
    }

    #[test]
    fn numbers_come_through(bytes: u64, at in 0..EvictionPolicy::NAMES.len()) {
        let (policy, name) = EvictionPolicy::NAMES[at];
        let facts = RedisFacts::from_info(&format!("used_memory:{bytes}\r\nmaxmemory_policy:{name}\r\n"));
        prop_assert_eq!(facts.used_memory_bytes, Some(bytes));
        prop_assert_eq!(facts.policy, Some(policy));
        prop_assert_eq!(policy.to_string(), name);
    }
}

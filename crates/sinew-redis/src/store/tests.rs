use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<i64>().prop_map(Value::Int),
        proptest::collection::vec(any::<u8>(), 0..8).prop_map(Value::BulkString),
        Just(Value::Okay),
    ];
    leaf.prop_recursive(2, 16, 6, |inner| {
        proptest::collection::vec(inner, 0..6).prop_map(Value::Array)
    })
}

proptest! {
    #[test]
    fn names_come_back(name in "\u{0}{0,3}[a-z\u{0}é]{0,4}") {
        let stored = escaped(&name).to_vec();
        prop_assert_ne!(&stored, &[MARK]);
        prop_assert_eq!(unescaped(stored).expect("a name"), Some(name));
    }

    #[test]
    fn whatever_is_answered_is_a_record_or_an_error(life in value(), fields in value()) {
        if let Ok(record) = record(&life, fields) {
            let lives = matches!(life, Value::Int(left) if left >= 0);
            prop_assert_eq!(record.expires_in.is_some(), lives);
        }
    }
}

#[test]
fn a_life_is_told_in_milliseconds() {
    assert_eq!(milliseconds(None), "");
    assert_eq!(milliseconds(Some(Duration::from_millis(1500))), "1500");
    assert_eq!(milliseconds(Some(Duration::MAX)), "1000000000000000");
}

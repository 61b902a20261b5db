//! Where a value goes, by its name: the rules of Rack.

use serde_json::{Map, Value};

use super::{PARAMS_DEPTH_MAX, ParamsError};

/// Puts `value` where `name` says.
pub(super) fn insert(
    params: &mut Map<String, Value>,
    name: &str,
    value: Value,
) -> Result<(), ParamsError> {
    // At the start of a name brackets mean nothing, so the first character is skipped.
    let after_first = name.chars().next().map_or(0, char::len_utf8);
    let (key, after) = match name[after_first..].find('[') {
        Some(bracket) => name.split_at(after_first + bracket),
        None => (name, ""),
    };
    insert_at(params, name, key, after, value, 1)
}

/// Inserts below an object that is already there, as `name` in brackets says.
fn insert_nested(
    params: &mut Map<String, Value>,
    name: &str,
    value: Value,
    depth: usize,
) -> Result<(), ParamsError> {
    if depth > PARAMS_DEPTH_MAX {
        return Err(ParamsError::TooDeep);
    }
    let (key, after) = match name.strip_prefix("[]") {
        Some(after) => ("[]", after),
        // Without a closing bracket the name is malformed, and a key as it stands.
        None => name
            .strip_prefix('[')
            .and_then(|inside| inside.split_once(']'))
            .unwrap_or((name, "")),
    };
    insert_at(params, name, key, after, value, depth)
}

fn insert_at(
    params: &mut Map<String, Value>,
    name: &str,
    key: &str,
    after: &str,
    value: Value,
    depth: usize,
) -> Result<(), ParamsError> {
    if key.is_empty() {
        return Ok(());
    }
    match after {
        "" => {
            params.insert(key.to_owned(), value);
        }
        "[" => {
            params.insert(name.to_owned(), value);
        }
        "[]" => list(params, key)?.push(value),
        _ if after.starts_with("[]") => {
            let child = list_child(after);
            let list = list(params, key)?;
            if let Some(Value::Object(last)) = list.last_mut()
                && !has_key(last, child)
            {
                return insert_nested(last, child, value, depth + 1);
            }
            list.push(if child == "[]" {
                Value::Array(vec![value])
            } else {
                let mut item = Map::new();
                insert_nested(&mut item, child, value, depth + 1)?;
                Value::Object(item)
            });
        }
        _ => {
            let inner = params
                .entry(key)
                .and_modify(|there| {
                    if there.is_null() {
                        *there = Value::Object(Map::new());
                    }
                })
                .or_insert_with(|| Value::Object(Map::new()));
            match inner {
                Value::Object(inner) => insert_nested(inner, after, value, depth + 1)?,
                other => return Err(conflict(key, "Hash", other)),
            }
        }
    }
    Ok(())
}

/// What follows `[]` in `a[][b]` or `a[][b][c]`: `b`, or `[b][c]` with its brackets.
fn list_child(after: &str) -> &str {
    let child = &after[2..];
    match child
        .strip_prefix('[')
        .and_then(|inside| inside.strip_suffix(']'))
    {
        Some(plain) if !plain.is_empty() && !plain.contains(['[', ']']) => plain,
        _ => child,
    }
}

fn list<'a>(
    params: &'a mut Map<String, Value>,
    key: &str,
) -> Result<&'a mut Vec<Value>, ParamsError> {
    let there = params.entry(key).or_insert(Value::Null);
    if there.is_null() {
        *there = Value::Array(Vec::new());
    }
    match there {
        Value::Array(list) => Ok(list),
        other => Err(conflict(key, "Array", other)),
    }
}

/// Whether the last object of a list already has the key, so that a new object begins.
fn has_key(object: &Map<String, Value>, child: &str) -> bool {
    if child.contains("[]") {
        return false;
    }
    let mut keys = child.split(['[', ']']).filter(|part| !part.is_empty());
    let Some(first) = keys.next() else {
        return false;
    };
    let mut here = object.get(first);
    for key in keys {
        here = match here {
            Some(Value::Object(inner)) => inner.get(key),
            _ => return false,
        };
    }
    here.is_some()
}

fn conflict(name: &str, expected: &'static str, found: &Value) -> ParamsError {
    ParamsError::Conflict {
        name: name.to_owned(),
        expected,
        found: match found {
            Value::Null => "NilClass",
            Value::Bool(_) => "Boolean",
            Value::Number(_) => "Numeric",
            Value::String(_) => "String",
            Value::Array(_) => "Array",
            Value::Object(_) => "Hash",
        },
    }
}

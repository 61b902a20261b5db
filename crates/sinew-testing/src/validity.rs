//! What a browser finds wrong with a form before it sends it.

use dom_query::NodeId;

use crate::form;
use crate::page::Page;

/// The first rule that each field of a form breaks, as a sentence, in the order of the document.
pub(crate) fn broken(page: &Page, form: NodeId) -> Vec<String> {
    let fields = form::fields(page, form).into_iter();
    fields
        .filter_map(|field| broken_rule(page, field))
        .collect()
}

fn broken_rule(page: &Page, field: NodeId) -> Option<String> {
    let kind = match &*page.tag(field) {
        "input" => page.input_type(field),
        tag => tag.to_owned(),
    };
    let is_barred = matches!(&*kind, "hidden" | "button" | "reset" | "submit" | "image")
        || (page.has_attribute(field, "readonly") && kind != "select");
    if is_barred {
        return None;
    }
    let value = page.value(field).unwrap_or_default();
    let breaks = |rule: &str, why: &str| {
        let name = page.called(field);
        Some(format!("{name} breaks `{rule}`: {why}"))
    };
    if page.has_attribute(field, "required")
        && let Some(why) = missing(page, field, &kind, &value)
    {
        return breaks("required", why);
    }
    if value.is_empty() || matches!(&*kind, "checkbox" | "radio" | "file" | "select") {
        return None;
    }
    let said = |name: &str| page.attribute(field, name).filter(|it| !it.is_empty());
    match &*kind {
        "email" => {
            let is_list = page.has_attribute(field, "multiple");
            let mut addresses = value.split(if is_list { ',' } else { '\0' });
            if !addresses.all(|address| is_email(address.trim())) {
                return breaks("type=email", &format!("{value:?} is no e-mail address"));
            }
        }
        "url" if url::Url::parse(value.trim()).is_err() => {
            return breaks(
                "type=url",
                &format!("{value:?} is no address with a scheme"),
            );
        }
        "number" => {
            if let Some((rule, why)) = off_range(page, field, &value) {
                return breaks(&rule, &why);
            }
        }
        "date" | "month" | "week" | "time" | "datetime-local" => {
            // These are written so that the earlier is the smaller text.
            if let Some(min) = said("min").filter(|min| value < *min) {
                return breaks(&format!("min={min}"), &format!("{value} is before it"));
            }
            if let Some(max) = said("max").filter(|max| value > *max) {
                return breaks(&format!("max={max}"), &format!("{value} is after it"));
            }
        }
        _ => {}
    }
    let is_text = matches!(
        &*kind,
        "text" | "search" | "url" | "tel" | "email" | "password"
    );
    if (is_text || kind == "textarea") && page.is_typed(field) {
        let length = value.encode_utf16().count();
        let min = said("minlength").and_then(|min| min.parse::<usize>().ok());
        if let Some(min) = min.filter(|min| length < *min) {
            return breaks(
                &format!("minlength={min}"),
                &format!("{value:?} has {length}"),
            );
        }
    }
    if is_text && let Some(pattern) = said("pattern") {
        // A pattern that is none counts for nothing, in a browser as here.
        if let Ok(expression) = regress::Regex::with_flags(&format!("^(?:{pattern})$"), "v")
            && expression.find(&value).is_none()
        {
            return breaks(
                &format!("pattern={pattern}"),
                &format!("{value:?} does not match"),
            );
        }
    }
    None
}

fn missing(page: &Page, field: NodeId, kind: &str, value: &str) -> Option<&'static str> {
    match kind {
        "checkbox" => (!page.is_checked(field)).then_some("it is not checked"),
        "radio" => {
            let name = page.attribute(field, "name").unwrap_or_default();
            let form = page.closest(field, "form");
            let group = page.elements_below(page.root()).into_iter().filter(|it| {
                *it == field
                    || !name.is_empty()
                        && page.tag(*it) == "input"
                        && page.input_type(*it) == "radio"
                        && page.attribute(*it, "name").as_ref() == Some(&name)
                        && page.closest(*it, "form") == form
            });
            let is_chosen = group.into_iter().any(|it| page.is_checked(it));
            (!is_chosen).then_some("none of its group is checked")
        }
        "file" => page.files(field).is_empty().then_some("no file is chosen"),
        "select" => {
            let chosen = page.chosen(field);
            // The first option stands for "nothing yet" when it has no value.
            let is_placeholder = |option: &NodeId| {
                page.options(field).first() == Some(option)
                    && page.option_value(*option).is_empty()
                    && page.closest(*option, "optgroup").is_none()
                    && !page.has_attribute(field, "multiple")
            };
            let is_missing = chosen.iter().all(is_placeholder);
            is_missing.then_some("nothing is chosen")
        }
        "range" | "color" => None,
        _ => value.is_empty().then_some("it is empty"),
    }
}

/// What the HTML standard takes for an e-mail address, of which it says itself that it is not the RFC's.
fn is_email(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_local =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let domain = if domain.is_ascii() {
        domain.to_owned()
    } else {
        // Written in the letters of a language, as a browser turns it into those of a name server.
        match url::Host::parse(domain) {
            Ok(host) => host.to_string(),
            Err(_) => return false,
        }
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    !local.is_empty() && local.bytes().all(is_local) && domain.split('.').all(is_label)
}

/// The rule about its size that a number breaks, and why.
fn off_range(page: &Page, field: NodeId, value: &str) -> Option<(String, String)> {
    let number = |name: &str| {
        let text = page.attribute(field, name)?;
        text.trim().parse::<f64>().ok().filter(|it| it.is_finite())
    };
    let value: f64 = value.trim().parse().ok()?;
    if let Some(min) = number("min").filter(|min| value < *min) {
        return Some((format!("min={min}"), format!("{value} is less")));
    }
    if let Some(max) = number("max").filter(|max| value > *max) {
        return Some((format!("max={max}"), format!("{value} is more")));
    }
    let step = page.attribute(field, "step");
    if step
        .as_deref()
        .is_some_and(|it| it.eq_ignore_ascii_case("any"))
    {
        return None;
    }
    let step = number("step").filter(|step| *step > 0.0).unwrap_or(1.0);
    let base = number("min").or_else(|| number("value")).unwrap_or(0.0);
    let steps = (value - base) / step;
    // Decimal fractions are seldom exact.
    let is_off = (steps - steps.round()).abs() > 1e-9 * steps.abs().max(1.0);
    is_off.then(|| {
        let why = format!(
            "{value} is none of {base}, {}, {} …",
            base + step,
            base + 2.0 * step
        );
        (format!("step={step}"), why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields, and the rule that Chromium finds broken in each.
    const SEEN_IN_CHROMIUM: [(&str, Option<&str>); 37] = [
        (r#"<input required value=" ">"#, None),
        ("<input required>", Some("required")),
        ("<textarea required> </textarea>", None),
        ("<textarea required></textarea>", Some("required")),
        ("<input required readonly>", None),
        ("<input required type=hidden>", None),
        ("<input required disabled>", None),
        ("<input type=search required>", Some("required")),
        ("<input type=color required>", None),
        ("<input type=file required>", Some("required")),
        ("<input type=checkbox required>", Some("required")),
        (
            "<input type=radio name=r required><input type=radio name=r>",
            Some("required"),
        ),
        (
            "<input type=radio name=r required><input type=radio name=r checked>",
            None,
        ),
        (
            r#"<select required><option value="">choose<option>x</select>"#,
            Some("required"),
        ),
        ("<select required><option>x</select>", None),
        (
            r#"<select required><option>a<option value="" selected>x</select>"#,
            None,
        ),
        (r#"<input minlength=5 value="abc">"#, None),
        (r#"<input type=email value="a@b">"#, None),
        (r#"<input type=email value=" a@b ">"#, None),
        (r#"<input type=email value="a@b c">"#, Some("type=email")),
        (r#"<input type=email value="ä@b.de">"#, Some("type=email")),
        (r#"<input type=email value="a@ü.de">"#, None),
        (r#"<input type=email multiple value="a@b, c@d">"#, None),
        (r#"<input type=url value="example.org">"#, Some("type=url")),
        (r#"<input type=url value="https://example.org">"#, None),
        (
            r#"<input pattern="[a-z]+" value="abc1">"#,
            Some("pattern=[a-z]+"),
        ),
        (r#"<input pattern="a|b" value="ab">"#, Some("pattern=a|b")),
        (r#"<input pattern="(" value="ab">"#, None),
        (r#"<input pattern="\d{2,}" type=number value="1">"#, None),
        (r#"<input type=number value="1.5">"#, None),
        (r#"<input type=number min=0.5 value="1.5">"#, None),
        (r#"<input type=number min=0.5 value="1">"#, Some("step=1")),
        (r#"<input type=number step=any min=1 value="1.5">"#, None),
        (
            r#"<input type=number min=1 max=6 value="7">"#,
            Some("max=6"),
        ),
        (
            r#"<input type=number min=1 max=6 value="0">"#,
            Some("min=1"),
        ),
        (
            "<input type=date min=2024-01-02 value=2024-01-01>",
            Some("min=2024-01-02"),
        ),
        (
            "<input type=time min=10:00 max=12:00 value=13:00>",
            Some("max=12:00"),
        ),
    ];

    #[test]
    fn a_rule_is_broken_where_chromium_finds_it_broken() {
        for (fields, expected) in SEEN_IN_CHROMIUM {
            let page = Page::parse(&format!("<form>{fields}</form>"));
            let form = page.first("form").expect("a selector").expect("a form");
            let broken = broken(&page, form);
            let rules: Vec<_> = broken
                .iter()
                .filter_map(|sentence| sentence.split('`').nth(1))
                .collect();
            assert_eq!(rules, expected.as_slice(), "{fields}");
        }
    }

    #[test]
    fn only_what_was_typed_is_too_short() {
        let mut page = Page::parse("<form><input id=a minlength=5></form>");
        let find = |page: &Page, selector| page.first(selector).expect("a selector");
        let (form, field) = (find(&page, "form"), find(&page, "input"));
        let (form, field) = (form.expect("a form"), field.expect("a field"));
        page.set_value(field, "abc");
        assert_eq!(broken(&page, form), [""; 0]);
        page.type_into(field, "abc");
        let expected = r##"#a breaks `minlength=5`: "abc" has 3"##.to_owned();
        assert_eq!(broken(&page, form), [expected]);
    }
}

//! Messages as an application sends and gets them.

use std::fmt::Write as _;

use serde_json::{Value, json, value::RawValue};

/// How many of a size there are, each other rows: one message over and over would be kinder to caches than life is.
pub(crate) const VARIANTS: usize = 16;

/// Messages of that many bytes that morph a table.
pub(crate) fn morphs(bytes: usize) -> Vec<Box<RawValue>> {
    (0..VARIANTS as u64)
        .map(|variant| {
            let text = morph(bytes, variant);
            RawValue::from_string(text).expect("it was written as JSON")
        })
        .collect()
}

fn morph(bytes: usize, variant: u64) -> String {
    let mut rows = Rows(variant);
    let mut html = String::new();
    let message = |html: &str| {
        let operation = json!({"operation": "morph", "selector": "#orders", "childrenOnly": true, "html": html});
        json!({"cableReady": true, "version": "5.0.6", "operations": [operation]}).to_string()
    };
    while message(&html).len() < bytes {
        rows.write(&mut html);
    }
    while message(&html).len() > bytes {
        html.pop();
    }
    // A character that needs an escape may have been the last: a space has the room of what is missing.
    let missing = bytes - message(&html).len();
    html.push_str(&" ".repeat(missing));
    message(&html)
}

/// Rows of a table with numbers and names that do not repeat in order.
struct Rows(u64);

impl Rows {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn write(&mut self, html: &mut String) {
        const WORDS: [&str; 12] = [
            "Walnut", "Table", "Lamp", "Oak", "Chair", "Linen", "Shelf", "Brass", "Mirror", "Wool",
            "Carpet", "Clock",
        ];
        let id = self.below(100_000);
        let (first, second) = (WORDS[self.below(12)], WORDS[self.below(12)]);
        let state = ["is-open", "is-late", "is-shipped"][self.below(3)];
        let (euros, cents) = (self.below(900), self.below(100));
        let row = write!(
            html,
            "<tr id=\"order-{id}\" class=\"order {state}\"><td>{first} {second}</td><td>{euros}.{cents:02} EUR</td>\
             <td><button class=\"button is-small\" data-reflex=\"click->Orders#ship\" data-id=\"{id}\">Ship</button></td></tr>"
        );
        row.expect("a string takes everything");
    }
}

/// The data of a reflex call with everything the stock client puts into it.
pub(crate) fn call() -> String {
    let attributes = json!({
        "class": "button is-small", "data-reflex": "click->Orders#ship", "data-id": "4711",
        "data-controller": "stimulus-reflex", "data-action": "click->stimulus-reflex#__perform",
        "checked": false, "selected": false, "tag_name": "BUTTON", "value": "",
    });
    let mut data = json!({
        "dataset": {"dataset": attributes, "datasetAll": {}}, "selectors": ["#orders"],
        "id": "e44d0d5a-27b3-481b-a70e-9bdb9f084163", "resolveLate": false, "suppressLogging": false,
        "xpathController": "/html[1]/body[1]/main[1]/table[1]/tbody[1]/tr[2]/td[3]/button[1]",
        "xpathElement": "/html[1]/body[1]/main[1]/table[1]/tbody[1]/tr[2]/td[3]/button[1]",
        "inner_html": "", "text_content": "", "reflexController": "stimulus-reflex",
        "permanentAttributeName": "data-reflex-permanent", "target": "Orders#ship", "args": [],
        "url": "https://example.com/orders?filter=open", "tabId": "0b9bb6f5-8f6b-4d0c-8d0c-1d2f6f1d3c11",
        "version": "3.5.5", "formData": "filter=open&commit=Search",
    });
    data["attrs"] = attributes_of(&data);
    data.to_string()
}

fn attributes_of(data: &Value) -> Value {
    data["dataset"]["dataset"].clone()
}

//! Generated documents: wherever the fast way is sure, the slow way agrees.

use proptest::prelude::*;

use super::*;

/// Elements that hold others, the troublesome ones among them.
const NESTING: &[&str] = &[
    "div", "p", "span", "b", "a", "ul", "li", "table", "tbody", "tr", "td", "th", "thead",
    "caption", "colgroup", "select", "option", "optgroup", "form", "button", "h1", "h2", "dl",
    "dd", "dt", "nobr", "section", "address", "svg", "g", "title", "template", "ruby", "rt",
    "noscript", "x-y", "i", "em", "dialog", "details", "label", "font", "body", "datalist", "pre",
    "html", "frameset", "head", "object",
];
const VOID: &[&str] = &[
    "br",
    "img src=x",
    "input",
    "hr",
    "col",
    "link",
    "path",
    "meta",
    "br/",
    "use/",
    "wbr ",
];
const TEXT: &[&str] = &[
    "x",
    " ",
    "\n",
    "&amp;",
    "a < b",
    "&lt;p&gt;",
    "\n\n",
    "\r\n",
    "\r",
    "é",
    "&nbsp",
    "1 > 0",
    "]]>",
    "&#60;",
    "\u{a0}",
];
const WHOLE: &[&str] = &[
    "<!-- c -->",
    "<!---->",
    "<!-- a -- b -->",
    "<script>if (a<b) '</p>'</script>",
    "<style>a > b {}</style>",
    "<textarea>\n<p></textarea>",
    "<title>t</title>",
    "<script>/* <!-- */</script>",
    "<iframe></iframe>",
    "<!doctype html>",
    "<pre>\n\nx</pre>",
    "<select><option>1</option></select>",
    "<table><tr><td>1</td></tr></table>",
    "<svg><path/></svg>",
    "</p>",
    "</br>",
];
const ATTRIBUTES: &[&str] = &[
    "",
    "",
    "",
    " id=x",
    " id=\"x\"",
    " id='x'",
    " class=\"k l\"",
    " class=k",
    " id=y",
    " hidden",
    " data-a=\"<b>\"",
    " ID=x",
    " id=&#120;",
    " class=\"k&amp;l\"",
    " a=1 a=2",
    " class",
    " @click=\"x > y\"",
    " style='a:\"b\"'",
];

/// A small generator of numbers: proptest gives the seed and prints it when a case fails.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn content(&mut self, out: &mut String, depth: usize) {
        for _ in 0..self.roll(5) {
            match self.roll(8) {
                0..=3 if depth > 0 => {
                    let name = self.pick(NESTING);
                    let attributes = self.pick(ATTRIBUTES);
                    out.push_str(&format!("<{name}{attributes}>"));
                    self.content(out, depth - 1);
                    out.push_str(&format!("</{name}>"));
                }
                4 => {
                    let name = self.pick(VOID);
                    out.push_str(&format!("<{name}>"));
                }
                5 => out.push_str(self.pick(WHOLE)),
                _ => out.push_str(self.pick(TEXT)),
            }
        }
    }

    /// Content that follows the rules, so that the fast way has something to be sure of.
    fn tidy(&mut self, out: &mut String, depth: usize) {
        for _ in 0..=self.roll(4) {
            let attributes = self.pick(ATTRIBUTES);
            match self.roll(9) {
                0 | 1 if depth > 0 => {
                    let name = self.pick(&["div", "section", "main", "article"]);
                    out.push_str(&format!("<{name}{attributes}>"));
                    self.tidy(out, depth - 1);
                    out.push_str(&format!("</{name}>"));
                }
                2 if depth > 0 => {
                    out.push_str(&format!("<ul{attributes}><li>"));
                    self.tidy(out, depth - 1);
                    out.push_str("</li> <li id=x>b</li></ul>");
                }
                3 if depth > 0 => {
                    out.push_str(&format!("<table> <tr{attributes}><td>"));
                    self.tidy(out, depth - 1);
                    out.push_str("</td></tr></table>");
                }
                4 => out.push_str(&format!(
                    "<p{attributes}>a <b>b</b><br>{}</p>",
                    self.pick(TEXT)
                )),
                5 => out.push_str(&format!("<span{attributes}>{}</span>", self.pick(TEXT))),
                6 => out.push_str("<input value=\"a > b\"><img src=x alt=''>"),
                7 => out.push_str(self.pick(&[
                    "<!-- c -->",
                    "<textarea>\n</b></textarea>",
                    "<svg><g><path/></g></svg>",
                ])),
                _ => out.push_str(self.pick(&["x", "\n ", "&amp; y"])),
            }
        }
    }

    /// Takes something out, puts something in, or changes two pieces over.
    fn mutate(&mut self, html: &mut String) {
        let boundaries: Vec<usize> = html.char_indices().map(|(index, _)| index).collect();
        if boundaries.len() < 2 {
            return;
        }
        let at = boundaries[self.roll(boundaries.len())];
        match self.roll(4) {
            0 => {
                let length = self.roll(6);
                let end = boundaries
                    .iter()
                    .copied()
                    .find(|end| *end >= at + length)
                    .unwrap_or(html.len());
                html.replace_range(at..end, "");
            }
            1 => html.insert_str(at, self.pick(WHOLE)),
            2 => {
                let name = self.pick(NESTING);
                html.insert_str(at, &format!("<{name}>"));
            }
            _ => {
                let name = self.pick(NESTING);
                html.insert_str(at, &format!("</{name}>"));
            }
        }
    }
}

const SELECTORS: &[&str] = &[
    "body", "#x", ".k", "div", "tbody", "li", "tr", "td", "table", "p.k", "g", "title", "pre",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_are_cut_alike(seed in 1_u64.., mutations in 0_usize..4, tidy in any::<bool>()) {
        let mut dice = Dice(seed);
        let mut body = String::new();
        if tidy { dice.tidy(&mut body, 4) } else { dice.content(&mut body, 4) }
        let mut page = page(&body);
        for _ in 0..mutations {
            dice.mutate(&mut page);
        }
        let selectors: Vec<&str> = (0..=dice.roll(3)).map(|_| dice.pick(SELECTORS)).collect();
        cut_page(&page, &selectors);
    }

    #[test]
    fn fragments_are_cut_alike(seed in 1_u64.., mutations in 0_usize..4, tidy in any::<bool>()) {
        let mut dice = Dice(seed);
        let mut html = String::new();
        if tidy { dice.tidy(&mut html, 3) } else { dice.content(&mut html, 3) }
        for _ in 0..mutations {
            dice.mutate(&mut html);
        }
        for selector in SELECTORS {
            cut_fragment(&html, selector);
        }
    }
}

#[test]
fn the_fast_way_is_mostly_sure_of_tidy_pages() {
    let sure = (1..=200_u64)
        .filter(|seed| {
            let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(*seed));
            let mut body = String::new();
            dice.tidy(&mut body, 4);
            cut_page(&page(&body), &["body"]).1
        })
        .count();
    assert!(sure > 100, "{sure} of 200");
}

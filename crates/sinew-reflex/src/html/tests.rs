//! What is cut, compared with what the original cut, and the two ways compared with each other.

use std::borrow::Cow;

use html5ever::local_name;

use super::*;
use crate::html::roots::*;

mod generated;
mod recorded;

/// What a browser makes of a piece that it morphs with, written down again.
fn canonical(html: &str) -> String {
    let tree = tree::fragment(html.trim(), local_name!("template"));
    serialize::inner_html(tree.root().first_child().expect("the parser makes a root"))
}

/// Cuts both ways, and tells whether the fast one was sure. Panics if they differ.
fn cut_page(page: &str, selectors: &[&str]) -> (Vec<(usize, String)>, bool) {
    let slow = page_roots_by_tree(page, selectors).expect("the selectors are known");
    let slow: Vec<(usize, String)> = slow
        .iter()
        .map(|root| (root.selector, canonical(&root.html)))
        .collect();
    let fast = page_roots_by_scan(page, selectors).map(|roots| {
        roots
            .iter()
            .map(|root| (root.selector, canonical(&root.html)))
            .collect::<Vec<_>>()
    });
    let sure = fast.is_some();
    if let Some(fast) = fast {
        assert_eq!(fast, slow, "{selectors:?} in\n{page}");
    }
    (slow, sure)
}

fn cut_fragment(html: &str, selector: &str) -> (Option<String>, bool) {
    let canonical_of = |morph: SelectorMorph<'_>| match morph {
        SelectorMorph::Morph(inner) => Some(canonical(&inner)),
        SelectorMorph::InnerHtml => None,
    };
    let slow = canonical_of(selector_morph_by_tree(html, selector).expect("a known selector"));
    let fast = selector_morph_by_scan(html, selector).map(canonical_of);
    let sure = fast.is_some();
    if let Some(fast) = fast {
        assert_eq!(fast, slow, "{selector} in\n{html}");
    }
    (slow, sure)
}

fn page(body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>t</title>\
         <script>if (a < b) x = \"<body>\"</script></head>\n<body class=\"c\">{body}</body>\n</html>\n"
    )
}

#[test]
fn an_ordinary_page_is_sliced() {
    let page = page(
        "\n<main id=app><h1>T &amp; x</h1><p>one<br>two <a href=/x?a=1&b=2>l</a></p>\
         <ul><li>a<ul><li>b</li></ul></li><li class='x open y'>c</li></ul>\
         <table id=t><thead><tr><th>h</th></tr></thead><tbody id=rows><tr><td>1</td></tr></tbody></table>\
         <table id=bare><tr id=row><td>x</td></tr></table>\
         <form id=f><label>n <input name=n disabled></label><select><option>1</option></select>\
         <textarea>\n\n</b></textarea><button type=submit><b>go</b></button></form>\
         <svg viewBox=\"0 0 1 1\"><title>s</title><linearGradient id=\"g\"/><path d=\"M0\"/></svg>\
         <!-- note --><script>var x = '</div>' + \"<p>\"</script><pre>\n x</pre>\
         <template><tr><td>in</td></tr></template></main>\n",
    );
    for selector in [
        "body", "#app", "main", ".open", "li.open", "#rows", "#f", "#row", "#gone", "body.c",
        "button",
    ] {
        let (_, sure) = cut_page(&page, &[selector]);
        assert!(sure, "{selector}");
    }
    let (roots, _) = cut_page(&page, &[".open", "#gone", "#row"]);
    assert_eq!(roots, [(0, "c".to_owned()), (2, "<td>x</td>".to_owned())]);
}

/// The browser's parser makes LF of CR LF, in a slice too.
#[test]
fn line_ends_of_windows_are_no_doubt() {
    let page = page("<div\r\nid=x\r\nclass='k\r\nl'>a\r\nb<pre>\r\nc</pre></div>");
    let (roots, sure) = cut_page(&page, &["div.l"]);
    assert_eq!(roots[0].1, "a\nb<pre>c</pre>");
    assert!(sure);
}

#[test]
fn white_space_behind_the_body_belongs_to_it() {
    let page = page("\n x");
    let roots = page_roots(&page, &[]).unwrap();
    assert_eq!(roots[0].html, "\n x\n\n");
    let tight = "<html><head></head><body>x</body></html>";
    let roots = page_roots(tight, &["body"]).unwrap();
    assert_eq!(roots[0].html, Cow::Borrowed("x"));
    assert!(matches!(roots[0].html, Cow::Borrowed(_)));
}

/// Each of these is repaired by the parser, so that a slice would be wrong, or might be.
#[test]
fn doubt_goes_to_the_parser() {
    for body in [
        "<div id=x><p>a<div>b</div></div>",
        "<div id=x><li>a<li>b</div>",
        "<div id=x><li><div><li>a</li></div></li></div>",
        "<div id=x><li><dialog><li>a</li></dialog></li></div>",
        "<div id=x><p>a<table></table></p></div>",
        "<div id=x><b><i>x</b>y</i></div>",
        "<div id=x><a>1<a>2</a></div>",
        "<div id=x><a>1<b><a>2</a></b></a></div>",
        "<div id=x><button>1<button>2</button></button></div>",
        "<div id=x><form><form></form></form></div>",
        "<div id=x><nobr><nobr>a</nobr></nobr></div>",
        "<div id=x><h1><h2>a</h2></h1></div>",
        "<div id=x><table>stray<tr><td>x</td></tr></table></div>",
        "<div id=x><table><tr><div>x</div></tr></table></div>",
        "<div id=x><table><td>x</td></table></div>",
        "<div id=x><select><div>x</div><option>1</select></div>",
        "<div id=x><option>1<option>2</div>",
        "<div id=x><svg><p>out</p></svg></div>",
        "<div id=x><svg><foreignObject><p>f</p></foreignObject></svg></div>",
        "<div id=x><math><mi>x</mi></math></div>",
        "<div id=x><div/>a</div>",
        "<div id=x><?php ?>a</div>",
        "<div id=x><![CDATA[a]]></div>",
        "<div id=x><!-->a--></div>",
        "<div id=x><!-- a --!> b --></div>",
        "<div id=x><script><!-- <script> </script> --></script></div>",
        "<div id=x><image></div>",
        "<div id=x><body class=d>a</div>",
        "<div id=x>a</p></div>",
        "<div id=x>a</br></div>",
        "<div id=x><frameset></frameset></div>",
        "<div id=x><plaintext>a</div>",
        "<div id=x><template><tr></tr><div>a</div></template></div>",
        "<pre id=x>\n\na</pre>",
        "<textarea id=x>\n\na</textarea>",
        "<table id=x><tr><td>1</td></tr></table>",
        "<svg id=x><path/><g></g></svg>",
        "<svg><g id=x><path/></g></svg>",
        "<input id=x>",
        "<div id=&#120;>a</div>",
        "<div id=x>a\0b</div>",
        "<DIV id=x>a</DIV>",
        "<div id=x>a",
    ] {
        let (_, sure) = cut_page(&page(body), &["#x"]);
        assert!(!sure, "{body}");
    }
    // A row group that nobody wrote is there all the same.
    let (roots, sure) = cut_page(&page("<table><tr><td>1</td></tr></table>"), &["tbody"]);
    assert_eq!((roots.len(), sure), (1, false));
}

#[test]
fn documents_out_of_shape_go_to_the_parser() {
    for document in [
        "<p id=x>a</p>",
        "<!doctype html><title>t</title><p id=x>a</p>",
        "<html><body><p id=x>a</p></body></html>",
        "<html><head><p id=x>a</p></head><body></body></html>",
        "<html><head></head><body><p id=x>a</p></body></html><p>late</p>",
        "<html><head></head><body><p id=x>a</p></body><!-- c --></html>",
        "<html><head></head><body><p id=x>a</p>",
        "\u{feff}<html><head></head><body><p id=x>a</p></body></html>",
    ] {
        let (roots, _) = cut_page(document, &["#x"]);
        assert_eq!(roots, [(0, "a".to_owned())], "{document}");
        let (_, sure) = cut_page(document, &["body"]);
        assert!(!sure, "{document}");
    }
}

#[test]
fn fragments_may_begin_anywhere() {
    for (html, inner, sure) in [
        ("<tr id=x><td>1</td></tr>", Some("<td>1</td>"), true),
        ("<td>0</td><td id=x>1</td>", Some("1"), true),
        (
            "<tbody id=x><tr><td>1</td></tr></tbody>",
            Some("<tr><td>1</td></tr>"),
            true,
        ),
        ("<li id=x>1</li>", Some("1"), true),
        ("<option id=x>1</option>", Some("1"), true),
        ("\n text <div id=x>1</div> more", Some("1"), true),
        ("<div id=x>1</div><div id=x>2</div>", Some("1"), true),
        ("<section><div id=x>1</div></section>", Some("1"), true),
        ("<td>1</td>", None, true),
        ("plain", None, true),
        ("", None, true),
        ("<div id=x>1", Some("1"), false),
        ("<tr><td>0</td></tr><div id=x>1</div>", Some("1"), false),
        ("<body id=x>1</body>", Some("1"), false),
        ("<BODY><p id=x>1</p>", Some("1"), false),
        (
            "<head id=x><title>t</title></head>",
            Some("<title>t</title>"),
            false,
        ),
        ("<!doctype html><p id=x>1", Some("1"), false),
        ("<html><body><p id=x>1", Some("1"), false),
        ("<template><p id=x>1</p></template>", None, true),
    ] {
        let (cut, was_sure) = cut_fragment(html, "#x");
        assert_eq!((cut.as_deref(), was_sure), (inner, sure), "{html}");
    }
}

#[test]
fn a_body_or_a_head_alone_is_all_there_is() {
    let morph = |html| selector_morph(html, "body").unwrap();
    assert_eq!(
        morph("<body><p>x</p></body>"),
        SelectorMorph::Morph("<p>x</p>".into())
    );
    // The parser adds a body behind a lone head: nobody wrote it.
    assert_eq!(
        morph("<head><title>t</title></head>"),
        SelectorMorph::InnerHtml
    );
}

#[test]
fn selectors() {
    let page = page("<div id=a><p>1</p></div><div id=\"b\">2</div>");
    assert_eq!(
        page_roots(&page, &["", "  ", "#b", " #a "])
            .unwrap()
            .iter()
            .map(|root| (root.selector, &*root.html))
            .collect::<Vec<_>>(),
        [(2, "2"), (3, "<p>1</p>")]
    );
    assert_eq!(page_roots(&page, &["#a:has(> p)"]).unwrap().len(), 1);
    assert_eq!(
        page_roots(&page, &["#["]),
        Err(HtmlError::BadSelector("#[".to_owned()))
    );
    assert_eq!(
        selector_morph("x", "#["),
        Err(HtmlError::BadSelector("#[".to_owned()))
    );
    assert_eq!(
        selector_morph("<p id=a></p>", "::part(x)"),
        Ok(SelectorMorph::InnerHtml)
    );
    assert_eq!(page_roots(" \n", &[]), Err(HtmlError::EmptyDocument));
}

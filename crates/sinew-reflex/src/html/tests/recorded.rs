//! What the original answered to the same HTML, equal once a browser has parsed it.

use super::*;

#[test]
fn selector_morphs() {
    for (html, recorded) in [
        (
            "<div id=\"zone\"><a href=\"/x?a=1&amp;b=2\" title='it\"s <ok>' data-x=\"&nbsp;\" disabled class=>t</a><input disabled value='1'><div HIDDEN Class=\"Up\">caps</div></div>",
            Some(
                "<a href=\"/x?a=1&amp;b=2\" title=\"it&quot;s <ok>\" data-x=\"&nbsp;\" disabled=\"\" class=\"\">t</a><input disabled=\"\" value=\"1\"><div hidden=\"\" class=\"Up\">caps</div>",
            ),
        ),
        (
            "<div id=\"zone\"><br><br/><hr /><img src=x><input><wbr><area><col><embed><source><track><param></div>",
            Some("<br><br><hr><img src=\"x\"><input><wbr><area><embed><source><track><param>"),
        ),
        (
            "<div id=\"zone\"><p>one<div>two</div>three</p><b><i>x</b>y</i><ul><li>a<li>b</ul><a>1<a>2</a></div>",
            Some(
                "<p>one</p><div>two</div>three<p></p><b><i>x</i></b><i>y</i><ul><li>a</li><li>b</li></ul><a>1</a><a>2</a>",
            ),
        ),
        (
            "<div id=\"zone\"><table><tr><td>1<tr><td>2</table><table>stray<tr><td>x</td></tr></table></div>",
            Some(
                "<table><tbody><tr><td>1</td></tr><tr><td>2</td></tr></tbody></table>stray<table><tbody><tr><td>x</td></tr></tbody></table>",
            ),
        ),
        (
            "<div id=\"zone\"><template><tr><td>in template</td></tr></template><select><option>1<option selected>2</select></div>",
            Some(
                "<template><tr><td>in template</td></tr></template><select><option>1</option><option selected=\"\">2</option></select>",
            ),
        ),
        (
            "<div id=\"zone\">\n  <p>\n    text   with\tspaces\r\n  </p>\n\n  <span> a </span> <span> b </span>\n</div>",
            Some(
                "\n  <p>\n    text   with\tspaces\n  </p>\n\n  <span> a </span> <span> b </span>\n",
            ),
        ),
        (
            "<body class=\"b\"><div id=\"zone\">in body</div></body>",
            Some("in body"),
        ),
        (
            "<div id=\"zone\">first</div><div id=\"zone\">second</div>",
            Some("first"),
        ),
        (
            "text first <div id=\"zone\">then match</div>",
            Some("then match"),
        ),
        ("<td>cell</td><td>cell 2</td>", None),
        ("<tr id=\"zone\"><td>cell</td></tr>", Some("<td>cell</td>")),
        ("<li>1</li><li>2</li>", None),
        ("<option>1</option><option>2</option>", None),
        ("<head><title>h</title></head>", None),
    ] {
        let (cut, _) = cut_fragment(html, "#zone");
        assert_eq!(cut.as_deref(), recorded.map(canonical).as_deref(), "{html}");
        if let (SelectorMorph::Morph(inner), Some(recorded)) =
            (selector_morph_by_tree(html, "#zone").unwrap(), recorded)
        {
            // The serialiser writes the same bytes.
            assert_eq!(inner, recorded);
        }
    }
}

/// The original loses a newline here at every parse; the browser must end up with what the server rendered.
#[test]
fn a_leading_newline_survives() {
    let html = "<div id=\"zone\"><script>if (a < b && c > d) { x = \"</p>\" }</script><style>p > a { color: red }</style><textarea>\n\n<b>&amp;</b></textarea><pre>\n\n x</pre><noscript><p>n</p></noscript><iframe><p>i</p></iframe><title>t &amp; <b></title></div>";
    let (cut, sure) = cut_fragment(html, "#zone");
    assert!(sure);
    assert_eq!(
        cut.unwrap(),
        "<script>if (a < b && c > d) { x = \"</p>\" }</script><style>p > a { color: red }</style><textarea>\n\n&lt;b&gt;&amp;&lt;/b&gt;</textarea><pre>\n\n x</pre><noscript><p>n</p></noscript><iframe><p>i</p></iframe><title>t &amp; &lt;b&gt;</title>"
    );
    // An element that is itself a root gives the text without the newline that its own start tag eats.
    assert_eq!(
        selector_morph("<pre id=\"zone\">\n\nx</pre>", "#zone"),
        Ok(SelectorMorph::Morph("\nx".into()))
    );
}

#[test]
fn svg_keeps_its_case() {
    let html = "<div id=\"zone\"><svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"/><foreignObject><p>f</p></foreignObject><linearGradient id=\"g\"/><use xlink:href=\"#g\"/></svg><math><mi>x</mi></math></div>";
    let SelectorMorph::Morph(inner) = selector_morph(html, "#zone").unwrap() else {
        panic!("it is there");
    };
    assert_eq!(
        inner,
        "<svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"></path><foreignObject><p>f</p></foreignObject><linearGradient id=\"g\"></linearGradient><use xlink:href=\"#g\"></use></svg><math><mi>x</mi></math>"
    );
}

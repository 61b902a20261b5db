use sinew::prelude::*;

/// Pieces of HTML that parsers disagree about.
const SAMPLES: &[(&str, &str)] = &[
    (
        "entities",
        "a &amp; b &lt;c&gt; &quot;q&quot; 'apos' &nbsp; &copy; &eacute; \u{00a0} \u{2028} \u{2029} \u{1F600} é",
    ),
    (
        "attributes",
        "<a href=\"/x?a=1&amp;b=2\" title='it\"s <ok>' data-x=\"&nbsp;\" disabled class=>t</a><input disabled value='1'><div HIDDEN Class=\"Up\">caps</div>",
    ),
    (
        "void",
        "<br><br/><hr /><img src=x><input><wbr><area><col><embed><source><track><param>",
    ),
    (
        "raw_text",
        "<script>if (a < b && c > d) { x = \"</p>\" }</script><style>p > a { color: red }</style><textarea>\n\n<b>&amp;</b></textarea><pre>\n\n x</pre><noscript><p>n</p></noscript><iframe><p>i</p></iframe><xmp><b></xmp><title>t &amp; <b></title>",
    ),
    (
        "misnested",
        "<p>one<div>two</div>three</p><b><i>x</b>y</i><ul><li>a<li>b</ul><a>1<a>2</a>",
    ),
    (
        "table",
        "<table><tr><td>1<tr><td>2</table><table>stray<tr><td>x</td></tr></table>",
    ),
    (
        "svg",
        "<svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"/><foreignObject><p>f</p></foreignObject><linearGradient id=\"g\"/><use xlink:href=\"#g\"/></svg><math><mi>x</mi></math>",
    ),
    (
        "comment",
        "<!-- a comment --><!doctype html><?php x ?><![CDATA[cdata]]><p>after</p>",
    ),
    (
        "template",
        "<template><tr><td>in template</td></tr></template><select><option>1<option selected>2</select>",
    ),
    (
        "whitespace",
        "\n  <p>\n    text   with\tspaces\r\n  </p>\n\n  <span> a </span> <span> b </span>\n",
    ),
    (
        "custom",
        "<my-element some-attr>x</my-element><dialog open>d</dialog><details><summary>s</summary></details>",
    ),
    ("td", "<td>cell</td><td>cell 2</td>"),
    ("tr", "<tr id=\"zone\"><td>cell</td></tr>"),
    ("li", "<li>1</li><li>2</li>"),
    ("option", "<option>1</option><option>2</option>"),
    (
        "body",
        "<body class=\"b\"><div id=\"zone\">in body</div></body>",
    ),
    ("head", "<head><title>h</title></head>"),
    (
        "leading_text",
        "text first <div id=\"zone\">then match</div>",
    ),
    (
        "two_matches",
        "<div id=\"zone\">first</div><div id=\"zone\">second</div>",
    ),
];

/// Shows a sample as it is or in its container.
pub(crate) struct Html;

fn sample(cx: &Reflex) -> Result<&'static str> {
    let name = cx.element().dataset().get("sample").unwrap_or_default();
    SAMPLES
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, html)| *html)
        .ok_or_else(|| Error::from(format!("key not found: {name:?}")))
}

#[reflex]
impl Html {
    async fn show(&self, cx: &mut Reflex) -> Result {
        let sample = sample(cx)?;
        cx.morph("#zone", format!("<div id=\"zone\">{sample}</div>"));
        Ok(())
    }

    async fn raw(&self, cx: &mut Reflex) -> Result {
        let sample = sample(cx)?;
        cx.morph("#zone", sample);
        Ok(())
    }
}

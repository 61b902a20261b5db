import assert from 'node:assert/strict'
import { test } from 'node:test'
import { library, loaded, open } from './page.mjs'

const LIBRARY = await library()
const OWN = 'document-nonce-of-22-c'
const THEIRS = 'response-nonce-of-22-c'
const META = '<meta name="csp-nonce" nonce='

// jsdom knows the attribute only: here it is also the property that browsers keep when they hide the attribute.
const PROPERTY = `{
  const kept = new WeakMap()
  Object.defineProperty(HTMLElement.prototype, 'nonce', {
    get () { return kept.get(this) || this.getAttribute('nonce') || '' },
    set (nonce) { kept.set(this, nonce) }
  })
}`

/** Runs a test with a page that was started with a nonce, or with another head. */
async function withPage (action, head = `${META}"${OWN}">`) {
  const page = open(`<head>${head}</head>`, PROPERTY, LIBRARY)
  try {
    await loaded(page)
    const { Turbo } = page.window.Library.start()
    await action({ ...page, Turbo })
    assert.deepEqual(page.errors, [])
  } finally {
    page.close()
  }
}

/** What Turbo takes for the HTML of a response. */
function received (Turbo, html, policy, name = 'content-security-policy') {
  const headers = new Map([['Content-Type', 'text/html'], [name, policy]])
  const response = { headers: { get: name => headers.get(name) ?? null }, clone: () => response, text: async () => html }
  return new Turbo.FetchResponse(response).responseHTML
}

const policy = nonce => `default-src 'self'; script-src 'self' 'nonce-${nonce}'; style-src 'nonce-${nonce}'`

test('what has the nonce of its response gets that of the document, and nothing else does', async () => {
  await withPage(async ({ Turbo }) => {
    const html = `<script nonce="${THEIRS}">1</script><script nonce="made-up-by-somebody-else">2</script><script>3</script>`
    const expected = html.replace(THEIRS, OWN)
    assert.equal(await received(Turbo, html, policy(THEIRS)), expected)
    assert.equal(await received(Turbo, html, policy(THEIRS), 'content-security-policy-report-only'), expected)
    // A meta tag can be smuggled in, a header cannot.
    const smuggled = `${META}"made-up-by-somebody-else">${html}`
    assert.equal(await received(Turbo, smuggled, policy(THEIRS)), `${META}"made-up-by-somebody-else">${expected}`)
    assert.equal(await received(Turbo, html, null), html)
  })
})

test('a nonce short enough to be a word is left alone', async () => {
  await withPage(async ({ Turbo }) => {
    assert.equal(await received(Turbo, '<p>a</p>', policy('a')), '<p>a</p>')
  })
})

test('Turbo finds no nonce to bless scripts with', async () => {
  await withPage(async ({ document, Turbo }) => {
    assert.equal(document.querySelector('meta[name="csp-nonce"]'), null)
    const { headSnapshot } = Turbo.PageSnapshot.fromHTMLString(`<head>${META}"${OWN}"><title>Next</title></head>`)
    assert.equal(headSnapshot.element.querySelector('meta'), null)
    assert.ok(headSnapshot.element.querySelector('title'))
  })
})

test('comparing heads takes no nonce away, and does not see it', async () => {
  await withPage(async ({ document, Turbo }) => {
    const html = nonce => `<head><script src="/a.js" nonce="${nonce}"></script><style nonce="${nonce}">b{}</style></head>`
    const [one, other] = [OWN, ''].map(nonce => Turbo.PageSnapshot.fromHTMLString(html(nonce)).headSnapshot)
    assert.deepEqual(Object.keys(one.detailsByOuterHTML), Object.keys(other.detailsByOuterHTML))
    for (const element of one.element.children) assert.equal(element.getAttribute('nonce'), OWN)

    // In the document the browser has hidden it.
    const style = document.head.appendChild(document.createElement('style'))
    style.setAttribute('nonce', '')
    style.nonce = OWN
    Turbo.PageSnapshot.fromElement(document.body)
    assert.equal(style.nonce, OWN)
    assert.equal(style.getAttribute('nonce'), '')
  })
})

test('scripts show their nonce while Turbo copies them, and nothing does when it is in the document', async () => {
  await withPage(async ({ document, window }) => {
    const body = document.createElement('body')
    body.innerHTML = '<script nonce="">1</script><script nonce="">2</script><style nonce=""></style>'
    const [ours, injected, style] = body.children
    ours.nonce = style.nonce = OWN
    injected.nonce = 'made-up-by-somebody-else'
    let rendered
    const detail = { newBody: body, render: (_, next) => { rendered = next.innerHTML } }
    document.dispatchEvent(new window.CustomEvent('turbo:before-render', { detail }))
    assert.equal(ours.getAttribute('nonce'), OWN)
    assert.equal(injected.getAttribute('nonce'), '')
    detail.render(document.body, body)
    assert.ok(!rendered.includes(OWN), rendered)
    assert.equal(ours.nonce, OWN)
    assert.equal(style.nonce, OWN)
  })
})

test('where a page has no nonce, nothing of Turbo changes', async () => {
  await withPage(async ({ Turbo }) => {
    const html = `<head>${META}"${THEIRS}"></head>`
    assert.equal(await received(Turbo, html, policy(THEIRS)), html)
    assert.ok(Turbo.PageSnapshot.fromHTMLString(html).headSnapshot.element.querySelector('meta'))
  }, '')
})

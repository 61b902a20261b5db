// The content security policy of pages, in a browser that enforces it: on the first page and on those that Turbo fetches.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demo } from '../demo.mjs'
import { guarded, shows, visit, withPage } from '../page.mjs'

const app = demo()

/**
 * Changes a page on its way, as its server or somebody who has smuggled something in would have written it.
 *
 * @param {(html: string, nonce: string) => string} change given the nonce that the page's policy names
 */
async function rewrite (page, path, change, options = {}) {
  // To the browser a page that was changed on the way does not come from this machine.
  await page.context().grantPermissions(['local-network-access'])
  await page.route(app.url + path, async route => {
    const response = await route.fetch()
    const headers = response.headers()
    const nonce = guarded({ headers: () => headers, url: () => path })
    await route.fulfill({ response, body: change(await response.text(), nonce), ...options })
  })
}

const inline = (name, nonce) => `<script${nonce === undefined ? '' : ` nonce="${nonce}"`}>(window.ran ??= []).push("${name}")</script>`
const ran = page => page.evaluate(() => window.ran ?? [])
const inBody = (html, more) => html.replace('</main>', `${more}</main>`)
const inHead = (html, more) => html.replace('</head>', `${more}</head>`)

/** Runs a test in which exactly this is refused, each as often as it is named. */
async function withRefusals (refusals, steps, expected = /Content Security Policy|^violates script-src-elem: inline/) {
  const seen = []
  await withPage(app.browser, async page => {
    page.on('console', message => {
      const refused = message.text().match(/Refused to|violates the following/)
      if (message.type() === 'error' && refused) seen.push(message.text())
    })
    await steps(page)
    await page.evaluate(() => document.readyState)
    assert.equal(seen.length, refusals, seen.join('\n'))
  }, { expected })
}

test('a test whose page is against the policy fails, and so does one whose page has none', async () => {
  for (const act of [
    () => document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.inline = true' })),
    () => document.body.append(Object.assign(document.createElement('style'), { textContent: 'p { color: red }' })),
    () => document.body.setAttribute('style', 'color: red'),
    () => document.body.setAttribute('onclick', 'window.inline = true'),
    () => document.body.append(Object.assign(new Image(), { src: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' })),
    () => fetch('https://elsewhere.test/').catch(() => {})
  ]) {
    const failing = withPage(app.browser, async page => {
      await visit(page, app.url + '/')
      await page.evaluate(act)
    })
    await assert.rejects(failing, /the browser complained[^]*violates /, String(act))
  }
  const unguarded = withPage(app.browser, async page => {
    await page.context().grantPermissions(['local-network-access'])
    await page.route(app.url + '/', async route => {
      const response = await route.fetch()
      const { 'content-security-policy': _, ...headers } = response.headers()
      await route.fulfill({ response, headers })
    })
    await visit(page, app.url + '/')
  })
  await assert.rejects(unguarded, /has the policy ""/)
})

test('every response has another nonce, and the page shows none', async () => {
  await withPage(app.browser, async page => {
    const nonces = new Set()
    for (let load = 0; load < 3; load++) nonces.add(guarded(await page.goto(app.url + '/')))
    assert.equal(nonces.size, 3)
    await visit(page, app.url + '/')
    const html = await page.content()
    assert.ok(!/nonce="[^"]/.test(html), html)
    assert.equal(await page.$('meta[name="csp-nonce"]'), null)
    // Turbo styles its progress bar, which the nonce allowed.
    assert.equal(await page.evaluate(() => [...document.querySelectorAll('style')].filter(style => style.sheet?.cssRules.length > 0).length), 1)
  })
})

test('scripts and styles of a page with its nonce work on a first visit and on one by Turbo', async () => {
  await withPage(app.browser, async page => {
    await rewrite(page, '/todos', (html, nonce) => inHead(inBody(html, inline('body', nonce)),
      `${inline('head', nonce)}<style nonce="${nonce}">h1 { letter-spacing: 3px }</style>`))
    const spacing = () => page.evaluate(() => getComputedStyle(document.querySelector('h1')).letterSpacing)

    await visit(page, app.url + '/todos')
    assert.deepEqual(await ran(page), ['head', 'body'])
    assert.equal(await spacing(), '3px')

    await visit(page, app.url + '/')
    await page.evaluate(() => { window.here = true })
    await page.click('nav >> text=Todos')
    await shows(page, 'h1', 'Todos')
    await page.waitForFunction(() => window.ran?.length === 2)
    assert.deepEqual(await ran(page), ['head', 'body'])
    assert.equal(await spacing(), '3px')
    assert.equal(await page.evaluate(() => window.here), true, 'by Turbo, not by a load')
    assert.ok(!/nonce="[^"]/.test(await page.content()))

    // The head's script is there already; the body is new.
    await page.click('nav >> text=Counter')
    await shows(page, 'h1', 'Counter')
    await page.click('nav >> text=Todos')
    await page.waitForFunction(() => window.ran.length === 3)
    assert.deepEqual(await ran(page), ['head', 'body', 'body'])
  })
})

test('what was smuggled into a page does not run, on a first visit nor on one by Turbo', async () => {
  const smuggled = inline('no nonce') + inline('made-up nonce', 'made-up-by-somebody-els')
  const change = (html, nonce) => inHead(inBody(html, smuggled + inline('ours', nonce)),
    `<meta name="csp-nonce" nonce="made-up-by-somebody-els" content="made-up-by-somebody-els">${smuggled}`)

  await withRefusals(4, async page => {
    await rewrite(page, '/todos', change)
    await visit(page, app.url + '/todos')
    assert.deepEqual(await ran(page), ['ours'])
  })
  await withRefusals(4, async page => {
    await rewrite(page, '/todos', change)
    await visit(page, app.url + '/')
    await page.click('nav >> text=Todos')
    await shows(page, 'h1', 'Todos')
    await page.waitForFunction(() => window.ran?.includes('ours'))
    assert.deepEqual(await ran(page), ['ours'])
  })
})

test('a page that Turbo remembers is under the policy when it comes back', async () => {
  await withRefusals(2, async page => {
    const remembered = html => html.replace('<meta name="turbo-cache-control" content="no-cache">', '')
    await rewrite(page, '/todos', (html, nonce) => inBody(remembered(html), inline('ours', nonce) + inline('smuggled')))
    await visit(page, app.url + '/todos')
    await page.evaluate(() => { window.loaded = new Promise(resolve => document.addEventListener('turbo:load', resolve, { once: true })) })
    await page.click('nav >> text=Counter')
    await page.evaluate(async () => { await window.loaded })
    await shows(page, 'h1', 'Counter')
    const requested = []
    page.on('request', request => requested.push(request.url()))
    await page.goBack()
    await shows(page, 'h1', 'Todos')
    await page.waitForFunction(() => window.ran.length === 2)
    assert.deepEqual(await ran(page), ['ours', 'ours'])
    assert.deepEqual(requested.filter(url => url.endsWith('/todos')), [], 'it was remembered')
  })
})

test('frames and the page of an error are under the policy', async () => {
  await withRefusals(2, async page => {
    const frame = (nonce, ...scripts) => `<turbo-frame id="part">${scripts.map(([name, of]) => inline(name, of)).join('')}</turbo-frame>`
    await rewrite(page, '/form', (html, nonce) => inBody(html, frame(nonce, ['frame', nonce], ['smuggled'])))
    await visit(page, app.url + '/')
    await page.evaluate(() => {
      document.querySelector('main').insertAdjacentHTML('beforeend', '<turbo-frame id="part" src="/form"></turbo-frame>')
    })
    await page.waitForFunction(() => window.ran?.length === 1)
    assert.deepEqual(await ran(page), ['frame'])

    await rewrite(page, '/todos', (html, nonce) => inBody(html, inline('error', nonce) + inline('smuggled')), { status: 500 })
    await page.click('nav >> text=Todos')
    await page.waitForFunction(() => window.ran?.length === 2)
    assert.deepEqual(await ran(page), ['frame', 'error'])
  }, /Content Security Policy|^violates script-src-elem: inline|status of 500/)
})

/** Performs operations on the counter's page, as if the server had sent them. */
async function perform (page, operations) {
  await visit(page, app.url + '/')
  await page.evaluate(operations => window.Sinew.CableReady.perform(operations), operations)
}

test('operations style by properties and classes, which the policy allows', async () => {
  await withPage(app.browser, async page => {
    await perform(page, [
      { operation: 'setStyle', selector: '#count', name: 'color', value: 'red' },
      { operation: 'setStyles', selector: '#count', styles: { opacity: '0.5', background: 'blue' } },
      { operation: 'addCssClass', selector: '#count', name: 'quiet' },
      { operation: 'innerHtml', selector: '#count', html: '<b class="quiet">1</b><script>window.ran = ["never"]</script>' },
      { operation: 'pushState', url: '/?pushed' },
      { operation: 'consoleLog', message: 'hello' }
    ])
    assert.equal(await page.$eval('#count', count => count.style.cssText), 'color: red; opacity: 0.5; background: blue;')
    // No browser runs a script that comes this way, whatever the policy.
    assert.deepEqual(await ran(page), [])
  })
})

test('a style of the page goes through a page morph, which shows what the browser shows of a nonce', async () => {
  await withPage(app.browser, async page => {
    await rewrite(page, '/', (html, nonce) => inBody(html, `<style nonce="${nonce}">h1 { letter-spacing: 3px }</style>`))
    await visit(page, app.url + '/')
    // The morph that the server sends for such a page: its nonce is empty.
    const html = await page.$eval('main', main => main.innerHTML.replace('>0<', '>7<'))
    assert.match(html, /<style nonce="">/)
    await page.evaluate(html => {
      window.styled = document.querySelector('main style')
      window.Sinew.CableReady.perform([{ operation: 'morph', selector: '#main', childrenOnly: true, html }])
    }, html)
    await shows(page, '#count', '7')
    assert.equal(await page.evaluate(() => window.styled === document.querySelector('main style')), true)
    assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('h1')).letterSpacing), '3px')
  })
})

test('operations whose HTML brings inline styles or handlers are refused', async () => {
  for (const [operation, directive] of [
    [{ operation: 'innerHtml', selector: '#count', html: '<b style="color: red">1</b>' }, 'style-src-attr'],
    [{ operation: 'outerHtml', selector: '#count', html: '<output id="count"><style>b { color: red }</style></output>' }, 'style-src-elem'],
    [{ operation: 'morph', selector: '#count', html: '<output id="count" style="color: red">1</output>' }, 'style-src-attr'],
    [{ operation: 'setAttribute', selector: '#count', name: 'style', value: 'color: red' }, 'style-src-attr'],
    [{ operation: 'append', selector: '#count', html: '<b onclick="alert(1)">1</b>' }, 'script-src-attr']
  ]) {
    const refused = withPage(app.browser, page => perform(page, [operation]))
    await assert.rejects(refused, new RegExp(`violates ${directive}: inline`), operation.operation)
  }
})

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { connect, REFLEX_CHANNEL, withPage } from './page.mjs'

const EMBEDDED = fs.readFileSync(new URL('../dist/sinew.js', import.meta.url), 'utf8')
const BUTTON = '<button data-reflex="click->Counter#increment">+</button>'
const COUNTER = `<h1>Counter</h1>${BUTTON}<b id="count">0</b>`
const NEXT = '<h1>Next</h1><b id="count">next</b><b id="other">next</b>'

/** A page whose visits are answered by `respond(html)`, one for each request, and whose calls are in `call()`. */
function withCounter (action, body = COUNTER) {
  return withPage(`<body>${body}</body>`, EMBEDDED, async page => {
    const { window, document } = page
    const requests = []
    let request
    window.scrollTo = () => {}
    window.fetch = url => new Promise(resolve => {
      requests.push(html => resolve(response(String(url), html)))
      request?.()
    })
    const socket = await connect(page)
    const calls = []
    const dispatched = (target, name) => new Promise(resolve => target.addEventListener(name, resolve, { once: true }))
    await action({
      ...page,
      socket,
      dispatched,
      /** Clicks the button, and returns what was sent. */
      async call () {
        const button = document.querySelector('button')
        // A page that has just come is wired by a scan, after a moment.
        while (!button.dataset.action) await new Promise(resolve => window.setTimeout(resolve, 1))
        await new Promise(resolve => window.setTimeout(resolve, 0))
        button.click()
        const message = await socket.said(message => message.command === 'message' && !calls.includes(message))
        calls.push(message)
        return JSON.parse(message.data)
      },
      /** Sends operations as the reflexes' channel does. */
      answer (...operations) {
        socket.tell({ identifier: REFLEX_CHANNEL, message: { cableReady: true, version: window.CableReady.version, operations } })
      },
      /** Starts a visit; `respond` answers its request and waits until that is shown. */
      async start (path, options) {
        const started = new Promise(resolve => { request = resolve })
        window.Turbo.visit(path, options)
        if (requests.length === 0) await started
        const answer = requests.shift()
        return {
          async respond (html) {
            const shown = dispatched(document, 'turbo:load')
            answer(html)
            await shown
          }
        }
      },
      reflex: id => window.StimulusReflex.reflexes[id]
    })
  })
}

function response (url, body) {
  const headers = new Map([['content-type', 'text/html']])
  const made = {
    ok: true,
    status: 200,
    redirected: false,
    url,
    headers: { get: name => headers.get(name.toLowerCase()) ?? null },
    clone: () => made,
    text: async () => `<html><head></head><body>${body}</body></html>`
  }
  return made
}

const morph = (call, html = '2') => ({ operation: 'innerHtml', selector: '#count', html, payload: { a: 1 }, reflexId: call.id, stimulusReflex: { ...call, morph: 'selector' } })
const ofReflex = (call, operation) => ({ ...operation, reflexId: call.id })

test('what answers a reflex of a page that was left changes nothing, and the reflex ends', async () => {
  await withCounter(async ({ document, window, call, answer, start, reflex, dispatched, errors }) => {
    const sent = await call()
    const ended = dispatched(document.querySelector('button'), 'stimulus-reflex:nothing')
    await (await start('/next')).respond(NEXT)
    const address = window.location.href
    const resolved = new Promise((resolve, reject) => Object.assign(reflex(sent.id).promise, { resolve, reject }))
    answer(
      morph(sent), { ...morph(sent), selector: '#gone' },
      ofReflex(sent, { operation: 'pushState', url: '/pushed' }),
      ofReflex(sent, { operation: 'innerHtml', selector: '#other', html: 'changed' })
    )
    assert.equal((await resolved).payload.a, 1)
    await ended
    answer(ofReflex(sent, { operation: 'redirectTo', url: '/redirected' }))
    assert.equal(document.body.innerHTML, NEXT)
    assert.equal(window.location.href, address)
    assert.equal(reflex(sent.id).stage, 'nothing')
    assert.deepEqual(errors, [])

    // What carries no id of a reflex aims at the page that is there.
    const changed = dispatched(document, 'cable-ready:after-inner-html')
    window.CableReady.perform([{ operation: 'innerHtml', selector: '#other', html: 'broadcast' }])
    await changed
    assert.equal(document.querySelector('#other').textContent, 'broadcast')
  })
})

test('a failure is still told, and what belongs to the browser is done', async () => {
  await withCounter(async ({ document, window, call, answer, start, reflex, dispatched }) => {
    const sent = await call()
    const ended = dispatched(document.querySelector('button'), 'stimulus-reflex:error')
    await (await start('/next')).respond(NEXT)
    const rejected = new Promise(resolve => { reflex(sent.id).promise.reject = resolve })
    answer(
      { operation: 'dispatchEvent', name: 'stimulus-reflex:morph-error', error: 'no', reflexId: sent.id, stimulusReflex: { ...sent, morph: 'error' } },
      ofReflex(sent, { operation: 'setStorageItem', key: 'theme', value: 'dark', type: 'local' }),
      ofReflex(sent, { operation: 'setTitle', title: 'changed' })
    )
    assert.equal((await rejected).error, 'no')
    await ended
    assert.equal(reflex(sent.id).stage, 'error')
    assert.equal(window.localStorage.getItem('theme'), 'dark')
    assert.notEqual(document.title, 'changed')
  })
})

test('a permanent element, which went along, gets its answer', async () => {
  const cart = '<p id="cart" data-turbo-permanent><b id="count">0</b></p>'
  await withCounter(async ({ document, call, answer, start }) => {
    const sent = await call()
    await (await start('/next')).respond(`<h1>Next</h1>${cart}`)
    answer(morph(sent), ofReflex(sent, { operation: 'innerHtml', selector: 'h1', html: 'changed' }))
    assert.equal(document.querySelector('#count').textContent, '2')
    assert.equal(document.querySelector('h1').textContent, 'Next')
  }, `${BUTTON}${cart}`)
})

test('another visit to the same address is another page', async () => {
  await withCounter(async ({ document, call, answer, start }) => {
    const sent = await call()
    await (await start('/', { action: 'replace' })).respond(COUNTER.replace('>0<', '>1<'))
    answer(morph(sent, 'late'))
    assert.equal(document.querySelector('#count').textContent, '1')
  })
})

test('a reflex of the page that is shown moves nobody who has set out for another since', async () => {
  await withCounter(async ({ document, window, call, answer, start }) => {
    const sent = await call()
    const visit = await start('/next')
    answer(morph(sent), ofReflex(sent, { operation: 'replaceState', url: '/replaced' }), ofReflex(sent, { operation: 'redirectTo', url: '/elsewhere' }))
    assert.equal(document.querySelector('#count').textContent, '2', 'the page is there as yet')
    assert.equal(window.location.pathname, '/')
    await visit.respond(NEXT)
    assert.equal(window.location.pathname, '/next')
  })
})

test('a reflex that is called on the way moves the visitor', async () => {
  await withCounter(async ({ window, call, answer, start }) => {
    await start('/next')
    const sent = await call()
    answer(morph(sent), ofReflex(sent, { operation: 'replaceState', url: '/replaced' }))
    assert.equal(window.location.pathname, '/replaced')
  })
})

test('a preview and what follows it are one page, and not the one before', async () => {
  await withCounter(async ({ document, call, answer, start, dispatched }) => {
    // Both pages are remembered; then the first is gone back to by a link.
    await (await start('/next')).respond(`${NEXT}${BUTTON}`)
    const before = await call()
    const previewed = dispatched(document, 'turbo:render')
    const visit = await start('/')
    await previewed
    assert.ok(document.documentElement.hasAttribute('data-turbo-preview'))
    answer(morph(before, 'late'))
    assert.equal(document.querySelector('#count').textContent, '0')
    const sent = await call()
    await visit.respond(COUNTER)
    answer(morph(sent))
    assert.equal(document.querySelector('#count').textContent, '2')
  })
})

test('Turbo\'s morph renews a page and leaves none', async () => {
  await withCounter(async ({ document, window, call, answer }) => {
    const sent = await call()
    document.dispatchEvent(new window.CustomEvent('turbo:render', { detail: { renderMethod: 'morph' } }))
    answer(morph(sent))
    assert.equal(document.querySelector('#count').textContent, '2')
  })
})

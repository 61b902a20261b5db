// What a page does with the ticket of a session that lives in its cookie.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { connect, REFLEX_CHANNEL, withPage } from './page.mjs'

const EMBEDDED = fs.readFileSync(new URL('../dist/sinew.js', import.meta.url), 'utf8')
const BUTTON = '<button data-reflex="click->Counter#increment">+</button>'

const tell = (socket, message) => socket.tell({ identifier: REFLEX_CHANNEL, message })
const ticket = (ticket, path = '/app/_sinew/session') => ({
  cableReady: true, version: '5.0.6', operations: [{ operation: 'sinewSession', ticket, path, reflexId: 'left long ago' }]
})

/** Requests of the page; each is answered when the test says so. */
function requests ({ window }) {
  const made = []
  const waiting = []
  window.fetch = (url, options) => new Promise((resolve, reject) => {
    made.push({ url: String(url), ...options, resolve, reject })
    waiting.splice(0).forEach(wake => wake())
  })
  const until = async count => { while (made.length < count) await new Promise(resolve => waiting.push(resolve)) }
  return { made, until }
}

test('a ticket is sent to the host of the page, one after the other, and a failure stops none', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const { made, until } = requests(page)
    const socket = await connect(page)
    tell(socket, ticket('one'))
    tell(socket, ticket('two'))
    await until(1)
    assert.equal(made[0].url, 'http://example.test/app/_sinew/session')
    const { method, credentials, body, headers, keepalive } = made[0]
    assert.deepEqual({ method, credentials, body, keepalive, type: headers['Content-Type'] },
      { method: 'POST', credentials: 'same-origin', body: '{"ticket":"one"}', keepalive: true, type: 'application/json' })
    assert.equal(made.length, 1)
    made[0].reject(new Error('the network is gone'))
    await until(2)
    assert.equal(made[1].body, '{"ticket":"two"}')
    made[1].resolve()
    tell(socket, ticket('three', '//elsewhere.test/session'))
    tell(socket, ticket('four'))
    await until(3)
    assert.equal(made[2].body, '{"ticket":"four"}')
    assert.deepEqual(page.errors, [])
  })
})

test("Turbo's requests name the connection to their own host", async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const headersTo = url => {
      const detail = { url: new URL(url), fetchOptions: { headers: {} } }
      page.document.dispatchEvent(new page.window.CustomEvent('turbo:before-fetch-request', { detail }))
      return detail.fetchOptions.headers
    }
    const socket = await connect(page)
    assert.deepEqual(headersTo('http://example.test/sign-in'), {})
    tell(socket, { sinew: { socket: 'abc' } })
    assert.deepEqual(headersTo('http://example.test/sign-in'), { 'Sinew-Socket': 'abc' })
    assert.deepEqual(headersTo('http://elsewhere.test/'), {})
    assert.equal(page.window.Sinew.server, undefined)
    assert.deepEqual(page.errors, [])
  })
})

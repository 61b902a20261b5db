// What `<html>` says about the connection.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { connect, library, withPage } from './page.mjs'

const EMBEDDED = fs.readFileSync(new URL('../dist/sinew.js', import.meta.url), 'utf8')
const LIBRARY = await library()
const BUTTON = '<main id="main"><button data-reflex="click->Counter#increment">+</button></main>'
const state = ({ document }) => document.documentElement.getAttribute('data-sinew-connection')

test('a page without a reflex says how its connection is, too', async () => {
  await withPage('<p>No reflex</p>', EMBEDDED, async page => {
    assert.equal(state(page), null, 'a page that asks for no connection has none')
    const { consumer } = page.window.Sinew
    consumer.subscriptions.create('RoomChannel')
    const socket = await page.firstSocket
    assert.equal(state(page), 'connecting')
    socket.accept()
    assert.equal(state(page), 'open')
    assert.ok(page.document.body.classList.contains('stimulus-reflex-disconnected'), 'the class is about reflexes')

    socket.close()
    assert.equal(state(page), 'lost')
    consumer.connection.open()
    assert.equal(state(page), 'lost', 'an attempt is part of it')
    page.sockets[1].close()
    assert.equal(state(page), 'lost')
    consumer.connection.open()
    page.sockets[2].accept()
    assert.equal(state(page), 'open')

    consumer.disconnect()
    assert.equal(state(page), 'closed')
    consumer.connect()
    assert.equal(state(page), 'connecting')
    page.sockets[3].close()
    assert.equal(state(page), 'lost')
    consumer.disconnect()
    assert.equal(state(page), 'closed', 'it is not tried again')
  })
})

test('a server that says not to come back has closed the connection', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const socket = await connect(page)
    socket.tell({ type: 'disconnect', reason: 'unauthorized', reconnect: false })
    assert.equal(state(page), 'closed')
  })
})

test('what is late from a socket that was replaced says nothing', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const socket = await connect(page)
    socket.readyState = 2
    page.window.Sinew.consumer.connection.open()
    page.sockets[1].accept()
    socket.close()
    assert.equal(state(page), 'open')
  })
})

test('a consumer that is open already is shown, and one of another make is left alone', async () => {
  await withPage(BUTTON, LIBRARY, async page => {
    const { createConsumer, start } = page.window.Library
    const consumer = createConsumer('/mine')
    consumer.subscriptions.create('RoomChannel')
    const socket = await page.firstSocket
    socket.accept()
    start({ consumer })
    assert.equal(state(page), 'open')
  })
  await withPage('', LIBRARY, async page => {
    const subscriptions = { create: () => ({}), findAll: () => [], subscriptions: [] }
    page.window.Library.start({ consumer: { url: 'wss://other.test', subscriptions } })
    assert.equal(state(page), null)
  })
})

test('a morph of the whole page leaves it', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    await connect(page)
    const { CableReady } = page.window.Sinew
    CableReady.perform([{ operation: 'morph', selector: 'html', html: '<html lang="de"><head></head><body><p id="new">new</p></body></html>' }])
    assert.equal(state(page), 'open')
    assert.ok(page.document.querySelector('#new'))
  })
})

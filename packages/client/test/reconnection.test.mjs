// When a page comes back after its connection was lost.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { confirm, connect, withPage } from './page.mjs'

const EMBEDDED = fs.readFileSync(new URL('../dist/sinew.js', import.meta.url), 'utf8')
const BUTTON = '<button data-reflex="click->Counter#increment">+</button>'
/** The first pause where the page draws zero. */
const PAUSE_MIN = 250

const { DEVELOPMENT, pauseBefore, PRODUCTION } = await module('reconnection.ts')

/** A module of the client, by itself. */
async function module (name) {
  const { outputFiles: [file] } = await esbuild.build({
    entryPoints: [path.join(path.dirname(fileURLToPath(import.meta.url)), '../src', name)],
    bundle: true,
    format: 'esm',
    write: false
  })
  return import(`data:text/javascript,${encodeURIComponent(file.text)}`)
}

test('pauses are drawn from windows that double, up to half a minute', () => {
  const windows = pace => [0, 1, 2, 3, 4, 5, 200].map(attempt => [0, 1].map(drawn => pauseBefore(attempt, pace, () => drawn)))
  assert.deepEqual(windows(PRODUCTION), [[250, 2000], [250, 4000], [250, 8000], [250, 16_000], [250, 30_000], [250, 30_000], [250, 30_000]])
  assert.deepEqual(windows(DEVELOPMENT), [[100, 100], [100, 200], [100, 400], [100, 800], [100, 1600], [100, 2000], [100, 2000]])
})

test('the pages that a restart has cut off come back spread over the window', () => {
  // A sequence that is the same each time (Park and Miller's).
  let seed = 1
  const random = () => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647
  const pages = 10_000
  const tenths = new Map()
  for (let page = 0; page < pages; page++) {
    const tenth = Math.floor(pauseBefore(0, PRODUCTION, random) / 100)
    tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1)
  }
  assert.deepEqual([Math.min(...tenths.keys()), Math.max(...tenths.keys())], [2, 19])
  // Evenly, a tenth of a second has a part in 17.5; the first has only half a tenth.
  for (const [tenth, came] of tenths) {
    const expected = pages / 17.5 * (tenth === 2 ? 0.5 : 1)
    assert.ok(Math.abs(came - expected) < expected * 0.2, `${came} pages at ${tenth * 100} ms, ${expected} expected`)
  }
})

/** A page whose pauses are all the shortest, connected. */
function connectedPage (name, action, html = BUTTON) {
  test(name, async () => {
    await withPage(html, EMBEDDED, async page => {
      page.window.Math.random = () => 0
      await action(page, await connect(page), page.window.Sinew.consumer)
    })
  })
}

/** After every attempt that could have been made by then: timers of one page run in order. */
const pauseIsOver = ({ window }) => new Promise(resolve => window.setTimeout(resolve, PAUSE_MIN + 50))

const look = ({ window, document }, visibilityState) => {
  Object.defineProperty(document, 'visibilityState', { value: visibilityState, configurable: true })
  document.dispatchEvent(new window.Event('visibilitychange', { bubbles: true }))
}

connectedPage('a lost connection is tried again at once, and again when that fails', async (page, socket, consumer) => {
  const heard = []
  consumer.subscriptions.create('RoomChannel', { connected: info => heard.push({ ...info }) })
  const lostAt = Date.now()
  const second = page.nextSocket()
  socket.close()
  const failing = await second
  const next = page.nextSocket()
  failing.close()
  const back = await next
  assert.ok(Date.now() - lostAt >= 2 * PAUSE_MIN - 20 && Date.now() - lostAt < 4000)
  // The stock client says so to the first subscription that is confirmed.
  back.accept()
  const { identifier } = await back.said(({ identifier }) => identifier?.includes('RoomChannel'))
  back.tell({ type: 'confirm_subscription', identifier })
  assert.deepEqual(heard, [{ reconnected: true }])
  await pauseIsOver(page)
  assert.equal(page.sockets.length, 3)
})

connectedPage('a server that restarts is tried again', async (page, socket) => {
  const next = page.nextSocket()
  socket.tell({ type: 'disconnect', reason: 'server_restart', reconnect: true })
  await confirm(await next)
})

connectedPage('a server that says not to come back is not tried again', async (page, socket) => {
  socket.tell({ type: 'disconnect', reason: 'unauthorized', reconnect: false })
  await pauseIsOver(page)
  look(page, 'visible')
  await pauseIsOver(page)
  assert.equal(page.sockets.length, 1)
})

connectedPage('a page that disconnected itself stays so, also between two attempts', async (page, socket, consumer) => {
  socket.close()
  consumer.disconnect()
  await pauseIsOver(page)
  assert.equal(page.sockets.length, 1)
  const next = page.nextSocket()
  consumer.connect()
  await confirm(await next)
  consumer.disconnect()
  await pauseIsOver(page)
  assert.equal(page.sockets.length, 2)
})

connectedPage('while the stock client tries, there is no second attempt', async (page, socket, consumer) => {
  socket.close()
  consumer.connection.open()
  await pauseIsOver(page)
  assert.equal(page.sockets.length, 2)
})

connectedPage('a page out of view waits until it is looked at', async (page, socket) => {
  look(page, 'hidden')
  socket.close()
  await pauseIsOver(page)
  assert.equal(page.sockets.length, 1)
  const next = page.nextSocket()
  look(page, 'visible')
  await confirm(await next)
})

connectedPage('a page without a network waits until it is back', async (page, socket) => {
  const { window } = page
  const line = onLine => Object.defineProperty(window.navigator, 'onLine', { value: onLine, configurable: true })
  line(false)
  socket.close()
  await pauseIsOver(page)
  assert.equal(page.sockets.length, 1)
  const next = page.nextSocket()
  line(true)
  window.dispatchEvent(new window.Event('online'))
  await confirm(await next)
})

test('a page that was never let in is left to the stock client', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    page.window.Math.random = () => 0
    const socket = await page.firstSocket
    socket.close()
    await pauseIsOver(page)
    assert.equal(page.sockets.length, 1)
  })
})

test('a server that lets a page in and closes again is tried less and less often', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    // Always the longest pause, which is noted and then not waited for.
    page.window.Math.random = () => 1
    const socket = await connect(page)
    const pauses = []
    const { setTimeout } = page.window
    page.window.setTimeout = (run, pause, ...more) => {
      const isOurs = [2000, 4000, 8000, 16_000].includes(pause)
      if (isOurs) pauses.push(pause)
      return setTimeout.call(page.window, run, isOurs ? 0 : pause, ...more)
    }
    let next = page.nextSocket()
    socket.close()
    for (let time = 0; time < 3; time++) {
      const again = await next
      next = page.nextSocket()
      await confirm(again)
      again.close()
    }
    assert.deepEqual(pauses, [2000, 4000, 8000, 16_000])
  })
})

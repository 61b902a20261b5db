// Compressed messages between the real browser, the stock client and the server; what goes over the wire is looked at on the way.
import assert from 'node:assert/strict'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { launch } from '../browser.mjs'
import { shows, visit, withPage } from '../page.mjs'
import { start } from '../server.mjs'

const TEXT = 0x81
const COMPRESSED_TEXT = 0xc1
const FIRST = 'tbody th'
let browser

before(async () => { browser = await launch() })
after(async () => { await browser?.close() })

/**
 * A way to a server's port that keeps what passes of every connection that becomes a WebSocket.
 *
 * @returns {Promise<{ url: string, sockets: () => { request: string, answer: string, up: Buffer, down: Buffer }[], close: () => void }>}
 */
async function wiretap (port) {
  const passed = []
  const open = new Set()
  const server = net.createServer(near => {
    const far = net.connect(port, '127.0.0.1')
    const bytes = { up: [], down: [] }
    passed.push(bytes)
    for (const [from, to, way] of [[near, far, 'up'], [far, near, 'down']]) {
      open.add(from)
      from.on('data', chunk => { bytes[way].push(chunk); to.write(chunk) })
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => open.delete(from))
    }
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const split = chunks => {
    const all = Buffer.concat(chunks)
    const end = all.indexOf('\r\n\r\n')
    return end < 0 ? [all.toString('latin1'), Buffer.alloc(0)] : [all.subarray(0, end).toString('latin1'), all.subarray(end + 4)]
  }
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    sockets: () => passed.map(({ up, down }) => {
      const [request, fromBrowser] = split(up)
      const [answer, fromServer] = split(down)
      return { request, answer, up: fromBrowser, down: fromServer }
    }).filter(({ answer }) => answer.startsWith('HTTP/1.1 101 ')),
    close: () => { server.close(); for (const socket of open) socket.destroy() }
  }
}

/** The first byte of each whole frame, and how long its payload is. */
function frames (bytes) {
  const found = []
  for (let at = 0; at + 2 <= bytes.length;) {
    const isMasked = (bytes[at + 1] & 0x80) !== 0
    let length = bytes[at + 1] & 0x7f
    let header = 2
    if (length === 126) { length = bytes.readUInt16BE(at + 2); header = 4 }
    if (length === 127) { length = Number(bytes.readBigUInt64BE(at + 2)); header = 10 }
    found.push({ first: bytes[at], length })
    at += header + (isMasked ? 4 : 0) + length
  }
  return found
}

async function withTap (env, steps) {
  const server = await start('demo', { env })
  const tap = await wiretap(server.port)
  try {
    await withPage(browser, page => steps(page, tap))
  } finally {
    tap.close()
    await server.stop()
  }
}

async function sortTwice (page, tap) {
  await visit(page, tap.url + '/table')
  await shows(page, FIRST, 'Hydrogen')
  await page.click('#sort-name')
  await shows(page, FIRST, 'Aluminium')
  await page.click('#sort-name')
  await shows(page, FIRST, 'Zinc')
}

test('turned on, long messages are compressed in both directions, and the page works', async () => {
  await withTap({ SINEW_COMPRESSION: 'on' }, async (page, tap) => {
    await sortTwice(page, tap)
    const [socket, ...others] = tap.sockets()
    assert.equal(others.length, 0)
    assert.match(socket.request, /^sec-websocket-extensions: permessage-deflate/im, 'the browser offers it')
    assert.match(socket.answer, /^sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r?$/im)

    const down = frames(socket.down)
    const morphs = down.filter(({ first }) => first === COMPRESSED_TEXT)
    assert.ok(morphs.length >= 2, `a morph for each click among ${JSON.stringify(down)}`)
    // Short ones, such as the welcome, are not worth it.
    assert.equal(down[0].first, TEXT)
    assert.ok(down.filter(({ first }) => first === TEXT).every(({ length }) => length < 1024 + 256))
    const calls = frames(socket.up).filter(({ first }) => first === COMPRESSED_TEXT)
    assert.ok(calls.length >= 2, 'the browser compresses its calls')
  })
})

test('by default nothing is', async () => {
  await withTap({}, async (page, tap) => {
    await sortTwice(page, tap)
    const [socket] = tap.sockets()
    assert.match(socket.request, /^sec-websocket-extensions: permessage-deflate/im, 'the browser offers it')
    assert.doesNotMatch(socket.answer, /sec-websocket-extensions/i)
    assert.ok([...frames(socket.down), ...frames(socket.up)].every(({ first }) => (first & 0x40) === 0))
  })
})

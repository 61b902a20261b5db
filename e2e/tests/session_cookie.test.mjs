// Sessions that live in their cookie and are written by reflexes: what becomes of every way to write, and to lose.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from '../browser.mjs'
import { connected, shows, visit, withPage } from '../page.mjs'
import { freePort, start } from '../server.mjs'

const PAGE = 'www.sinew.test'
const CABLE = 'cable.sinew.test'
const TICKETS = '**/_sinew/session'
/** Both processes read each other's cookies. */
const env = { SINEW_SECRET: 'b5c1f7d3a9e84620b5c1f7d3a9e84620' }
/** What the browser says of a request that a test has cut off or that is refused. */
const CUT_OFF = /Failed to load resource/

let browser
let server
/** Another process, which shares nothing with the first but the secret; cookies are the same for all ports of a host. */
let other

before(async () => {
  [server, other] = await Promise.all([start('cookies', { env }), start('cookies', { env })])
  browser = await launch({ hosts: [PAGE, CABLE] })
})
after(async () => {
  await browser?.close()
  await Promise.all([server?.stop(), other?.stop()])
})

const fields = (page, ...texts) => shows(page, '#fields', texts.join(''))

/** The tickets that the page sends: their requests, and what became of each. */
function tickets (page) {
  const sent = []
  page.on('request', request => { if (request.url().endsWith('/_sinew/session')) sent.push(request) })
  return {
    sent,
    async outcomes () {
      const responses = await Promise.all(sent.map(request => request.response()))
      return responses.map(response => response === null ? 'lost' : response.headers()['sinew-ticket'])
    }
  }
}

/** Presents a ticket as a script of the page would. */
const present = (page, body) => page.evaluate(async body => {
  const response = await fetch('/_sinew/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  return `${response.status} ${response.headers.get('sinew-ticket')}`
}, body)

/** Writes a field over HTTP, with the cookies of the page. */
async function set (page, base, name, value) {
  const response = await page.request.post(`${base}/set`, { form: { name, value } })
  assert.equal(response.status(), 200)
}

/** What the page's session says to a process that knows nothing but its cookie. */
async function held (page, name) {
  return (await page.request.get(`${other.url}/show?name=${name}`)).text()
}

const pending = page => page.evaluate(() => new Promise(resolve => {
  document.addEventListener('sinew:session-pending', () => resolve(true), { once: true })
}))

test('what a reflex writes is in the cookie before its reply, and no script sees it', async () => {
  await withPage(browser, async page => {
    const { sent, outcomes } = tickets(page)
    await visit(page, server.url)
    await page.click('#a1')
    await fields(page, 'a=1')
    assert.deepEqual(await outcomes(), ['redeemed'])
    assert.equal(await held(page, 'a'), '1')
    assert.equal(await page.evaluate(() => document.cookie), '')
    const { ticket } = sent[0].postDataJSON()
    for (const text of [ticket, ...(await page.context().cookies()).map(cookie => cookie.value)]) {
      assert.ok(!Buffer.from(text.split('--')[0], 'base64').includes('"1"'), 'sealed')
    }
    const [cookie] = await page.context().cookies()
    assert.equal(cookie.httpOnly, true)
    assert.equal(cookie.sameSite, 'Lax')

    await page.reload()
    await connected(page)
    await fields(page, 'a=1')
    // Reading sends no ticket.
    await page.click('#look')
    await fields(page, 'a=1')
    assert.equal(sent.length, 1)
  })
})

test('a second tab sees it at once, and after a restart of the server', async () => {
  const own = await start('cookies', { env })
  try {
    await withPage(browser, async page => {
      await visit(page, own.url)
      const second = await page.context().newPage()
      await visit(second, own.url)
      await page.click('#a1')
      await fields(page, 'a=1')
      await second.click('#look')
      await fields(second, 'a=1')
      await second.click('#b1')
      await fields(second, 'a=1', 'b=1')
      await page.click('#look')
      await fields(page, 'a=1', 'b=1')
      await second.close()
      await own.restart()
      await page.goto(own.url)
      await connected(page)
      await fields(page, 'a=1', 'b=1')
    }, { expected: /WebSocket/ })
  } finally {
    await own.stop()
  }
})

test('a write over HTTP is seen by the next reflex, and both are kept', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url)
    await set(page, server.url, 'b', 'http')
    await page.click('#a1')
    await fields(page, 'a=1', 'b=http')
    assert.equal(await held(page, 'a') + await held(page, 'b'), '1http')
  })
})

test('writes beside each other, in two processes, are merged by field; of one field the cookie wins', async () => {
  await withPage(browser, async page => {
    const { outcomes } = tickets(page)
    await visit(page, server.url)
    // The ticket is on its way while another process sets the cookie.
    await page.route(TICKETS, async route => {
      await set(page, other.url, 'b', 'http')
      await route.continue()
    }, { times: 1 })
    await page.click('#a1')
    await fields(page, 'a=1')
    assert.deepEqual(await outcomes(), ['merged'])
    assert.equal(await held(page, 'a') + await held(page, 'b'), '1http')
    await page.click('#look')
    await fields(page, 'a=1', 'b=http')

    await page.route(TICKETS, async route => {
      await set(page, other.url, 'a', 'http')
      await route.continue()
    }, { times: 1 })
    await page.click('#a2')
    await shows(page, '#fields', 'a=2b=http')
    assert.deepEqual(await outcomes(), ['merged', 'merged'])
    await page.click('#look')
    await fields(page, 'a=http', 'b=http')
    assert.equal(await held(page, 'a'), 'http')
  })
})

test('a lost ticket: the page is told, sees its writes, and the next reply brings another', async () => {
  await withPage(browser, async page => {
    const { sent, outcomes } = tickets(page)
    await visit(page, server.url)
    await page.route(TICKETS, route => route.abort(), { times: 1 })
    const told = pending(page)
    await page.click('#a1')
    assert.equal(await told, true)
    await fields(page, 'a=1')
    assert.equal(await held(page, 'a'), '')

    const answered = page.waitForResponse(TICKETS)
    await page.click('#look')
    await fields(page, 'a=1')
    await answered
    assert.deepEqual(await outcomes(), ['lost', 'redeemed'])
    assert.equal(await held(page, 'a'), '1')
    await page.click('#b1')
    await fields(page, 'a=1', 'b=1')
    assert.equal(sent.length, 3)
  }, { expected: CUT_OFF })
})

test('a lost ticket: the next request to the process brings the cookie along', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url)
    await page.route(TICKETS, route => route.abort())
    const told = pending(page)
    await page.click('#a1')
    await told
    await page.reload()
    await connected(page)
    await fields(page, 'a=1')
    assert.equal(await held(page, 'a'), '1')
  }, { expected: CUT_OFF })
})

test('a ticket that is presented again changes nothing, nor does an older one after a newer', async () => {
  await withPage(browser, async page => {
    const { sent, outcomes } = tickets(page)
    await visit(page, server.url)
    await page.route(TICKETS, route => route.abort(), { times: 1 })
    const told = pending(page)
    await page.click('#a1')
    await told
    await page.click('#a2')
    await fields(page, 'a=2')
    assert.deepEqual(await outcomes(), ['lost', 'redeemed'])
    const [older, newer] = sent.map(request => request.postData())
    assert.equal(await present(page, newer), '204 replayed')
    assert.equal(await present(page, older), '204 replayed')
    assert.equal(await held(page, 'a'), '2')
    await page.click('#a1')
    await fields(page, 'a=1')
    assert.equal(await present(page, newer), '204 replayed')
    assert.equal(await held(page, 'a'), '1')
  }, { expected: CUT_OFF })
})

test('tickets of another session, made up ones, and requests of other sites are refused', async () => {
  let body
  await withPage(browser, async page => {
    const { sent } = tickets(page)
    await visit(page, server.url)
    await page.click('#a1')
    await fields(page, 'a=1')
    body = sent[0].postData()
  })
  await withPage(browser, async page => {
    await visit(page, server.url)
    assert.equal(await present(page, body), '409 foreign')
    assert.equal(await held(page, 'a'), '')
    assert.equal(await present(page, '{"ticket":"made up"}'), '400 malformed')
    const headers = { 'content-type': 'application/json' }
    const url = `${server.url}/_sinew/session`
    const elsewhere = { ...headers, origin: 'http://elsewhere.test' }
    assert.equal((await page.request.post(url, { headers: elsewhere, data: body })).status(), 403)
    const form = await page.request.post(url, { form: { ticket: 'x' } })
    assert.equal(form.status(), 415)
  }, { expected: CUT_OFF })
})

test('what is more than a cookie holds is refused at the write, and nothing of it is kept', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url)
    await page.click('#a1')
    await fields(page, 'a=1')
    await page.click('#fill')
    await fields(page, 'a=1', 'refused=true')
    assert.equal(await held(page, 'noise'), '')
    const [{ name, value }] = await page.context().cookies()
    assert.ok(name.length + value.length < 4096)
  })
})

test('whoever signs in over Turbo keeps the socket, and other tabs come again', async () => {
  await withPage(browser, async (page, sockets) => {
    await visit(page, server.url)
    await page.click('#a1')
    await fields(page, 'a=1')
    const second = await page.context().newPage()
    const ended = new Promise(resolve => second.on('websocket', socket => socket.on('close', resolve)))
    await visit(second, server.url)

    await page.click('#in')
    await fields(page, 'a=1', 'user=ada')
    await page.click('#b1')
    await fields(page, 'a=1', 'b=1', 'user=ada')
    assert.equal(sockets.length, 1)
    assert.equal(sockets[0].isClosed(), false)
    assert.equal(await held(page, 'user') + await held(page, 'b'), 'ada1')

    await ended
    await second.waitForFunction(() => document.body.classList.contains('stimulus-reflex-connected'))
    await second.click('#look')
    await fields(second, 'a=1', 'b=1', 'user=ada')
    await second.close()

    const closed = new Promise(resolve => sockets[0].on('close', resolve))
    await page.click('#out')
    await closed
    await fields(page)
    assert.equal(await held(page, 'user'), '')
  })
})

test('whoever signs in by a reflex has another session with its ticket', async () => {
  await withPage(browser, async (page, sockets) => {
    await visit(page, server.url)
    await page.click('#a1')
    await fields(page, 'a=1')
    await page.click('#reflex-in')
    await fields(page, 'a=1', 'user=grace')
    assert.equal(await held(page, 'user'), 'grace')
    await page.click('#b1')
    await fields(page, 'a=1', 'b=1', 'user=grace')
    assert.equal(sockets.length, 1)
    assert.equal(await held(page, 'b'), '1')
  })
})

test('a cookie that was tampered with is a fresh session', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url)
    await page.click('#a1')
    await fields(page, 'a=1')
    const [cookie] = await page.context().cookies()
    const value = `${cookie.value[0] === 'A' ? 'B' : 'A'}${cookie.value.slice(1)}`
    await page.context().addCookies([{ ...cookie, value }])
    await page.goto(server.url)
    await connected(page)
    await fields(page)
    await page.click('#a2')
    await fields(page, 'a=2')
    assert.equal(await held(page, 'a'), '2')
  })
})

test('with the cable on another host the ticket goes to the host of the page', async () => {
  const port = await freePort()
  const own = await start('cookies', {
    port,
    env: {
      ...env,
      SINEW_CABLE_URL: `ws://${CABLE}:${port}/cable`,
      SINEW_COOKIE_DOMAIN: 'sinew.test',
      SINEW_ALLOWED_ORIGINS: `http://${PAGE}:${port}`
    }
  })
  try {
    await withPage(browser, async page => {
      const { sent, outcomes } = tickets(page)
      await visit(page, `http://${PAGE}:${port}/`)
      await page.click('#a1')
      await fields(page, 'a=1')
      assert.equal(sent[0].url(), `http://${PAGE}:${port}/_sinew/session`)
      assert.deepEqual(await outcomes(), ['redeemed'])
      await page.reload()
      await fields(page, 'a=1')
    })
  } finally {
    await own.stop()
  }
})

test('below a base path the ticket goes there', async () => {
  const own = await start('cookies', { env: { ...env, SINEW_BASE_PATH: '/app' } })
  try {
    await withPage(browser, async page => {
      const { sent, outcomes } = tickets(page)
      await visit(page, `${own.url}/app`)
      await page.click('#a1')
      await fields(page, 'a=1')
      assert.equal(sent[0].url(), `${own.url}/app/_sinew/session`)
      assert.deepEqual(await outcomes(), ['redeemed'])
    })
  } finally {
    await own.stop()
  }
})

test('without our client no reply waits, and the next request brings the cookie', async () => {
  const own = await start('reference', { env: { SESSION: 'cookie' }, ready: '/sess' })
  try {
    await withPage(browser, async page => {
      const { sent } = tickets(page)
      await visit(page, `${own.url}/sess`)
      const told = page.evaluate(() => new Promise(resolve => {
        document.addEventListener('sinew:session-pending', () => resolve('pending'), { once: true })
        document.addEventListener('stimulus-reflex:finalize', () => resolve('answered'), { once: true })
      }))
      await page.click('#write')
      assert.equal(await told, 'answered')
      await shows(page, '#value', 'hello from reflex')
      await page.reload()
      await connected(page)
      await shows(page, '#value', 'hello from reflex')
      assert.equal(sent.length, 0)
      await own.restart()
      await page.goto(`${own.url}/sess`)
      await shows(page, '#value', 'hello from reflex')
      assert.match(own.output(), /a page without Sinew's client calls reflexes/)
    }, { expected: /WebSocket/, plain: /sess/ })
  } finally {
    await own.stop()
  }
})

// Sessions in a store whose id is renewed: the page that asked for it goes on, and nobody who knew the old id does.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from '../browser.mjs'
import { connected, shows, visit, withPage } from '../page.mjs'
import { start } from '../server.mjs'

const TICKETS = '**/_sinew/session'
/** What the browser says of a request that a test has cut off or that is refused. */
const CUT_OFF = /Failed to load resource/

let browser
let server

before(async () => {
  server = await start('cookies', { env: { SESSION: 'store' } })
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

const fields = (page, ...texts) => shows(page, '#fields', texts.join(''))

const cookieOf = async page => (await page.context().cookies())[0]

/** What the session of this cookie holds under a name, asked by somebody who has nothing but the cookie. */
async function held ({ name, value }, field) {
  const response = await fetch(`${server.url}/show?name=${field}`, { headers: { cookie: `${name}=${value}` } })
  return response.text()
}

/** Presents a ticket as a script of the page would. */
const present = (page, body) => page.evaluate(async body => {
  const response = await fetch('/_sinew/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  return `${response.status} ${response.headers.get('sinew-ticket')}`
}, body)

/** The tickets that the page sends. */
function tickets (page) {
  const sent = []
  page.on('request', request => { if (request.url().endsWith('/_sinew/session')) sent.push(request.postData()) })
  return sent
}

const pending = page => page.evaluate(() => new Promise(resolve => {
  document.addEventListener('sinew:session-pending', () => resolve(true), { once: true })
}))

test('whoever signs in over Turbo keeps the socket, and other tabs come again', async () => {
  await withPage(browser, async (page, sockets) => {
    await visit(page, server.url)
    await page.click('#a1')
    await fields(page, 'a=1')
    const before = await cookieOf(page)
    const second = await page.context().newPage()
    const ended = new Promise(resolve => second.on('websocket', socket => socket.on('close', resolve)))
    await visit(second, server.url)

    await page.click('#in')
    await fields(page, 'a=1', 'user=ada')
    await page.click('#b1')
    await fields(page, 'a=1', 'b=1', 'user=ada')
    assert.equal(sockets.length, 1)
    assert.equal(sockets[0].isClosed(), false)
    const now = await cookieOf(page)
    assert.notEqual(now.value, before.value)
    assert.equal(await held(now, 'b'), '1')
    assert.equal(await held(before, 'a') + await held(before, 'user'), '', 'the old id is dead')

    await ended
    await second.waitForFunction(() => document.body.classList.contains('stimulus-reflex-connected'))
    await second.click('#look')
    await fields(second, 'a=1', 'b=1', 'user=ada')
    await second.close()

    const closed = new Promise(resolve => sockets[0].on('close', resolve))
    await page.click('#out')
    await closed
    await fields(page)
  })
})

test('whoever signs in by a reflex has the new id in the cookie, and no script sees it', async () => {
  await withPage(browser, async (page, sockets) => {
    const sent = tickets(page)
    await visit(page, server.url)
    await page.click('#a1')
    await fields(page, 'a=1')
    assert.deepEqual(sent, [], 'the cookie goes on naming the session')
    const before = await cookieOf(page)

    await page.click('#reflex-in')
    await fields(page, 'a=1', 'user=grace')
    assert.equal(sent.length, 1)
    const now = await cookieOf(page)
    assert.notEqual(now.value, before.value)
    assert.equal(now.httpOnly, true)
    assert.equal(await page.evaluate(() => document.cookie), '')
    assert.ok(!sent[0].includes(now.value) && !sent[0].includes(before.value), 'sealed')
    assert.equal(await held(now, 'user'), 'grace')
    assert.equal(await held(before, 'a') + await held(before, 'user'), '', 'the old id is dead')

    await page.click('#b1')
    await fields(page, 'a=1', 'b=1', 'user=grace')
    assert.equal(sockets.length, 1)
    assert.equal(sockets[0].isClosed(), false)
    await page.reload()
    await connected(page)
    await fields(page, 'a=1', 'b=1', 'user=grace')

    assert.equal(await present(page, sent[0]), '204 replayed')
    assert.equal((await cookieOf(page)).value, now.value)
    await page.context().addCookies([before])
    assert.equal(await present(page, sent[0]), '409 over')
    await page.reload()
    await connected(page)
    await fields(page)
  }, { expected: CUT_OFF })
})

test('a ticket is nothing for another session', async () => {
  await withPage(browser, async page => {
    const sent = tickets(page)
    await visit(page, server.url)
    await page.click('#reflex-in')
    await fields(page, 'user=grace')
    await withPage(browser, async other => {
      await visit(other, server.url)
      assert.equal(await present(other, sent[0]), '409 foreign')
      await other.reload()
      await connected(other)
      await fields(other)
    }, { expected: CUT_OFF })
  })
})

test('a ticket that is lost is reported, and goes out again with the next reply', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url)
    await page.click('#a1')
    await fields(page, 'a=1')
    await page.route(TICKETS, route => route.abort())
    const reported = pending(page)
    await page.click('#reflex-in')
    assert.equal(await reported, true)
    await fields(page, 'a=1', 'user=grace')
    const before = await cookieOf(page)
    assert.equal(await held(before, 'a') + await held(before, 'user'), '1', 'as it was before the login')

    await page.unroute(TICKETS)
    const redeemed = page.waitForResponse(TICKETS)
    await page.click('#look')
    assert.equal((await redeemed).headers()['sinew-ticket'], 'redeemed')
    await page.reload()
    await connected(page)
    await fields(page, 'a=1', 'user=grace')
  }, { expected: CUT_OFF })
})

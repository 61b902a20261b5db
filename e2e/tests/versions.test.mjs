// A page whose script is of another version than the server, as after a deploy.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from '../browser.mjs'
import { connected, visit, withPage } from '../page.mjs'
import { start } from '../server.mjs'

const SCRIPT = '**/_sinew/client-*.js'
const OLD = '0.0.1'
let browser
let server

before(async () => {
  server = await start('demo', { env: { SINEW_ENV: 'production', SINEW_SECRET: 'b5c1f7d3a9e84620b5c1f7d3a9e84620b5c1f7d3a9e84620b5c1f7d3a9e84620' } })
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

/** Serves the script as that of another version, the given number of times. */
async function serveOld (page, { times, version = `${OLD}+embedded` }) {
  await page.route(SCRIPT, async route => {
    const response = await route.fetch()
    const body = (await response.text()).replace(/"\d+\.\d+\.\d+\+embedded"/, JSON.stringify(version))
    assert.ok(body.includes(`"${version}"`), 'the script says a version')
    // The real script of another version has another address; this one must not be kept.
    await route.fulfill({ response, body, headers: { ...response.headers(), 'cache-control': 'no-store' } })
  }, { times })
}

const version = page => page.evaluate(() => window.Sinew.version)
const mismatch = page => page.waitForEvent('console', { predicate: message => /^Sinew: This page runs/.test(message.text()) })

test('a page of before a deploy says so, and loads itself again when nobody is touching it', async () => {
  await withPage(browser, async page => {
    await serveOld(page, { times: 1 })
    const [line] = await Promise.all([mismatch(page), page.goto(server.url + '/form')])
    assert.match(line.text(), /runs the script of Sinew 0\.0\.1\+embedded.*Reload the page/)
    await page.waitForEvent('load')
    await connected(page)
    assert.doesNotMatch(await version(page), /^0\.0\.1/)
    assert.equal(await page.evaluate(() => window.Sinew.server), undefined, 'the new script goes with the server')
  })
})

test('a form that somebody is filling in is not loaded away', async () => {
  await withPage(browser, async page => {
    await serveOld(page, { times: 1 })
    let loads = 0
    page.on('load', () => loads++)
    // Time is the test's: every look at the page happens when it says so.
    await page.clock.install()
    await Promise.all([mismatch(page), page.goto(server.url + '/form')])
    await page.fill('#name', 'Ada')
    await page.clock.runFor(60_000)
    assert.equal(await page.inputValue('#name'), 'Ada')
    assert.equal(loads, 1)

    // Emptied again, there is nothing to lose.
    await page.fill('#name', '')
    const again = page.waitForEvent('load')
    await page.clock.runFor(10_000).catch(() => {})
    await again
    await connected(page)
    assert.doesNotMatch(await version(page), /^0\.0\.1/)
  })
})

test('a page that stays old is loaded again once, and no more', async () => {
  await withPage(browser, async page => {
    let loads = 0
    page.on('load', () => loads++)
    await serveOld(page, { times: 100 })
    await page.clock.install()
    await Promise.all([mismatch(page), page.goto(server.url + '/form')])
    const second = mismatch(page)
    await page.clock.runFor(10_000).catch(() => {})
    await second
    assert.match(await version(page), /^0\.0\.1/)
    await page.clock.runFor(60_000)
    assert.equal(loads, 2)
  })
})

test('the application may keep its page', async () => {
  await withPage(browser, async page => {
    let loads = 0
    page.on('load', () => loads++)
    await serveOld(page, { times: 1 })
    await page.clock.install()
    await page.addInitScript(() => {
      window.asked = []
      document.addEventListener('sinew:before-reload', event => {
        window.asked.push({ ...event.detail })
        event.preventDefault()
      })
    })
    await Promise.all([mismatch(page), page.goto(server.url + '/form')])
    await page.clock.runFor(60_000)
    assert.equal(loads, 1)
    const asked = await page.evaluate(() => window.asked)
    assert.equal(asked.length, 1, 'it is asked once')
    assert.equal(asked[0].client, '0.0.1+embedded')
  })
})

test('a bundle of one\'s own is told what to install, and is not loaded again', async () => {
  await withPage(browser, async page => {
    let loads = 0
    page.on('load', () => loads++)
    await serveOld(page, { times: 1, version: OLD })
    await page.clock.install()
    const [line] = await Promise.all([mismatch(page), page.goto(server.url + '/form')])
    assert.match(line.text(), /sinew-client 0\.0\.1.*npm install sinew-client@\^/)
    await page.clock.runFor(60_000)
    assert.equal(loads, 1)
  })
})

test('scripts of the same version are told the name of their socket and nothing else', async () => {
  await withPage(browser, async (page, sockets) => {
    const heard = []
    const named = page.waitForEvent('websocket').then(socket => {
      socket.on('framereceived', ({ payload }) => heard.push(String(payload)))
      return socket.waitForEvent('framereceived', ({ payload }) => String(payload).includes('"message"'))
    })
    await visit(page, server.url + '/')
    await named
    assert.equal(sockets.length, 1)
    assert.ok(heard.some(text => text.includes('confirm_subscription')))
    const messages = heard.map(text => JSON.parse(text)).filter(frame => 'message' in frame)
    assert.deepEqual(messages.map(({ message }) => Object.keys(message)), [['sinew']], heard.join('\n'))
    assert.deepEqual(Object.keys(messages[0].message.sinew), ['socket'])
  })
})

// A server in production that is away for two seconds, and the pages that were open.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from '../browser.mjs'
import { shows, visit, withPage } from '../page.mjs'
import { start } from '../server.mjs'

/** How long the server is away. */
const AWAY_MS = 2000
/** The page works this soon after the server is there again. The stock client needs up to ten seconds more. */
const BACK_MS = 5000
const INCREMENT = '[data-reflex="click->Counter#increment"]'
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

test('a page works soon after its server is back, and its attempts are few', async () => {
  await withPage(browser, async (page, sockets) => {
    // The pauses are random; their spread is tested elsewhere. Here they are those in the middle.
    await page.addInitScript(() => { Math.random = () => 0.5 })
    await visit(page, server.url + '/')
    await page.click(INCREMENT)
    await shows(page, '#count', '1')
    await page.evaluate(() => {
      window.back = new Promise(resolve => document.addEventListener('stimulus-reflex:connected', resolve, { once: true }))
    })
    await server.restart({ awayMs: AWAY_MS })
    await page.evaluate(deadline => Promise.race([
      window.back,
      new Promise((resolve, reject) => setTimeout(() => reject(new Error(`not connected after ${deadline} ms`)), deadline))
    ]), BACK_MS)
    await page.click(INCREMENT)
    await shows(page, '#count', '2')
    assert.ok(sockets.length <= 4, `${sockets.length} sockets`)
  }, { expected: /WebSocket connection to .* failed/ })
})

test('`<html>` says how the connection is, through page morphs and Turbo visits', async () => {
  await withPage(browser, async (page, sockets) => {
    const open = () => page.waitForSelector('html[data-sinew-connection=open]')
    await visit(page, server.url + '/')
    await open()
    await page.evaluate(() => {
      window.states = []
      new MutationObserver(() => window.states.push(document.documentElement.dataset.sinewConnection))
        .observe(document.documentElement, { attributeFilter: ['data-sinew-connection'] })
    })
    await page.click(INCREMENT)
    await shows(page, '#count', '1')
    for (const path of ['/form', '/wire', '/']) {
      await page.click(`nav[aria-label=Pages] a[href="${path}"]`)
      await page.waitForURL(server.url + path)
      await page.waitForSelector(`nav[aria-label=Pages] a[href="${path}"][aria-current]`)
    }
    await page.goBack()
    await page.waitForSelector('nav[aria-label=Pages] a[href="/wire"][aria-current]')
    assert.deepEqual(await page.evaluate(() => window.states), [], 'it was neither taken away nor set again')
    assert.equal(sockets.length, 1)

    const lost = page.waitForSelector('html[data-sinew-connection=lost]')
    await page.evaluate(() => window.Sinew.consumer.connection.webSocket.close())
    await lost
    await open()
    await page.evaluate(() => window.Sinew.consumer.disconnect())
    await page.waitForSelector('html[data-sinew-connection=closed]')
    assert.deepEqual(await page.evaluate(() => window.states), ['lost', 'open', 'closed'])
  })
})

// The page on one host, the cable on another: meta tag, cookie domain and allowed origins together.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from '../browser.mjs'
import { shows, visit, withPage } from '../page.mjs'
import { freePort, start } from '../server.mjs'

const INCREMENT = '[data-reflex="click->Counter#increment"]'
const PAGE = 'www.sinew.test'
const CABLE = 'cable.sinew.test'
const OTHER = 'www.elsewhere.test'
let browser
let server

before(async () => {
  const port = await freePort()
  server = await start('demo', {
    port,
    env: {
      SINEW_CABLE_URL: `ws://${CABLE}:${port}/cable`,
      SINEW_COOKIE_DOMAIN: 'sinew.test',
      SINEW_ALLOWED_ORIGINS: `http://${PAGE}:${port}`
    }
  })
  browser = await launch({ hosts: [PAGE, CABLE, OTHER] })
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

test('a click on one host is answered over a cable on another', async () => {
  await withPage(browser, async (page, sockets) => {
    const url = `http://${PAGE}:${server.port}/`
    await visit(page, url)
    await page.click(INCREMENT)
    await shows(page, '#count', '1')
    assert.deepEqual(sockets.map(socket => socket.url()), [`ws://${CABLE}:${server.port}/cable`])

    await visit(page, url)
    await shows(page, '#count', '1')
  })
})

test('a page of a host that is not allowed is refused before the upgrade', async () => {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const cdp = await context.newCDPSession(page)
    await cdp.send('Network.enable')
    const refused = new Promise(resolve => cdp.on('Network.webSocketFrameError', ({ errorMessage }) => resolve(errorMessage)))
    await page.goto(`http://${OTHER}:${server.port}/`)
    assert.match(await refused, /403/)
  } finally {
    await context.close()
  }
})

// The demo below a path of a host that it shares with others, behind a real nginx that strips the path or does not.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from '../browser.mjs'
import { ready } from '../demo.mjs'
import { startNginx } from '../nginx.mjs'
import { connected, shows, visit, withPage } from '../page.mjs'
import { start } from '../server.mjs'

const BASE = '/shop/app'
let browser
let server

before(async () => {
  server = await start('demo', { env: { SINEW_BASE_PATH: BASE, SINEW_TRUSTED_PROXIES: 'loopback' } })
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

for (const [what, path] of [['strips the path', '/'], ['leaves the path as it is', '']]) {
  test(`behind a proxy that ${what}, every link and every reflex leads on`, async () => {
    const nginx = await startNginx({ from: `${BASE}/`, to: server.url + path })
    try {
      await withPage(browser, async (page, sockets) => {
        const host = `127.0.0.1:${nginx.port}`
        const asked = []
        page.on('request', request => asked.push(new URL(request.url())))

        // A page morph: the address has the path, the route has not.
        await visit(page, `http://${host}${BASE}/`)
        await page.click('#increment')
        await shows(page, '#count', '1')
        await page.reload()
        await connected(page)
        await shows(page, '#count', '1')

        // By Turbo, then a form whose problems are a page morph, on the same connection.
        const opened = sockets.length
        await page.click('nav >> text=Form')
        await shows(page, 'h1', 'Form')
        await ready(page)
        await page.click('form button')
        await page.waitForSelector('#name-problem')

        // Addresses that the server writes, and that it pushes.
        await page.click('nav >> text=Search')
        await shows(page, 'h1', 'Search')
        await ready(page)
        await page.fill('#q', 'Land')
        await page.waitForURL(`http://${host}${BASE}/search?q=Land`)
        await page.reload()
        await shows(page, '#found', '8 of 48')
        await page.click('nav >> text=Table')
        await shows(page, 'h1', 'Table')
        await ready(page)
        await page.click('#sort-name')
        await shows(page, 'tbody th', 'Aluminium')
        await page.waitForURL(`http://${host}${BASE}/table?sort=name&down=0&page=1`)

        assert.equal(opened, 2, 'one connection for each load')
        for (const socket of sockets) assert.equal(socket.url(), `ws://${host}${BASE}/cable`)
        const outside = asked.filter(url => url.host !== host || !url.pathname.startsWith(`${BASE}/`))
        assert.deepEqual(outside.map(String), [], 'everything is below the path')
        const cookies = await page.context().cookies(page.url())
        assert.deepEqual(cookies.map(({ name, path }) => [name, path]), [['_sinew_session', BASE]])
      })
    } finally {
      await nginx.stop()
    }
  })
}

test('a visitor of the application itself is served as well, below the path', async () => {
  await withPage(browser, async page => {
    await visit(page, `${server.url}${BASE}/`)
    await page.click('#increment')
    await shows(page, '#count', '1')
  })
})

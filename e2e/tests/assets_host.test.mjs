// The client's script on another host, which fetches it from the application: a real nginx in the role of a CDN.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from '../browser.mjs'
import { startNginx } from '../nginx.mjs'
import { connected, guarded, shows, visit, withPage } from '../page.mjs'
import { freePort, start } from '../server.mjs'

const PAGE = 'www.sinew.test'
const ASSETS = 'assets.sinew.test'
let browser
let nginx
let server
let assets

before(async () => {
  const port = await freePort()
  nginx = await startNginx({ from: '/sinew/', to: `http://127.0.0.1:${port}/` })
  assets = `http://${ASSETS}:${nginx.port}/sinew`
  server = await start('demo', { port, env: { SINEW_ASSETS_URL: assets } })
  browser = await launch({ hosts: [PAGE, ASSETS] })
})
after(async () => {
  await browser?.close()
  await server?.stop()
  await nginx?.stop()
})

test('the script comes from the other host, its integrity is checked, and Turbo visits go on', async () => {
  await withPage(browser, async page => {
    const scripts = []
    page.on('response', response => { if (response.url().startsWith(assets)) scripts.push(response) })
    await visit(page, `http://${PAGE}:${server.port}/`)
    const [script, ...others] = scripts
    assert.deepEqual(others, [])
    assert.equal(script.status(), 200)
    assert.equal(script.headers()['access-control-allow-origin'], '*')
    const { crossorigin, integrity } = await page.$eval('script[src*="/_sinew/"]', script =>
      ({ crossorigin: script.crossOrigin, integrity: script.integrity }))
    assert.equal(crossorigin, 'anonymous')
    assert.match(integrity, /^sha384-/)

    await page.click('#increment')
    await shows(page, '#count', '1')
    await page.click('nav >> text=Todos')
    await shows(page, 'h1', 'Todos')
    await page.reload()
    await connected(page)
  })
})

test('of the other host the policy allows that folder and no more', async () => {
  await withPage(browser, async page => {
    const response = await page.goto(`http://${PAGE}:${server.port}/`)
    const nonce = guarded(response)
    const directives = response.headers()['content-security-policy'].split('; ')
    assert.ok(directives.includes(`script-src 'self' ${assets}/_sinew/ 'nonce-${nonce}'`), String(directives))
    assert.deepEqual(directives.filter(directive => directive.includes(ASSETS)).length, 1)
  })
})

test('a script that the other host has changed does not run', async () => {
  await withPage(browser, async page => {
    await page.context().grantPermissions(['local-network-access'])
    let changed = 0
    await page.route(`${assets}/**/*.js`, async route => {
      // Only the browser knows the host by its name.
      const response = await route.fetch({ url: route.request().url().replace(ASSETS, '127.0.0.1') })
      changed += 1
      await route.fulfill({ response, body: `${await response.text()}\nwindow.changed = true` })
    })
    await page.goto(`http://${PAGE}:${server.port}/`)
    assert.equal(changed, 1)
    assert.deepEqual(await page.evaluate(() => [window.changed, typeof window.Sinew]), [undefined, 'undefined'])
  }, { expected: /integrity|script for development|Cannot destructure property 'consumer' of 'window.Sinew'/ })
})

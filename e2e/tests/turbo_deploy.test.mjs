// A deploy between two pages that Turbo fetches: the script of the next page has another name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demo } from '../demo.mjs'
import { connected, visit, withPage } from '../page.mjs'

const app = demo()

const NEW = '/_sinew/client-0123456789ab.js'
const ofNextVersion = html => html.replace(/\/_sinew\/client-[0-9a-f]{12}\.js/, NEW)

/** From now on the application names its script as its next version would. */
async function deploy (page) {
  // To the browser a page that was changed on the way does not come from this machine.
  await page.context().grantPermissions(['local-network-access'])
  const script = await page.evaluate(() => document.querySelector('script[src*="/_sinew/client-"]').src)
  await page.route(app.url + NEW, async route => route.fulfill({ response: await route.fetch({ url: script }) }))
  await page.route(url => !url.pathname.includes('.') && url.pathname !== '/cable', async route => {
    const response = await route.fetch()
    const body = ofNextVersion(await response.text())
    assert.ok(body.includes(NEW), body)
    await route.fulfill({ response, body })
  })
}

const mark = page => page.evaluate(() => { window.isTheSameDocument = true })
const isTheSame = page => page.evaluate(() => window.isTheSameDocument === true)
const scripts = page => page.evaluate(() => [...document.querySelectorAll('script[src*="/_sinew/client-"]')].map(script => new URL(script.src).pathname))

test('pages of one version share a document, whatever their nonces', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/')
    await mark(page)
    for (const path of ['/form', '/search', '/form']) {
      await page.click(`nav a[href="${path}"]`)
      await page.waitForURL(app.url + path)
      await page.waitForSelector(`nav a[href="${path}"][aria-current]`)
      assert.ok(await isTheSame(page), path)
      assert.equal((await scripts(page)).length, 1)
    }
  })
})

test('after a deploy the next page is loaded whole, with its script', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/')
    await mark(page)
    await deploy(page)
    await Promise.all([page.waitForEvent('load'), page.click('nav a[href="/form"]')])
    await connected(page)
    assert.equal(page.url(), app.url + '/form')
    assert.equal(await isTheSame(page), false)
    assert.deepEqual(await scripts(page), [NEW])

    // And from there it goes on as always.
    await mark(page)
    await page.click('nav a[href="/search"]')
    await page.waitForSelector('nav a[href="/search"][aria-current]')
    assert.ok(await isTheSame(page))
  })
})

test('a form that is refused after a deploy keeps what was typed', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/form')
    await mark(page)
    await deploy(page)
    const form = '<form method="post" action="/refused"><input id="x" name="x"><button id="send">Send</button></form>'
    await page.route(app.url + '/refused', async route => {
      const response = await route.fetch({ url: app.url + '/form', method: 'GET' })
      const typed = new URLSearchParams(route.request().postData()).get('x')
      const html = ofNextVersion(await response.text()).replace('</main>', `<p id="why">${typed} is taken.</p></main>`)
      await route.fulfill({ response, status: 422, body: html })
    })
    await page.evaluate(form => document.querySelector('main').insertAdjacentHTML('beforeend', form), form)
    await page.fill('#x', 'Ada')
    await page.click('#send')
    await page.waitForSelector('#why')
    assert.equal(await page.textContent('#why'), 'Ada is taken.')
    assert.ok(await isTheSame(page))
    assert.equal((await scripts(page)).length, 1, 'no second client runs')

    // Where nothing is lost by it, the new script comes.
    await Promise.all([page.waitForEvent('load'), page.click('nav a[href="/search"]')])
    await connected(page)
    assert.deepEqual(await scripts(page), [NEW])
  }, { expected: /422/ })
})

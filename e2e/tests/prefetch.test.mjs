// A link shows the page as it is when it is clicked, not as it was when the mouse came to rest on it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demo, ready } from '../demo.mjs'
import { visit, withPage } from '../page.mjs'

const running = demo()

test('what a reflex changed after the mouse came to a link is on the page behind it', async () => {
  await withPage(running.browser, async page => {
    const early = []
    page.on('request', request => {
      if (request.headers()['x-sec-purpose'] === 'prefetch') early.push(request.url())
    })
    await visit(page, `${running.url}/todos`)
    const field = page.locator('input[name]').first()
    await field.fill('Tea')
    await field.press('Enter')
    const active = page.locator('.filters a', { hasText: 'Active' })
    await ready(page)
    const isRefused = page.evaluate(() => new Promise(resolve => {
      document.addEventListener('turbo:before-prefetch', event => queueMicrotask(() => resolve(event.defaultPrevented)))
    }))
    await active.hover()
    assert.equal(await isRefused, true)
    await page.locator('main').getByRole('checkbox').last().press('Space')
    await page.waitForFunction(() => document.querySelector('main').textContent.includes('0 items left'))
    await active.click()
    await page.waitForURL(/show=active/)
    await page.waitForFunction(() => !document.querySelector('main').textContent.includes('Tea'))
    assert.deepEqual(early, [])
  })
})

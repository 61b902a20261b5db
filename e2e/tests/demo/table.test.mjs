import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { demo, ready, tabTo } from '../../demo.mjs'
import { shows, visit, withPage } from '../../page.mjs'

const app = demo()
const FIRST = 'tbody th'

test('the table sorts and pages by keyboard alone, and Back goes back', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/table')
    await shows(page, FIRST, 'Hydrogen')
    await accessible(page)
    await tabTo(page, '#sort-name')
    await page.keyboard.press('Enter')
    await shows(page, FIRST, 'Aluminium')
    assert.equal(await page.getAttribute('th:has(#sort-name)', 'aria-sort'), 'ascending')
    await tabTo(page, '#sort-name')
    await page.keyboard.press('Enter')
    await shows(page, FIRST, 'Zinc')
    await tabTo(page, '#next')
    await page.keyboard.press('Enter')
    await shows(page, '#page', 'Page 2 of 5')
    await page.waitForURL(/sort=name&down=1&page=2/)
    await accessible(page)

    await page.goBack()
    await shows(page, '#page', 'Page 1 of 5')
    await shows(page, FIRST, 'Zinc')
    await page.goBack()
    await shows(page, FIRST, 'Aluminium')
    await page.goForward()
    await shows(page, FIRST, 'Zinc')
    await page.reload()
    await shows(page, FIRST, 'Zinc')
  })
})

test('Back goes back where Turbo remembers pages, too', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/table')
    await page.evaluate(() => document.querySelector('meta[name=turbo-cache-control]').remove())
    await ready(page)
    await page.click('#sort-name')
    await shows(page, FIRST, 'Aluminium')
    await ready(page)
    await page.click('#next')
    await shows(page, FIRST, 'Chlorine')
    await page.goBack()
    await shows(page, FIRST, 'Aluminium')
    await page.goBack()
    await shows(page, FIRST, 'Hydrogen')
    await page.goForward()
    await shows(page, FIRST, 'Aluminium')
    await page.goForward()
    await shows(page, FIRST, 'Chlorine')
  })
})

test('a click that asks for a new tab opens the link there, and calls no reflex', async () => {
  await withPage(app.browser, async page => {
    const called = []
    page.on('websocket', socket => socket.on('framesent', ({ payload }) => { if (payload.includes('Table#')) called.push(payload) }))
    await visit(page, app.url + '/table')
    await ready(page)
    for (const how of [{ modifiers: ['Control'] }, { modifiers: ['Shift'] }, { button: 'middle' }]) {
      const [other] = await Promise.all([page.context().waitForEvent('page'), page.click('#next', how)])
      await shows(other, '#page', 'Page 2 of 5')
      assert.match(other.url(), /page=2/)
      await other.close()
    }
    assert.equal(await page.textContent('#page'), 'Page 1 of 5')
    assert.deepEqual(called, [])
    await page.click('#next')
    await shows(page, '#page', 'Page 2 of 5')
    assert.equal(called.length, 1)
  })
})

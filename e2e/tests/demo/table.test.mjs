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

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { demo, tabTo } from '../../demo.mjs'
import { shows, visit, withPage } from '../../page.mjs'

const app = demo()

test('the counter counts by keyboard alone', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/')
    await tabTo(page, '#increment')
    await page.keyboard.press('Enter')
    await shows(page, '#count', '1')
    await tabTo(page, '#by-ten')
    await page.keyboard.press('Space')
    await shows(page, '#count', '11')
    await tabTo(page, '#reset')
    await page.keyboard.press('Enter')
    await shows(page, '#count', '0')
    await accessible(page)
  })
})

test('the navigation leads from page to page without a reload, and reflexes go on working', async () => {
  await withPage(app.browser, async (page, sockets) => {
    await visit(page, app.url + '/')
    await page.click('nav >> text=Todos')
    await shows(page, 'h1', 'Todos')
    await page.click('nav >> text=Counter')
    await shows(page, 'h1', 'Counter')
    await page.click('#increment')
    await shows(page, '#count', '1')
    assert.equal(sockets.length, 1, 'one connection for all pages')
  })
})

import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { application, ready } from '../../demo.mjs'
import { shows, visit, withPage } from '../../page.mjs'

const app = application('minimal')

test('a new application counts clicks', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/')
    await shows(page, '#count', '0')
    await page.click('#increment')
    await shows(page, '#count', '1')
    await ready(page)
    await page.click('#increment')
    await shows(page, '#count', '2')
    await accessible(page)
    await ready(page)
    await page.click('#reset')
    await shows(page, '#count', '0')
  })
})

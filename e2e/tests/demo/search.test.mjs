import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { demo, tabTo } from '../../demo.mjs'
import { shows, visit, withPage } from '../../page.mjs'

const app = demo()

test('the search answers once typing pauses, by keyboard alone', async () => {
  await withPage(app.browser, async (page, sockets) => {
    await visit(page, app.url + '/search')
    await shows(page, '#found', '48 of 48')
    const asked = []
    sockets[0].on('framesent', ({ payload }) => { if (payload.includes('Search#run')) asked.push(payload) })
    await tabTo(page, '#q')
    await page.keyboard.type('Land')
    await page.waitForURL(/q=Land/)
    await shows(page, '#found', '8 of 48')
    assert.equal(asked.length, 1, 'one question for four letters')
    assert.equal(await page.inputValue('#q'), 'Land')
    await accessible(page)

    await page.keyboard.type('<i>')
    await shows(page, '#found', '0 of 48: nothing is called “Land<i>”')
    await page.reload()
    await shows(page, '#found', '0 of 48: nothing is called “Land<i>”')
  })
})

test('Back comes back to what was found', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/search')
    await page.fill('#q', 'Peru')
    await page.waitForURL(/q=Peru/)
    await page.click('nav >> text=Form')
    await page.waitForURL(/form$/)
    await page.goBack()
    await shows(page, '#found', '1 of 48')
    assert.equal(await page.inputValue('#q'), 'Peru')
  })
})

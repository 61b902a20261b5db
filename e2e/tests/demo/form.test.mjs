import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { demo, focused, tabTo } from '../../demo.mjs'
import { shows, visit, withPage } from '../../page.mjs'

const app = demo()

test('the server says what is wrong and keeps what was typed, by keyboard alone', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/form')
    await accessible(page)
    await tabTo(page, '#name')
    await page.keyboard.type('Ada "L" <script>')
    await tabTo(page, '#email')
    await page.keyboard.type('ada')
    await page.keyboard.press('Enter')
    await shows(page, '#email-problem', 'An address looks like ada@example.org.')
    await shows(page, '#seats-problem', 'Between one and six seats.')
    await shows(page, '#terms-problem', 'It will not work without.')
    assert.equal(await page.$('#name-problem'), null)
    assert.equal(await page.inputValue('#name'), 'Ada "L" <script>')
    assert.equal(await page.inputValue('#email'), 'ada')
    await accessible(page)

    await focused(page, '#email')
    await page.keyboard.press('End')
    await page.keyboard.type('@example.org')
    await tabTo(page, '#seats')
    await page.keyboard.type('2')
    await tabTo(page, '#terms')
    await page.keyboard.press('Space')
    await tabTo(page, 'form button')
    await page.keyboard.press('Enter')
    await shows(page, '#booked strong', 'Thank you, Ada "L" <script>.')
    await focused(page, '#booked')
    await accessible(page)
  })
})

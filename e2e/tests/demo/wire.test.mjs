import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { demo, tabTo } from '../../demo.mjs'
import { shows, visit, withPage } from '../../page.mjs'

const app = demo()

test('each kind of answer shows what it cost, by keyboard alone', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/wire')
    const received = []
    const kinds = [['#by-page', 'Wire#page'], ['#by-selector', 'Wire#selector'], ['#by-nothing', 'Wire#nothing']]
    for (const [index, [button, target]] of kinds.entries()) {
      await tabTo(page, button)
      await page.keyboard.press('Enter')
      await shows(page, '#clicks', String(index + 1))
      const sent = JSON.parse(await page.textContent('#wire-sent'))
      assert.equal(sent.command, 'message')
      assert.equal(sent.data.target, target)
      const answer = await page.textContent('#wire-received')
      assert.equal(JSON.parse(answer).message.cableReady, true)
      received.push(answer.length)
      assert.match(await page.textContent('#wire-summary'), /^\d+ bytes out, \d+ bytes back, after [\d.]+ ms$/)
    }
    assert.ok(received[0] > received[1], 'a page is more than an element')
    await accessible(page)
  })
})

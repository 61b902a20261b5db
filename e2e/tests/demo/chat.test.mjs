import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { demo, focused, tabTo } from '../../demo.mjs'
import { connected, shows, visit, withPage } from '../../page.mjs'

const app = demo()
const LAST = '#messages li:last-child'

/** Opens the chat and waits until it follows the room. */
async function enter (page) {
  const follows = new Promise(resolve => page.on('websocket', socket => socket.on('framereceived', ({ payload }) => {
    if (payload.includes('confirm_subscription') && payload.includes('CableReady::Stream')) resolve()
  })))
  await visit(page, app.url + '/chat')
  await follows
}

test('two browsers hear each other, by keyboard alone', async () => {
  await withPage(app.browser, async ada => {
    await enter(ada)
    await withPage(app.browser, async bob => {
      await enter(bob)
      await tabTo(ada, '#name')
      await ada.keyboard.type('Ada')
      await tabTo(ada, '#text')
      await ada.keyboard.type('<i>Hello</i>')
      await ada.keyboard.press('Enter')
      await shows(ada, LAST, 'Ada <i>Hello</i>')
      await shows(bob, LAST, 'Ada <i>Hello</i>')
      await ada.waitForFunction(() => document.querySelector('#text').value === '')
      await focused(ada, '#text')

      await bob.fill('#text', 'Hi')
      await bob.keyboard.press('Enter')
      await shows(ada, LAST, 'Somebody Hi')
      await accessible(ada)
      await ada.reload()
      await connected(ada)
      assert.equal(await ada.inputValue('#name'), 'Ada')
      assert.equal((await ada.$$('#messages li')).length, 2)
    })
  })
})

test('what was said while the connection was lost is there when it is back', async () => {
  await withPage(app.browser, async ada => {
    await enter(ada)
    await withPage(app.browser, async bob => {
      await enter(bob)
      const lost = ada.waitForSelector('body.stimulus-reflex-disconnected')
      await ada.evaluate(() => window.Sinew.consumer.connection.webSocket.close())
      await lost
      await ada.fill('#text', 'half a sen')
      await bob.fill('#text', 'Anybody there?')
      await bob.keyboard.press('Enter')
      await shows(bob, LAST, 'Somebody Anybody there?')

      await ada.evaluate(() => window.Sinew.consumer.connection.reopen())
      await shows(ada, LAST, 'Somebody Anybody there?')
      assert.equal(await ada.inputValue('#text'), 'half a sen')

      await bob.fill('#text', 'Hello?')
      await bob.keyboard.press('Enter')
      await shows(ada, LAST, 'Somebody Hello?')
    })
  })
})

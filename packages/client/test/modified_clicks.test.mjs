// Links that call a reflex, and clicks that ask for a new tab.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { connect, withPage } from './page.mjs'

const EMBEDDED = fs.readFileSync(new URL('../dist/sinew.js', import.meta.url), 'utf8')
const PAGE = `<a id="link" href="#/2" data-reflex="click->Table#show"><b id="inside">2</b></a>
  <div data-reflex="click->Table#row"><a id="in-row" href="#/3">3</a><i id="row">row</i></div>
  <a id="no-link" data-reflex="click->Table#plain">4</a>
  <button id="button" data-reflex="click->Table#button">5</button>`

/** Clicks, and says which reflex was called and whether the browser was kept from doing what it does. */
async function click (page, socket, selector, modifier = {}) {
  const before = socket.sent.length
  let isPrevented
  // Past all others; a reflex has stopped its click before.
  const seen = event => { isPrevented = event.defaultPrevented }
  page.window.addEventListener('click', seen)
  const event = new page.window.MouseEvent('click', { bubbles: true, cancelable: true, ...modifier })
  page.document.querySelector(selector).dispatchEvent(event)
  page.window.removeEventListener('click', seen)
  isPrevented ??= event.defaultPrevented
  // What a reflex sends is sent after its callbacks, in tasks before this one.
  await new Promise(resolve => page.window.setTimeout(resolve, 20))
  const reflex = socket.sent.slice(before).filter(({ command }) => command === 'message').map(({ data }) => JSON.parse(data).target)
  return [isPrevented, ...reflex]
}

test('a click that asks for a new tab or window is the browser\'s, on links that call a reflex', async () => {
  await withPage(PAGE, EMBEDDED, async page => {
    const socket = await connect(page)
    assert.deepEqual(await click(page, socket, '#link'), [true, 'Table#show'])
    for (const modifier of [{ ctrlKey: true }, { metaKey: true }, { shiftKey: true }, { altKey: true }, { button: 1, which: 2 }]) {
      for (const selector of ['#link', '#inside', '#in-row']) {
        assert.deepEqual(await click(page, socket, selector, modifier), [false], `${selector} with ${Object.keys(modifier)}`)
      }
    }
  })
})

test('a modified click on anything else calls its reflex as ever', async () => {
  await withPage(PAGE, EMBEDDED, async page => {
    const socket = await connect(page)
    assert.deepEqual(await click(page, socket, '#no-link', { ctrlKey: true }), [true, 'Table#plain'])
    assert.deepEqual(await click(page, socket, '#button', { shiftKey: true }), [true, 'Table#button'])
    assert.deepEqual(await click(page, socket, '#row', { metaKey: true }), [true, 'Table#row'])
  })
})

test('a controller of the page\'s own that calls reflexes leaves them, too', async () => {
  const own = '<div data-controller="table"><a id="link" href="#/2" data-reflex="click->Table#show">2</a></div>'
  await withPage(own, EMBEDDED, async page => {
    const { application, Controller, StimulusReflex } = page.window.Sinew
    application.register('table', class extends Controller {
      connect () { StimulusReflex.register(this) }
    })
    const socket = await connect(page)
    await new Promise(resolve => page.window.setTimeout(resolve, 50))
    assert.match(page.document.querySelector('#link').dataset.action, /click->table#__perform/)
    assert.deepEqual(await click(page, socket, '#link', { ctrlKey: true }), [false])
    assert.deepEqual(await click(page, socket, '#link'), [true, 'Table#show'])
  })
})

// What a page hears about the server's version, and when it loads itself again.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { connect, REFLEX_CHANNEL, withPage } from './page.mjs'

const EMBEDDED = fs.readFileSync(new URL('../dist/sinew.js', import.meta.url), 'utf8')
const MESSAGES = JSON.parse(fs.readFileSync(new URL('../../../spec/handshake/messages.json', import.meta.url), 'utf8'))
const BUTTON = '<button data-reflex="click->Counter#increment">+</button>'
const OLD = MESSAGES.find(({ message }) => message?.sinew.update === 'page').message

const tell = (socket, message) => socket.tell({ identifier: REFLEX_CHANNEL, message })

/** Listens to what the page announces. */
function announced ({ document }) {
  const events = []
  for (const type of ['sinew:server', 'sinew:version-mismatch', 'sinew:before-reload']) {
    document.addEventListener(type, event => {
      events.push({ type, ...event.detail })
      // A page without a browser cannot load itself again.
      if (type === 'sinew:before-reload') event.preventDefault()
    })
  }
  return { events, types: () => events.map(({ type }) => type.slice('sinew:'.length)) }
}

/** Looks away from the page: then nobody has to be waited for. */
function hide ({ window, document }) {
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
  document.dispatchEvent(new window.Event('visibilitychange'))
}

for (const { name, message } of MESSAGES.filter(({ message }) => message !== null)) {
  test(`heard: ${name}`, async () => {
    await withPage(BUTTON, EMBEDDED, async page => {
      const { events, types } = announced(page)
      const socket = await connect(page)
      tell(socket, message)
      // What a later version adds is passed over.
      const { sinew } = message
      assert.deepEqual({ ...page.window.Sinew.server }, sinew)
      assert.deepEqual(types(), sinew.compatible ? ['server'] : ['server', 'version-mismatch'])
      assert.equal(events[0].client, page.window.Sinew.version)
      assert.equal(events[0].embedded, true)
      assert.deepEqual(page.errors, sinew.compatible ? [] : [`Sinew: ${sinew.text}`])
    })
  })
}

test('keys and words of a later version are passed over, and what is no such message is left to the stock client', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const { types } = announced(page)
    const socket = await connect(page)
    for (const message of [{ sinew: 5 }, { sinew: null }, { sinew: { server: '9.0.0' } }, { other: true }, 7, null]) {
      try { tell(socket, message) } catch (error) { assert.equal(message, null, 'the stock client reads every message as an object') }
    }
    assert.deepEqual(types(), [])
    tell(socket, { sinew: { server: '9.0.0', compatible: false, update: 'moon', text: 'Fly.', more: [1] }, beside: 2 })
    assert.deepEqual(types(), ['server', 'version-mismatch'])
    hide(page)
    assert.deepEqual(types().length, 2, 'nothing is done that is not understood')
    assert.deepEqual(page.errors, ['Sinew: Fly.'])
  })
})

test('the same server is heard once, however often the connection comes back', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const { types } = announced(page)
    const socket = await connect(page)
    for (let turn = 0; turn < 3; turn++) tell(socket, OLD)
    assert.deepEqual(types(), ['server', 'version-mismatch', 'server', 'server'])
    assert.equal(page.errors.length, 1)
  })
})

test('an application that deals with a mismatch itself prevents the event', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const { types } = announced(page)
    page.document.addEventListener('sinew:version-mismatch', event => event.preventDefault())
    tell(await connect(page), OLD)
    hide(page)
    assert.deepEqual(types(), ['server', 'version-mismatch'])
    assert.deepEqual(page.errors, [])
  })
})

/** A page with this inside, of which something was changed: whether it would be loaded again. */
function check (name, inside, change, expected) {
  test(`${name}: the page is ${expected ? '' : 'not '}loaded again`, async () => {
    await withPage(`${BUTTON}<form>${inside}</form>`, EMBEDDED, async page => {
      const { types } = announced(page)
      tell(await connect(page), OLD)
      await change(page, page.document.querySelector('form').firstElementChild)
      hide(page)
      assert.equal(types().includes('before-reload'), expected)
    })
  })
}

const nothing = () => {}
check('an empty form', '<input name="a">', nothing, true)
check('a form as the server wrote it', '<input value="a"><textarea>b</textarea><select><option>1<option selected>2</select><input type="checkbox" checked>', nothing, true)
check('controls that show something by themselves', '<input type="range"><input type="range" min="10" max="20" value="90"><input type="color"><input type="number" value="x"><input type="submit"><input type="hidden">', nothing, true)
check('a select without a choice of the page', '<select><option disabled>choose<option>1</select>', nothing, true)
check('a list without a choice of the page', '<select multiple><option>1<option>2</select>', nothing, true)
check('typed text', '<input name="a" value="x">', (_, input) => { input.value = 'y' }, false)
check('text typed and taken back', '<input name="a" value="x">', (_, input) => { input.value = 'y'; input.value = 'x' }, true)
check('an emptied field', '<input name="a" value="x">', (_, input) => { input.value = '' }, false)
check('a textarea', '<textarea>x</textarea>', (_, textarea) => { textarea.value = 'y' }, false)
check('a tick', '<input type="checkbox">', (_, box) => { box.checked = true }, false)
check('a radio button', '<input type="radio" name="r">', (_, radio) => { radio.checked = true }, false)
check('a slider', '<input type="range">', (_, slider) => { slider.value = '7' }, false)
check('a choice', '<select><option>1<option>2</select>', (_, select) => { select.value = '2' }, false)
check('a choice among several', '<select multiple><option>1<option>2</select>', (_, select) => { select.options[1].selected = true }, false)
check('an editable element', '<div contenteditable="true"><b>x</b></div>', ({ window }, editable) => {
  editable.firstChild.dispatchEvent(new window.Event('input', { bubbles: true }))
}, false)
check('an open dialog', '<dialog open></dialog>', nothing, false)
check('a video that plays', '<video></video>', (_, video) => { Object.defineProperty(video, 'paused', { value: false }) }, false)

check('a reflex without its answer', '', ({ document }) => document.querySelector('button').click(), false)
check('a reflex whose answer was lost with the connection', '', async page => {
  page.document.querySelector('button').click()
  await page.sockets[0].said(message => message.command === 'message')
  page.sockets[0].close()
}, true)

test('a tab that has been loaded again for this pair of versions is not loaded once more', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const { types } = announced(page)
    const socket = await connect(page)
    page.window.sessionStorage.setItem(`sinew:reloaded:${page.window.Sinew.version}:${OLD.sinew.server}`, '1')
    tell(socket, OLD)
    hide(page)
    assert.deepEqual(types(), ['server', 'version-mismatch'])
  })
})

test('a tab that may keep no notes is not loaded again', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const { types } = announced(page)
    Object.defineProperty(page.window, 'sessionStorage', { get () { throw new Error('refused') } })
    tell(await connect(page), OLD)
    hide(page)
    assert.deepEqual(types(), ['server', 'version-mismatch'])
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { application, ready } from '../../demo.mjs'
import { connected, shows, visit, withPage } from '../../page.mjs'

const app = application('full')
const PASSWORD = 'correct horse battery'
/** Pages for everybody are plain HTML, without the client. */
const PLAIN = { plain: /^\/(sign-in|register)$/ }
const REFUSED = { ...PLAIN, expected: /status of 4(22|29)/ }

async function send (page, name, password) {
  await page.fill('#name', name)
  await page.fill('#password', password)
  await page.keyboard.press('Enter')
}

async function register (page, name) {
  await page.goto(app.url + '/register')
  await send(page, name, PASSWORD)
  await connected(page)
  await shows(page, 'h1', 'To-dos')
}

async function add (page, title) {
  await ready(page)
  await page.fill('#title', title)
  await page.keyboard.press('Enter')
  await page.waitForSelector(`#todos >> text=${title}`)
  // The broadcast to all tabs may come before the reply, which empties the field.
  await page.waitForFunction(() => document.querySelector('#title').value === '')
}

test('what an account writes down is there after signing out and in again', async () => {
  await withPage(app.browser, async page => {
    await page.goto(app.url + '/')
    await shows(page, 'h1', 'Sign in')
    await accessible(page)
    await page.click('text=Register')
    await shows(page, 'h1', 'Register')
    await accessible(page)
    await register(page, 'ada')
    await add(page, 'Water <b>the</b> plants')
    await ready(page)
    await page.click('#todos input[type=checkbox]')
    await shows(page, '#left', '0 left')
    await accessible(page)

    await page.click('#sign-out')
    await shows(page, 'h1', 'Sign in')
    await page.goBack()
    await shows(page, 'h1', 'Sign in')
    await send(page, 'ada', PASSWORD)
    await connected(page)
    await shows(page, '#todos li label', 'Water <b>the</b> plants')
    await shows(page, '#left', '0 left')
  }, PLAIN)
})

test('a wrong password does not get in, and the form says so', async () => {
  await withPage(app.browser, async page => {
    await register(page, 'bob')
    await page.click('#sign-out')
    await shows(page, 'h1', 'Sign in')
    await send(page, 'bob', 'wrong horse battery')
    await shows(page, '#password-problem', 'Name and password do not match.')
    assert.equal(await page.inputValue('#name'), 'bob')
    assert.equal(await page.evaluate(() => document.activeElement.id), 'password')
    await accessible(page)
    await page.goto(app.url + '/')
    await shows(page, 'h1', 'Sign in')
  }, REFUSED)
})

test('another tab of the account sees it at once, another account never', async () => {
  await withPage(app.browser, async first => {
    await register(first, 'carol')
    const second = await first.context().newPage()
    const follows = new Promise(resolve => second.on('websocket', socket => socket.on('framereceived', ({ payload }) => {
      if (payload.includes('confirm_subscription') && payload.includes('CableReady::Stream')) resolve()
    })))
    await visit(second, app.url + '/')
    await follows
    await add(first, 'Tea')
    await shows(second, '#todos li label', 'Tea')
    await ready(second)
    await second.click('#todos button')
    await shows(first, '#left', 'Nothing yet.')

    await add(first, 'Secret')
    await withPage(app.browser, async other => {
      await register(other, 'dave')
      await shows(other, '#left', 'Nothing yet.')
      assert.ok(!(await other.content()).includes('Secret'))
    }, PLAIN)
  }, PLAIN)
})

test('who has not signed in gets no socket', async () => {
  await withPage(app.browser, async page => {
    await page.goto(app.url + '/sign-in')
    const answer = await page.evaluate(() => new Promise(resolve => {
      const socket = new WebSocket(location.origin.replace('http', 'ws') + '/cable', ['actioncable-v1-json'])
      socket.onmessage = ({ data }) => resolve(JSON.parse(data))
    }))
    assert.deepEqual(answer, { type: 'disconnect', reason: 'unauthorized', reconnect: false })
  }, PLAIN)
})

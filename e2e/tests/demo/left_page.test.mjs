// Answers that arrive after their page was left.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demo, ready } from '../../demo.mjs'
import { shows, visit, withPage } from '../../page.mjs'

const app = demo()

/** Keeps answers to reflexes from the page; `arrived` waits until there is one, `release` lets them through. */
async function holdAnswers (page) {
  const held = []
  let arrive
  const arrived = new Promise(resolve => { arrive = resolve })
  let holds = true
  let client
  await page.routeWebSocket(/\/cable/, socket => {
    client = socket
    const server = socket.connectToServer()
    socket.onMessage(message => server.send(message))
    server.onMessage(message => {
      if (!holds || !String(message).includes('"cableReady"')) return socket.send(message)
      held.push(message)
      arrive()
    })
  })
  return {
    arrived,
    release () {
      holds = false
      held.splice(0).forEach(message => client.send(message))
    }
  }
}

/** The stages of all the page's reflexes. */
const stages = page => page.evaluate(() => Object.values(window.StimulusReflex.reflexes.all).map(({ stage }) => stage))

/** Runs a test with a page that notes what its console warns of. */
const withWarnings = steps => withPage(app.browser, async page => {
  const warnings = []
  page.on('console', message => { if (message.type() === 'warning') warnings.push(message.text()) })
  await steps(page)
  assert.deepEqual(warnings, [])
})

test('a page morph for a page that was left leaves the new one alone', async () => {
  await withWarnings(async page => {
    const answers = await holdAnswers(page)
    await visit(page, app.url + '/')
    await page.click('#increment')
    await answers.arrived
    await page.click('nav >> text=Todos')
    await shows(page, 'h1', 'Todos')
    answers.release()
    // Answers come in order: with this one the held one has been.
    await page.fill('#new-todo', 'after it')
    await page.keyboard.press('Enter')
    await page.waitForSelector('text=after it')
    assert.equal(await page.textContent('h1'), 'Todos')
    assert.equal(page.url(), app.url + '/todos')
    assert.deepEqual((await stages(page)).filter(stage => ['created', 'before', 'queued', 'delivered'].includes(stage)), [])
    await page.click('nav >> text=Counter')
    await shows(page, '#count', '1')
  })
})

test('an address and results that come after Back are not those of the page before', async () => {
  await withWarnings(async page => {
    const answers = await holdAnswers(page)
    await visit(page, app.url + '/')
    await page.click('nav >> text=Search')
    await shows(page, 'h1', 'Search')
    await ready(page)
    await page.fill('#q', 'Peru')
    await answers.arrived
    await page.goBack()
    await shows(page, 'h1', 'Counter')
    answers.release()
    await page.click('#increment')
    await shows(page, '#count', '1')
    assert.equal(await page.textContent('h1'), 'Counter')
    assert.equal(page.url(), app.url + '/')
    await page.goForward()
    await shows(page, '#found', '48 of 48')
    assert.equal(page.url(), app.url + '/search')
  })
})

// The counter of the README's words: `cargo xtask demo`, open `/`, click.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from '../browser.mjs'
import { connected, shows, visit, withPage } from '../page.mjs'
import { start } from '../server.mjs'

const INCREMENT = '[data-reflex="click->Counter#increment"]'
let browser
let server

before(async () => {
  server = await start('demo')
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

test('a first visit can click, and the count survives a reload', async () => {
  await withPage(browser, async (page, sockets) => {
    await visit(page, server.url + '/')
    await shows(page, '#count', '0')
    await page.click(INCREMENT)
    await shows(page, '#count', '1')
    await page.click(INCREMENT)
    await shows(page, '#count', '2')
    assert.equal(sockets.length, 1, 'StimulusReflex and CableReady share one connection')

    await page.reload()
    await connected(page)
    await shows(page, '#count', '2')
  })
})

test('visitors do not share a count', async () => {
  await withPage(browser, async ada => {
    await visit(ada, server.url + '/')
    await ada.click(INCREMENT)
    await shows(ada, '#count', '1')
    await withPage(browser, async bob => {
      await visit(bob, server.url + '/')
      await shows(bob, '#count', '0')
    })
  })
})

test('the count survives a restart of the server, and an open page reconnects by itself', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await page.click(INCREMENT)
    await shows(page, '#count', '1')
    // Lives in the page's own window: a reload would lose it.
    await page.evaluate(() => {
      window.reconnected = new Promise(resolve => document.addEventListener('stimulus-reflex:connected', resolve, { once: true }))
    })

    // The same data, so the session too, must be there for the next process.
    await server.restart()
    await page.evaluate(async () => { await window.reconnected })
    await page.click(INCREMENT)
    await shows(page, '#count', '2')
  }, { expected: /WebSocket connection to .* failed/ })
})

test('clicks faster than the answers are all counted', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await page.evaluate(increment => {
      for (let click = 0; click < 10; click++) document.querySelector(increment).click()
    }, INCREMENT)
    await shows(page, '#count', '10')
  })
})

test('a click right after a morph is not lost', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await page.evaluate(increment => {
      document.addEventListener('cable-ready:after-morph', () => {
        // The task after the morph: the client's own scan comes some twenty milliseconds later.
        setTimeout(() => document.querySelector(increment).click(), 0)
      }, { once: true })
    }, INCREMENT)
    await page.click(INCREMENT)
    await shows(page, '#count', '2')
  })
})

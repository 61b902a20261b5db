// The page for operators, which the demo has in development.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../axe.mjs'
import { demo } from '../demo.mjs'
import { shows, visit, withPage } from '../page.mjs'
import { start } from '../server.mjs'

const app = demo()

/** Waits until the page was refreshed so many times from now on. */
async function refreshed (page, times = 1) {
  await page.evaluate(times => new Promise(resolve => {
    document.addEventListener('cable-ready:after-morph', function count () {
      if (--times > 0) return
      document.removeEventListener('cable-ready:after-morph', count)
      resolve()
    })
  }), times)
}

test('what visitors do shows on the page, over the cable', async () => {
  await withPage(app.browser, async operator => {
    await operator.goto(app.url + '/_sinew')
    await shows(operator, '#connections-now', '1')
    await withPage(app.browser, async visitor => {
      await visit(visitor, app.url + '/')
      await visitor.click('#by-ten')
      await shows(visitor, '#count', '10')
      await shows(operator, '#connections-now', '2')
      const reflex = await operator.waitForSelector('tbody th:text-is("CounterReflex#increment")')
      const [calls, errors] = await reflex.evaluate(name => [...name.parentElement.cells].slice(1, 3).map(cell => cell.textContent))
      assert.deepEqual([calls, errors], ['1', '0'])
    })
    await shows(operator, '#connections-now', '1')
    await accessible(operator)
    await operator.setViewportSize({ width: 390, height: 800 })
    await accessible(operator)
  })
})

test('each chart has a line, and its figures in a table', async () => {
  await withPage(app.browser, async page => {
    await page.setViewportSize({ width: 390, height: 800 })
    await page.goto(app.url + '/_sinew')
    await refreshed(page, 2)
    const charts = await page.$$eval('.charts .card', cards => cards.map(card => ({
      label: card.querySelector('.plot svg').getAttribute('aria-label'),
      lines: card.querySelectorAll('.plot .line').length,
      rows: card.querySelectorAll('tbody tr').length
    })))
    assert.ok(charts.length > 8)
    for (const { label, lines, rows } of charts) {
      assert.ok(label.includes('in the last minute'), label)
      assert.equal(rows, lines, label)
    }
    assert.match(await page.getAttribute('section[aria-labelledby=connections-title] .plot .s0', 'd'), /^M[\d.]+ [\d.]+h0L/)
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.ok(overflow <= 0, `${overflow} pixels too wide`)
  })
})

test('the page says so when its connection is lost', async () => {
  const server = await start('demo')
  await withPage(app.browser, async page => {
    await page.goto(server.url + '/_sinew')
    await refreshed(page)
    assert.equal(await page.isVisible('.lost'), false)
    await server.stop()
    await page.waitForSelector('.lost', { state: 'visible' })
  }, { expected: /WebSocket connection to .* failed/ }).finally(() => server.stop())
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { demo, ready, tabTo } from '../../demo.mjs'
import { connected, shows, visit, withPage } from '../../page.mjs'

const app = demo()

const halfway = page => page.waitForFunction(() => {
  const { value } = document.querySelector('#progress')
  return value > 3 && value < 20
})

test('a job reports until it is done, by keyboard alone', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/job')
    await tabTo(page, '#start')
    await page.keyboard.press('Enter')
    await halfway(page)
    await shows(page, '#state', 'Working …')
    await accessible(page)
    await shows(page, '#state', 'Done.')
    await shows(page, '#percent', '100 %')
    assert.equal(await page.evaluate(() => document.activeElement.id), 'start')
    await accessible(page)
  })
})

test('a job goes on through a reload, and can be stopped', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/job')
    await page.click('#start')
    await halfway(page)
    await page.reload()
    await connected(page)
    await halfway(page)
    await ready(page)
    await page.click('#stop')
    await shows(page, '#state', 'Stopped.')
    await shows(page, '#percent', '0 %')
  })
})

test('a second tab sees the job begin, go on and stop', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/job')
    const other = await page.context().newPage()
    await visit(other, app.url + '/job')
    await page.click('#start')
    await halfway(other)
    await shows(other, '#state', 'Working …')
    await ready(other)
    await other.click('#stop')
    await shows(page, '#state', 'Stopped.')
    await shows(other, '#state', 'Stopped.')
  })
})

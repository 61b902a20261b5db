import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessible } from '../../axe.mjs'
import { demo, focused, ready, tabTo } from '../../demo.mjs'
import { connected, shows, visit, withPage } from '../../page.mjs'

const app = demo()
const TITLES = '.todos li .check span'

const titles = page => page.$$eval(TITLES, spans => spans.map(span => span.textContent))

async function add (page, title, left) {
  await ready(page)
  await page.fill('#new-todo', title)
  await page.keyboard.press('Enter')
  await shows(page, '#left', left)
}

test('todos are added, completed, filtered, cleared', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/todos')
    await add(page, '<b>tea</b>', '1 item left')
    assert.equal(await page.inputValue('#new-todo'), '')
    await add(page, 'milk', '2 items left')
    await add(page, 'sugar', '3 items left')
    assert.deepEqual(await titles(page), ['<b>tea</b>', 'milk', 'sugar'])

    await ready(page)
    await page.click('#toggle-2')
    await shows(page, '#left', '2 items left')
    assert.equal(await page.isChecked('#toggle-2'), true)

    await ready(page)
    await page.click('.filters >> text=Active')
    await page.waitForURL(/show=active/)
    await page.waitForSelector('#todo-2', { state: 'detached' })
    assert.deepEqual(await titles(page), ['<b>tea</b>', 'sugar'])
    await ready(page)
    await page.click('.filters >> text=Completed')
    await page.waitForSelector('#todo-2')
    assert.deepEqual(await titles(page), ['milk'])
    await ready(page)
    await page.click('.filters >> text=All')
    await page.waitForSelector('#todo-1')

    await ready(page)
    await page.click('#clear-completed')
    await page.waitForSelector('#todo-2', { state: 'detached' })
    await ready(page)
    await page.click('#toggle-all')
    await shows(page, '#left', '0 items left')
    await ready(page)
    await page.click('#toggle-all')
    await shows(page, '#left', '2 items left')
    await page.reload()
    await connected(page)
    assert.deepEqual(await titles(page), ['<b>tea</b>', 'sugar'])
  })
})

test('a todo is edited by double click, given up by Escape, saved by leaving the field', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/todos')
    await add(page, 'tea', '1 item left')
    await ready(page)
    await page.dblclick(TITLES)
    await focused(page, '#edit-1')
    await ready(page)
    await page.fill('#edit-1', 'coffee')
    await page.keyboard.press('Escape')
    await shows(page, TITLES, 'tea')
    await ready(page)
    await page.dblclick(TITLES)
    await focused(page, '#edit-1')
    await ready(page)
    await page.fill('#edit-1', 'cocoa')
    await ready(page)
    await page.click('#new-todo')
    await shows(page, TITLES, 'cocoa')
    await focused(page, '#new-todo')
  })
})

test('the list is kept by keyboard alone', async () => {
  await withPage(app.browser, async page => {
    await visit(page, app.url + '/todos')
    await tabTo(page, '#new-todo')
    await page.keyboard.type('tea')
    await page.keyboard.press('Enter')
    await shows(page, '#left', '1 item left')
    await tabTo(page, '#toggle-1')
    await page.keyboard.press('Space')
    await shows(page, '#left', '0 items left')
    await tabTo(page, '#edit-button-1')
    await page.keyboard.press('Enter')
    await focused(page, '#edit-1')
    await accessible(page)
    await page.keyboard.press('End')
    await page.keyboard.type(' with milk')
    await page.keyboard.press('Enter')
    await shows(page, TITLES, 'tea with milk')
    await focused(page, '#edit-button-1')
    await accessible(page)
    await tabTo(page, '#delete-1')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#todo-1', { state: 'detached' })
    await focused(page, '#new-todo')
  })
})
